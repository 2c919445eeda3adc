/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Signature input by version and algorithm (spec digest transcripts.md section
 * 8): combined_spdm_prefix from 1.2 on, the digest for RSA and ECDSA, the
 * message itself for the rest, the context string where the algorithm takes one. */
#include "trust/signing.h"
#include <assay/build.h>

enum { HEADS = 64, CONTEXT = SIGNING_PREFIX - HEADS, ROLE = 9 };

/* Context strings, right-aligned as they stand in the prefix. The Requester's differ in their first word, which is as
 * long (R-SIG-03); the one of FINISH is only ever the Requester's. */
static const char contexts[SIGNED_N - 1][CONTEXT] = {
    [SIGNED_CHALLENGE_AUTH - 1] = "\0\0\0\0responder-challenge_auth signing",
    [SIGNED_MEASUREMENTS - 1] = "\0\0\0\0\0\0responder-measurements signing",
    [SIGNED_KEY_EXCHANGE_RSP - 1] = "\0\0responder-key_exchange_rsp signing",
    [SIGNED_FINISH - 1] = "\0\0\0\0\0\0\0\0\0\0\0\0responder-finish signing",
    [SIGNED_ENDPOINT_INFO - 1] = "\0\0\0\0\0responder-endpoint_info signing",
};

/* combined_spdm_prefix, "dmtf-spdm-v1.N.*" four times, zeros, the context string: 100 bytes (R-SIG-02, R-SIG-04).
 * Returns where the context string begins. */
static size_t prefix(struct to_sign *out, const struct signer *signer, enum signed_by by)
{
    static const char head[16] = "dmtf-spdm-v1.0.*", requester[ROLE] = "requester";
    size_t begin = HEADS;

    for (unsigned at = 0; at < HEADS; at += sizeof head) {
        memcpy(&out->message[at], head, sizeof head);
        out->message[at + 13] = (uint8_t)('0' + (signer->edition->version & 0x0f));
    }
    memcpy(&out->message[HEADS], contexts[by - 1], CONTEXT);
    while (out->message[begin] == 0) begin++;
    if (SPDM_WHOLE && signer->turned) memcpy(&out->message[begin], requester, ROLE);
    return begin;
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
    size_t h = spdm_algorithm((enum spdm_alg)signer->hash)->size, begin;
    struct spdm_span message = spdm_span(out->message, SIGNING_PREFIX + h);

    out->what.alg = (enum spdm_alg)signer->alg;
    out->what.hash = (enum spdm_alg)signer->hash;
    out->what.prehashed = takes_digest(signer->alg);
    out->what.data = spdm_span(out->digest, h);
    out->what.context = (struct spdm_span){0};
    if (!signer->edition->signing_prefix) return true;
    begin = prefix(out, signer, by);
    if (out->what.prehashed) return spdm_digest(t, out->what.hash, &message, 1, out->digest);
    out->what.data = message;
    if (takes_context(signer->alg)) out->what.context = spdm_span(&out->message[begin], SIGNING_PREFIX - begin);
    return true;
}

/* RSA numbers are reversed whole, ECDSA's r and s each (transcripts.md section 9). */
static void reverse(uint8_t *out, struct spdm_span in, size_t piece)
{
    for (size_t at = 0; at + piece <= in.n; at += piece) {
        for (size_t i = 0; i < piece; i++) out[at + i] = in.p[at + piece - 1 - i];
    }
}

spdm_verdict spdm_signing_verify_reversed(const struct transcript *t, const struct to_sign *input,
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
    verdict = spdm_signing_verify_reversed(t, input, candidate);
    candidate->reversed = verdict == SPDM_GOOD;
    return verdict;
}
