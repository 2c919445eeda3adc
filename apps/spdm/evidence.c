/* SPDX-License-Identifier: BSD-3-Clause
 *
 * evidence.c - writes a conversation down for later.
 *
 * Nothing is interpreted beyond the code of each message: the bytes are those
 * of the wire. Transcripts begin where the device last answered GET_VERSION. */
#include "evidence.h"
#include "names.h"
#include "text.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { GET_VERSION = 0x84, GET_MEASUREMENTS = 0xe0, MEASUREMENTS = 0x60, ERROR = 0x7f };

/* Bytes put together. */
struct heap {
    uint8_t *p;
    size_t n;
};

static void append(struct heap *heap, struct spdm_span bytes)
{
    heap->p = spdm_text_need(realloc(heap->p, heap->n + bytes.n + 1));
    if (bytes.n != 0) memcpy(heap->p + heap->n, bytes.p, bytes.n);
    heap->n += bytes.n;
}

static json_t *hex(const void *p, size_t n)
{
    char *text = spdm_text_hex((struct spdm_span){p, n}, 0);
    json_t *out = json_string(text);
    free(text);
    return spdm_text_need(out);
}

static void put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, spdm_text_need(value)) != 0) spdm_text_need(NULL);
}

static uint8_t code_of(const struct spdm_message *m)
{
    return m->bytes.n > 1 ? m->bytes.p[1] : 0;
}

/* Where the last connection begins. */
static size_t start_of(const struct spdm_attest_result *r)
{
    size_t start = 0;
    for (size_t i = 0; i < r->message_n; i++)
        if (r->messages[i].sent && code_of(&r->messages[i]) == GET_VERSION) start = i;
    return start;
}

/* The six negotiation messages: every request with the answer that was no ERROR. */
static size_t negotiation(const struct spdm_attest_result *r, size_t at, struct heap *out)
{
    for (size_t pairs = 0; pairs < 3 && at + 1 < r->message_n; at += 2) {
        if (code_of(&r->messages[at + 1]) == ERROR) continue;
        for (size_t i = at; i < at + 2; i++)
            append(out, (struct spdm_span){r->messages[i].bytes.p, r->messages[i].bytes.n});
        pairs++;
    }
    return at;
}

/* The last exchanges of measurements in a row, as L1/L2 counts them: after anything else they begin anew. */
static struct heap measurement_exchanges(const struct spdm_attest_result *r, size_t at)
{
    struct heap out = {NULL, 0};
    bool anew = true;
    for (; at + 1 < r->message_n; at += 2) {
        const struct spdm_message *request = &r->messages[at], *response = request + 1;
        bool good = code_of(request) == GET_MEASUREMENTS && code_of(response) == MEASUREMENTS;
        if (good && anew) out.n = 0;
        anew = !good;
        if (!good) continue;
        append(&out, (struct spdm_span){request->bytes.p, request->bytes.n});
        append(&out, (struct spdm_span){response->bytes.p, response->bytes.n});
    }
    return out;
}

static json_t *measurements(const struct spdm_attest_result *r, size_t start)
{
    size_t size = spdm_algorithm((enum spdm_alg)r->facts.signature)->size;
    struct heap vca = {NULL, 0};
    size_t behind = negotiation(r, start, &vca);
    struct heap exchanges = measurement_exchanges(r, behind), signed_bytes = {NULL, 0};
    json_t *out = json_null();
    if (r->goal.sign && exchanges.n > size && size != 0) {
        out = json_object();
        if (r->facts.version >= SPDM_V12) append(&signed_bytes, (struct spdm_span){vca.p, vca.n});
        append(&signed_bytes, (struct spdm_span){exchanges.p, exchanges.n - size});
        put(out, "signed_bytes", hex(signed_bytes.p, signed_bytes.n));
        put(out, "signature", hex(exchanges.p + exchanges.n - size, size));
    }
    free(vca.p);
    free(exchanges.p);
    free(signed_bytes.p);
    return out;
}

static json_t *messages(const struct spdm_attest_result *r)
{
    json_t *out = json_array();
    for (size_t i = 0; i < r->message_n; i++) {
        const struct spdm_message *m = &r->messages[i];
        json_t *one = json_object();
        put(one, "from", json_string(m->sent ? "requester" : "responder"));
        put(one, "name", json_string(spdm_message_name(code_of(m))));
        put(one, "bytes", hex(m->bytes.p, m->bytes.n));
        if (json_array_append_new(out, one) != 0) spdm_text_need(NULL);
    }
    return out;
}

static json_t *evidence(const struct spdm_attestation *a)
{
    const struct spdm_attest_result *r = a->result;
    const struct spdm_facts *f = &r->facts;
    json_t *out = json_object();
    char when[32] = "";
    struct tm utc;
    if (gmtime_r(&r->began.tv_sec, &utc) != NULL) strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    put(out, "format", json_string(SPDM_EVIDENCE_FORMAT));
    put(out, "target", json_string(r->target.text));
    put(out, "time", json_string(when));
    put(out, "verdict", json_string(spdm_verdict_name(a->verdict.kind)));
    put(out, "version", r->connected ? json_string(spdm_version_name(f->version)) : json_null());
    put(out, "hash", json_string(spdm_algorithm_name((enum spdm_alg)f->hash)));
    put(out, "signature", json_string(spdm_algorithm_name((enum spdm_alg)f->signature)));
    put(out, "slot", f->slot < SPDM_SLOT_N ? json_integer(f->slot) : json_null());
    put(out, "chain", a->device->chain.n != 0 ? hex(a->device->chain.p, a->device->chain.n) : json_null());
    put(out, "measurements", measurements(r, start_of(r)));
    put(out, "messages", messages(r));
    return out;
}

bool spdm_evidence_save(const char *path, const struct spdm_attestation *a, char error[SPDM_EVIDENCE_ERROR])
{
    json_t *root = evidence(a);
    bool good = json_dump_file(root, path, JSON_INDENT(2)) == 0;
    if (!good) snprintf(error, SPDM_EVIDENCE_ERROR, "%.300s: %s", path, strerror(errno));
    json_decref(root);
    return good;
}
