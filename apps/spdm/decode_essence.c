/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_essence.c - a message in a few words: what one line of the default
 * output says of it. */
#include "decode.h"
#include <stdlib.h>
#include <string.h>

enum form {
    FORM_NUMBER,
    FORM_HEX,
    FORM_TERM,  /* what the number means; nothing if it means nothing */
    FORM_SLOT,  /* "slot 3", "provisioned key" */
    FORM_SET,   /* the number, unless it is 0 */
    FORM_SIZE,  /* bytes of the field */
    FORM_BYTES, /* its bytes, the first few */
    FORM_OWN    /* a function */
};

struct essence {
    uint8_t code;
    enum form form;
    const char *field, *before, *behind;
    void (*own)(struct decode_words *, const struct decode_message *);
};

/* ---- those that need more than a field ---- */

static void versions(struct decode_words *out, const struct decode_message *m)
{
    struct spdm_span entries = decode_bytes(m, decode_field(m, "VersionNumberEntry"));
    for (size_t i = 0; i + 1 < entries.n; i += 2) {
        unsigned v = (unsigned)entries.p[i + 1] << 8 | entries.p[i];
        decode_say(out, "%s%u.%u", i != 0 ? " " : "", v >> 12, v >> 8 & 15);
        if ((v & 0xf0) != 0) decode_say(out, ".%u", v >> 4 & 15);
        if ((v & 0x0f) != 0) decode_say(out, " alpha %u", v & 15);
    }
}

/* Everything offered or selected, list after list. */
static void algorithms(struct decode_words *out, const struct decode_message *m)
{
    static const char *const lists[] = {"BaseAsymAlgo", "BaseAsymSel", "PqcAsymAlgo",         "PqcAsymSel",
                                        "BaseHashAlgo", "BaseHashSel", "MeasurementHashAlgo", "AlgSupported"};
    const char *comma = "";
    for (size_t i = 0; i < m->fields->n; i++) {
        const struct spdm_field *f = &m->fields->v[i];
        bool listed = false;
        size_t before = out->n;
        for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) listed = listed || strcmp(lists[k], f->name) == 0;
        if (!listed || f->value == 0) continue;
        decode_put(out, comma);
        if (strcmp(f->name, "MeasurementHashAlgo") == 0) decode_put(out, "measurements ");
        decode_term(out, m, i);
        if (out->n > before + strlen(comma)) comma = ", ";
    }
}

static void range(struct decode_words *out, const struct decode_message *m)
{
    const struct spdm_field *offset = decode_field(m, "LargeOffset"), *length = decode_field(m, "LargeLength");
    if (offset == NULL) offset = decode_field(m, "Offset");
    if (length == NULL) length = decode_field(m, "Length");
    if (offset == NULL || length == NULL) return;
    decode_say(out, "from byte %u at most %u", offset->value, length->value);
}

static void portion(struct decode_words *out, const struct decode_message *m)
{
    const struct spdm_field *n = decode_field(m, "LargePortionLength"), *left = decode_field(m, "LargeRemainderLength");
    if (n == NULL) n = decode_field(m, "PortionLength");
    if (left == NULL) left = decode_field(m, "RemainderLength");
    if (n == NULL || left == NULL) return;
    decode_say(out, left->value != 0 ? "%u bytes, %u left" : "%u bytes, complete", n->value, left->value);
}

static void wanted(struct decode_words *out, const struct decode_message *m)
{
    const struct spdm_field *operation = decode_field(m, "MeasurementOperation");
    const struct spdm_field *attributes = decode_field(m, "RequestAttributes");
    if (operation == NULL || attributes == NULL) return;
    if (operation->value == 0) decode_put(out, "how many");
    else if (operation->value == SPDM_MEAS_ALL) decode_put(out, "all");
    else decode_say(out, "index %u", operation->value);
    if ((attributes->value & 1) != 0) decode_put(out, ", signed");
    if ((attributes->value & 2) != 0) decode_put(out, ", raw");
    if ((attributes->value & 4) != 0) decode_put(out, ", taken anew");
}

static void measured(struct decode_words *out, const struct decode_message *m)
{
    const struct spdm_field *total = decode_field(m, "TotalNumberOfIndices"), *n = decode_field(m, "NumberOfBlocks");
    const struct spdm_field *length = decode_field(m, "MeasurementRecordLength");
    if (total == NULL || n == NULL || length == NULL) return;
    if (n->value == 0) decode_say(out, "%u indices", total->value);
    else decode_say(out, "%u block%s, %u bytes", n->value, n->value != 1 ? "s" : "", length->value);
}

