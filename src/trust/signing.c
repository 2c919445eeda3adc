/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Signature input by version and algorithm (spec digest transcripts.md section
 * 8): combined_spdm_prefix from 1.2 on, the digest for RSA and ECDSA, the
 * message itself for the rest, the context string where the algorithm takes one. */
#include "trust/signing.h"

struct context {
    uint8_t n;
    char text[35];
};

static const struct context contexts[SIGNED_N] = {
    [SIGNED_CHALLENGE_AUTH] = {32, "responder-challenge_auth signing"},
    [SIGNED_MEASUREMENTS] = {30, "responder-measurements signing"},
    [SIGNED_KEY_EXCHANGE_RSP] = {34, "responder-key_exchange_rsp signing"},
    [SIGNED_FINISH] = {24, "responder-finish signing"}, /* only ever turned: the Requester signs it */
};

/* "dmtf-spdm-v1.N.*" four times, zeros, the context string: 100 bytes (R-SIG-02, R-SIG-04). */
static void prefix(struct to_sign *out, const struct signer *signer, const struct context *c)
{
    static const char requester[] = "requester"; /* as long as "responder" (R-SIG-03) */
    static const uint8_t head[16] = {'d', 'm', 't', 'f', '-', 's', 'p', 'd', 'm', '-', 'v', '1', '.', '0', '.', '*'};

    memset(out->message, 0, SIGNING_PREFIX);
    for (unsigned i = 0; i < 64; i += 16) {
        memcpy(&out->message[i], head, 16);
        out->message[i + 13] = (uint8_t)('0' + (signer->edition->version & 0x0f));
    }
    memcpy(&out->message[SIGNING_PREFIX - c->n], c->text, c->n);
    if (signer->turned) memcpy(&out->message[SIGNING_PREFIX - c->n], requester, sizeof requester - 1);
}

/* RSA and ECDSA sign a digest; EdDSA, SM2 and the post-quantum algorithms the message (transcripts.md 8.3). */
static bool takes_digest(uint8_t alg)
{
    return alg >= SPDM_RSASSA_2048 && alg <= SPDM_ECDSA_P521;
}

static bool takes_context(uint8_t alg)
{
    return alg == SPDM_ED448 || spdm_algorithm((enum spdm_alg)alg)->cls == SPDM_CLASS_PQC;
}

bool spdm_signing_prepare(struct to_sign *out, const struct transcript *t, const struct signer *signer,
                          enum signed_by by)
{
    const struct context *c = &contexts[by];
    size_t h = spdm_algorithm((enum spdm_alg)signer->hash)->size, n = SIGNING_PREFIX + h;
    struct spdm_span message = spdm_span(out->message, n);

    out->what = (struct spdm_signing){.alg = (enum spdm_alg)signer->alg,
                                      .hash = (enum spdm_alg)signer->hash,
                                      .prehashed = takes_digest(signer->alg),
                                      .data = spdm_span(out->digest, h)};
    if (!signer->edition->signing_prefix) return true;
    prefix(out, signer, c);
    memcpy(&out->message[SIGNING_PREFIX], out->digest, h);
    if (takes_context(signer->alg)) out->what.context = spdm_part(message, SIGNING_PREFIX - (size_t)c->n, c->n);
    if (!out->what.prehashed) out->what.data = message;
    else return spdm_digest(t, (enum spdm_alg)signer->hash, &message, 1, out->digest);
    return true;
}

/* RSA numbers are reversed whole, ECDSA's r and s each (transcripts.md section 9). */
static void reverse(uint8_t *out, struct spdm_span in, size_t piece)
{
    for (size_t at = 0; at + piece <= in.n; at += piece) {
        for (size_t i = 0; i < piece; i++) out[at + i] = in.p[at + piece - 1 - i];
    }
}

static spdm_verdict verify_reversed(const struct transcript *t, const struct to_sign *input,
                                    const struct candidate *candidate)
{
    uint8_t turned[512];
    struct spdm_span in = candidate->signature;
    bool ecdsa =
        input->what.alg == SPDM_ECDSA_P256 || input->what.alg == SPDM_ECDSA_P384 || input->what.alg == SPDM_ECDSA_P521;

    if (in.n == 0 || in.n > sizeof turned) return SPDM_BAD;
    reverse(turned, in, ecdsa ? in.n / 2 : in.n);
    return t->crypto->verify(t->ctx, candidate->key, &input->what, spdm_span(turned, in.n));
}

spdm_verdict spdm_signing_verify(const struct transcript *t, const struct signer *signer, const struct to_sign *input,
                                 struct candidate *candidate)
{
    bool legacy = !signer->edition->signing_prefix;
    spdm_verdict verdict = SPDM_BAD;

    candidate->reversed = false;
    if (candidate->key == NULL || candidate->signature.n == 0) return SPDM_BAD;
    if (!legacy || signer->byte_order != SPDM_LITTLE_ENDIAN) {
        verdict = t->crypto->verify(t->ctx, candidate->key, &input->what, candidate->signature);
    }
    if (verdict == SPDM_GOOD || !legacy || signer->byte_order == SPDM_BIG_ENDIAN) return verdict;
    verdict = verify_reversed(t, input, candidate);
    candidate->reversed = verdict == SPDM_GOOD;
    return verdict;
}