static void error(struct decode_words *out, const struct decode_message *m)
{
    const struct spdm_field *code = decode_field(m, "ErrorCode"), *data = decode_field(m, "ErrorData");
    enum { UNSUPPORTED = 0x07, NOT_READY = 0x42 };
    if (code == NULL || data == NULL) return;
    if (strcmp(spdm_error_name((uint8_t)code->value), "reserved") != 0)
        decode_put(out, spdm_error_name((uint8_t)code->value));
    else decode_say(out, "reserved ErrorCode 0x%02x", code->value);
    if (code->value == UNSUPPORTED) decode_say(out, ", %s", spdm_message_name((uint8_t)data->value));
    else if (data->value != 0) decode_say(out, ", ErrorData 0x%02x", data->value);
    if (decode_field(m, "Handle") != NULL) decode_say(out, ", transfer %u", decode_field(m, "Handle")->value);
    if (code->value == NOT_READY && decode_field(m, "Token") != NULL)
        decode_say(out, ", token %u", decode_field(m, "Token")->value);
}

/* The protocols that ride on vendor-defined messages are named; their fields are their own business. */
static void vendor(struct decode_words *out, const struct decode_message *m)
{
    static const struct {
        uint16_t standard, vendor;
        uint8_t protocol;
        const char *name;
    } known[] = {
        {3, 0x0001, 0, "IDE_KM"}, {3, 0x0001, 1, "TDISP"}, {3, 0x1e98, 0, "CXL IDE_KM"}, {3, 0x1e98, 1, "CXL TSP"}};
    static const char *const ide_km[] = {"QUERY",    "QUERY_RESP", "KEY_PROG",    "KP_ACK",
                                         "K_SET_GO", "K_SET_STOP", "K_GOSTOP_ACK"};
    const struct spdm_field *standard = decode_field(m, "StandardID");
    struct spdm_span id = decode_bytes(m, decode_field(m, "VendorID"));
    struct spdm_span payload = decode_bytes(m, decode_field(m, "VendorDefinedPayload"));
    unsigned number = id.n >= 2 ? (unsigned)(id.p[0] | id.p[1] << 8) : 0;
    const char *name = NULL;
    if (standard == NULL) return;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (standard->value == known[i].standard && id.n == 2 && number == known[i].vendor && payload.n != 0 &&
            payload.p[0] == known[i].protocol)
            name = known[i].name;
    if (name == NULL) {
        size_t before = out->n;
        for (size_t i = 0; i < m->fields->n; i++)
            if (&m->fields->v[i] == standard) decode_term(out, m, i);
        if (out->n == before) decode_say(out, "StandardID %u", standard->value);
        if (id.n != 0) decode_put(out, " vendor 0x");
        for (size_t i = id.n; i-- > 0;) decode_say(out, "%02x", id.p[i]);
    } else {
        decode_put(out, name);
        if (strstr(name, "IDE_KM") != NULL && payload.n > 1 && payload.p[1] < sizeof ide_km / sizeof *ide_km)
            decode_say(out, " %s", ide_km[payload.p[1]]);
    }
    decode_say(out, ", %zu bytes", payload.n);
}

static void acknowledged(struct decode_words *out, const struct decode_message *m)
{
    const struct spdm_field *id = decode_field(m, "AckRequestID"), *kind = decode_field(m, "PayloadType");
    struct spdm_span slot = decode_bytes(m, decode_field(m, "ReqSlotNumber"));
    if (kind == NULL) return;
    if (id != NULL) decode_say(out, "of request %u, ", id->value);
    if (kind->value == 0) decode_put(out, "done");
    else if (kind->value == 1)
        decode_say(out, "request %u", decode_field(m, "RequestID") != NULL ? decode_field(m, "RequestID")->value : 0);
    else if (slot.n != 0) decode_say(out, "done, slot %u", slot.p[0]);
}

static void chunk(struct decode_words *out, const struct decode_message *m)
{
    const struct spdm_field *number = decode_field(m, "ChunkSeqNo"), *handle = decode_field(m, "Handle");
    const struct spdm_field *n = decode_field(m, "ChunkSize"), *total = decode_field(m, "LargeMessageSize");
    const struct spdm_field *last = decode_field(m, "Param1");
    if (number == NULL || handle == NULL) return;
    decode_say(out, "%u of transfer %u", number->value, handle->value);
    if (n != NULL && total != NULL) decode_say(out, ", %u of %u bytes", n->value, total->value);
    else if (n != NULL) decode_say(out, ", %u bytes", n->value);
    if (last != NULL && (last->value & 1) != 0) decode_put(out, n != NULL ? ", last" : ", EarlyErrorDetected");
}

/* ---- the table, by message ---- */

static const struct essence essences[] = {
    {0x04, FORM_OWN, NULL, "", "", versions},
    {0xe1, FORM_SET, "DataTransferSize", "DataTransferSize ", "", NULL},
    {0xe1, FORM_TERM, "Flags", "", "", NULL},
    {0x61, FORM_SET, "DataTransferSize", "DataTransferSize ", "", NULL},
    {0x61, FORM_TERM, "Flags", "", "", NULL},
    {0xe3, FORM_OWN, NULL, "", "", algorithms},
    {0x63, FORM_OWN, NULL, "", "", algorithms},
    {0x01, FORM_TERM, "ProvisionedSlotMask", "slots ", "", NULL},
    {0x82, FORM_SLOT, "SlotID", "", "", NULL},
    {0x82, FORM_OWN, NULL, "", "", range},
    {0x02, FORM_SLOT, "SlotID", "", "", NULL},
    {0x02, FORM_OWN, NULL, "", "", portion},
    {0x83, FORM_SLOT, "SlotID", "", "", NULL},
    {0x83, FORM_TERM, "MeasurementSummaryHashType", "summary ", "", NULL},
    {0x03, FORM_SLOT, "SlotID", "", "", NULL},
    {0xe0, FORM_OWN, NULL, "", "", wanted},
    {0xe0, FORM_SLOT, "SlotIDParam", "", "", NULL},
    {0x60, FORM_OWN, NULL, "", "", measured},
    {0x7f, FORM_OWN, NULL, "", "", error},
    {0xff, FORM_TERM, "RequestCode", "", "", NULL},
    {0xff, FORM_NUMBER, "Token", "token ", "", NULL},
    {0xfe, FORM_OWN, NULL, "", "", vendor},
    {0x7e, FORM_OWN, NULL, "", "", vendor},
    {0xe4, FORM_SLOT, "SlotID", "", "", NULL},
    {0xe4, FORM_TERM, "MeasurementSummaryHashType", "summary ", "", NULL},
    {0x64, FORM_TERM, "MutAuthRequested", "mutual authentication ", "", NULL},
    {0x64, FORM_SET, "HeartbeatPeriod", "heartbeat ", " s", NULL},
    {0xe5, FORM_TERM, "Param1", "", "", NULL},
    {0xe6, FORM_TERM, "MeasurementSummaryHashType", "summary ", "", NULL},
    {0xe6, FORM_BYTES, "PSKHint", "hint ", "", NULL},
    {0x66, FORM_SET, "HeartbeatPeriod", "heartbeat ", " s", NULL},
    {0xe9, FORM_TERM, "KeyOperation", "", "", NULL},
    {0xe9, FORM_HEX, "Tag", "tag ", "", NULL},
    {0x69, FORM_TERM, "KeyOperation", "", "", NULL},
    {0x69, FORM_HEX, "Tag", "tag ", "", NULL},
    {0x6a, FORM_NUMBER, "RequestID", "request ", "", NULL},
    {0xeb, FORM_NUMBER, "RequestID", "to request ", "", NULL},
    {0x6b, FORM_OWN, NULL, "", "", acknowledged},
    {0xec, FORM_TERM, "Param1", "", "", NULL},
    {0x85, FORM_OWN, NULL, "", "", chunk},
    {0x05, FORM_OWN, NULL, "", "", chunk},
    {0x86, FORM_OWN, NULL, "", "", chunk},
    {0x06, FORM_OWN, NULL, "", "", chunk},
};

static void bytes(struct decode_words *out, struct spdm_span s)
{
    enum { SHOWN = 24 };
    char *safe = spdm_text_readable(s) ? spdm_text_safe(s) : NULL;
    if (safe != NULL) decode_say(out, "\"%s\"", safe);
    else decode_put_hex(out, (struct spdm_span){s.p, s.n < SHOWN ? s.n : SHOWN});
    if (safe == NULL && s.n > SHOWN) decode_put(out, "...");
    free(safe);
}

static void slot(struct decode_words *out, uint32_t v)
{
    if ((v & 15) == 15) decode_put(out, "provisioned key");
    else decode_say(out, "slot %u", v & 15);
}

static void say(struct decode_words *out, const struct decode_message *m, const struct essence *e,
                const struct spdm_field *f)
{
    if (f == NULL) return;
    if (e->form == FORM_TERM) decode_term(out, m, (size_t)(f - m->fields->v));
    else if (e->form == FORM_SLOT) slot(out, f->value);
    else if (e->form == FORM_HEX) decode_say(out, "0x%0*x", (int)(2 * f->n), f->value);
    else if (e->form == FORM_SIZE) decode_say(out, "%zu bytes", f->n);
    else if (e->form == FORM_BYTES) bytes(out, decode_bytes(m, f));
    else decode_say(out, "%u", f->value);
}

/* One part; nothing at all if there is nothing to say. */
static void part(struct decode_words *out, const struct decode_message *m, const struct essence *e, size_t start)
{
    const struct spdm_field *f = e->field != NULL ? decode_field(m, e->field) : NULL;
    size_t before = out->n, begun;
    if (e->form != FORM_OWN && f == NULL) return;
    if (e->form == FORM_SET && f->value == 0) return;
    if (out->n != start) decode_put(out, ", ");
    decode_put(out, e->before);
    begun = out->n;
    if (e->form == FORM_OWN) e->own(out, m);
    else say(out, m, e, f);
    if (out->n == begun) {
        out->n = before;
        if (out->p != NULL) out->p[before] = '\0';
    } else {
        decode_put(out, e->behind);
    }
}

void decode_essence(struct decode_words *out, const struct decode_message *m)
{
    size_t start = out->n;
    for (size_t i = 0; i < sizeof essences / sizeof *essences; i++)
        if (essences[i].code == m->sight->code) part(out, m, &essences[i], start);
}
