/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_terms.c - what the number in a field means, in the specification's words.
 *
 * One row per field, for one message or for all that have a field of the name.
 * A field without a row is just its number. */
#include "decode.h"
#include "names.h"
#include <string.h>

enum { ANY = 0, KEY_SLOT = 0xff, KEY_NIBBLE = 0x0f };

/* ---- lists ---- */

struct named {
    uint32_t mask, value; /* value of the bits under mask */
    const char *name;
};

static void say_named(struct decode_words *out, const struct named *names, uint32_t v)
{
    const char *space = "";
    for (; names->name != NULL; names++) {
        if ((v & names->mask) != names->value) continue;
        decode_put(out, space);
        decode_put(out, names->name);
        space = " ";
    }
}

static void say_flags(struct decode_words *out, uint32_t flags, uint16_t ext)
{
    const char *name;
    for (size_t i = 0; (name = spdm_capability_name(flags, ext, i)) != NULL; i++) {
        const char *cap = strstr(name, "_CAP");
        if (i != 0) decode_put(out, " ");
        decode_say(out, "%.*s%s", (int)(cap - name), name, cap + 4); /* every one is a CAP */
    }
}

static void say_algorithms(struct decode_words *out, enum spdm_class cls, uint32_t mask)
{
    const char *space = "";
    for (int id = 1; id < SPDM_ALG_N; id++) {
        const struct spdm_algorithm *a = spdm_algorithm((enum spdm_alg)id);
        if (a->cls != cls || (mask >> a->bit & 1) == 0) continue;
        decode_put(out, space);
        decode_put(out, spdm_algorithm_name((enum spdm_alg)id));
        space = " ";
    }
}

static void say_bits(struct decode_words *out, uint32_t mask)
{
    const char *space = "";
    for (unsigned i = 0; i < 8; i++) {
        if ((mask >> i & 1) == 0) continue;
        decode_say(out, "%s%u", space, i);
        space = " ";
    }
}

/* ---- terms ---- */

static void term_flags(struct decode_words *out, const struct decode_message *m, size_t i)
{
    say_flags(out, m->fields->v[i].value, 0);
}

static void term_ext_flags(struct decode_words *out, const struct decode_message *m, size_t i)
{
    uint32_t v = m->fields->v[i].value;
    if ((v & SPDM_SLOT_MGMT_CAP) != 0) decode_put(out, "SLOT_MGMT");
}

static void term_asym(struct decode_words *out, const struct decode_message *m, size_t i)
{
    say_algorithms(out, SPDM_CLASS_ASYM, m->fields->v[i].value);
}

static void term_pqc(struct decode_words *out, const struct decode_message *m, size_t i)
{
    say_algorithms(out, SPDM_CLASS_PQC, m->fields->v[i].value);
}

static void term_hash(struct decode_words *out, const struct decode_message *m, size_t i)
{
    say_algorithms(out, SPDM_CLASS_HASH, m->fields->v[i].value);
}

/* The bits are one higher than those of the base hash; the lowest is "raw bit streams only". */
static void term_meas_hash(struct decode_words *out, const struct decode_message *m, size_t i)
{
    uint32_t v = m->fields->v[i].value;
    if ((v & 1) != 0) decode_put(out, v > 1 ? "raw " : "raw");
    say_algorithms(out, SPDM_CLASS_HASH, v >> 1);
}

static void term_alg_type(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const char *const names[] = {"DHE",         "AEADCipherSuite", "ReqBaseAsymAlg",
                                        "KeySchedule", "ReqPqcAsymAlg",   "KEMAlg"};
    uint32_t v = m->fields->v[i].value;
    if (v >= 2 && v < 2 + sizeof names / sizeof *names) decode_put(out, names[v - 2]);
}

/* Its table's AlgType stands in front. */
static void term_alg(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const uint8_t classes[] = {SPDM_CLASS_DHE,      SPDM_CLASS_AEAD, SPDM_CLASS_ASYM,
                                      SPDM_CLASS_SCHEDULE, SPDM_CLASS_PQC,  SPDM_CLASS_KEM};
    uint32_t type = i >= 2 ? m->fields->v[i - 2].value : 0;
    if (type >= 2 && type < 2 + sizeof classes) {
        say_algorithms(out, (enum spdm_class)classes[type - 2], m->fields->v[i].value);
    }
}

static void term_other_params(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {
        {1, 1, "OpaqueDataFmt0"}, {2, 2, "OpaqueDataFmt1"}, {0x10, 0x10, "MultiKeyConn"}, {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static void term_spec(struct decode_words *out, const struct decode_message *m, size_t i)
{
    if (m->fields->v[i].value == 1) decode_put(out, "DMTF");
}

static void term_mask(struct decode_words *out, const struct decode_message *m, size_t i)
{
    say_bits(out, m->fields->v[i].value);
}

static void term_slot(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {{0x8f, 0x0f, "provisioned key"}, {0, 0, NULL}};
    uint32_t v = m->fields->v[i].value;
    if (v == KEY_SLOT) decode_put(out, "provisioned key");
    else say_named(out, names, v);
}

static void term_challenge_slot(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {
        {0x0f, 0x0f, "provisioned key"}, {0x80, 0x80, "BasicMutAuthReq"}, {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static void term_certificate_slot(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {{0x80, 0x80, "LargeCertChain"}, {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static void term_get_certificate(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {{1, 1, "SlotSizeRequested"}, {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static void term_model(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {
        {7, 1, "DeviceCert"}, {7, 2, "AliasCert"}, {7, 3, "GenericCert"}, {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static void term_summary(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {{0xff, 0, "none"}, {0xff, 1, "TCB"}, {0xff, 0xff, "all"}, {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static void term_attributes(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {
        {1, 1, "SignatureRequested"}, {2, 2, "RawBitStreamRequested"}, {4, 4, "NewMeasurementRequested"}, {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static void term_operation(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {{0xff, 0, "number of indices"}, {0xff, 0xff, "all"}, {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static void term_content_changed(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {
        {0x30, 0x10, "content changed"}, {0x30, 0x20, "content did not change"}, {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static void term_value_type(struct decode_words *out, const struct decode_message *m, size_t i)
{
    uint32_t v = m->fields->v[i].value;
    decode_put(out, spdm_measurement_type_name(v & 0x7f));
    decode_put(out, (v & 0x80) != 0 ? ", raw" : ", digest");
}

static void term_error(struct decode_words *out, const struct decode_message *m, size_t i)
{
    decode_put(out, spdm_error_name((uint8_t)m->fields->v[i].value));
}

static void term_code(struct decode_words *out, const struct decode_message *m, size_t i)
{
    decode_put(out, spdm_message_name((uint8_t)m->fields->v[i].value));
}

static void term_version(struct decode_words *out, const struct decode_message *m, size_t i)
{
    decode_put(out, spdm_version_name((uint8_t)m->fields->v[i].value));
}

static void term_key_operation(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {
        {0xff, 1, "UpdateKey"}, {0xff, 2, "UpdateAllKeys"}, {0xff, 3, "VerifyNewKey"}, {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static void term_mut_auth(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {{1, 1, "without encapsulation"},
                                         {2, 2, "with encapsulated requests"},
                                         {4, 4, "with implicit GET_DIGESTS"},
                                         {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static void term_policy(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {{1, 1, "TerminationPolicy"}, {2, 2, "EventAllPolicy"}, {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static void term_finish(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {{1, 1, "SignatureIncluded"}, {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static void term_end(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {
        {1, 0, "negotiated state is kept"}, {1, 1, "negotiated state is cleared"}, {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static void term_seconds(struct decode_words *out, const struct decode_message *m, size_t i)
{
    if (m->fields->v[i].value != 0) decode_put(out, "seconds");
}

static void term_exponent(struct decode_words *out, const struct decode_message *m, size_t i)
{
    uint32_t v = m->fields->v[i].value;
    if (v < 32) decode_say(out, "%llu us", 1ull << v);
}

static void term_payload(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {
        {0xff, 0, "absent"}, {0xff, 1, "request"}, {0xff, 2, "ReqSlotNumber"}, {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static void term_standard(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const char *const names[] = {"DMTF", "TCG", "USB",   "PCI-SIG", "IANA",      "HDBaseT",
                                        "MIPI", "CXL", "JEDEC", "VESA",    "IANA CBOR", "DMTF DSP"};
    uint32_t v = m->fields->v[i].value;
    if (v < sizeof names / sizeof *names) decode_put(out, names[v]);
}

static void term_usage(struct decode_words *out, const struct decode_message *m, size_t i)
{
    static const struct named names[] = {
        {1, 1, "KeyExUse"}, {2, 2, "ChallengeUse"}, {4, 4, "MeasurementUse"}, {8, 8, "EndpointInfoUse"}, {0, 0, NULL}};
    say_named(out, names, m->fields->v[i].value);
}

static const struct term {
    uint8_t code; /* ANY: of all messages */
    const char *field;
    void (*say)(struct decode_words *, const struct decode_message *, size_t);
} terms[] = {
    {ANY, "SPDMVersion", term_version},
    {ANY, "RequestResponseCode", term_code},
    {ANY, "Flags", term_flags},
    {ANY, "ExtFlags", term_ext_flags},
    {ANY, "CTExponent", term_exponent},
    {ANY, "MeasurementSpecification", term_spec},
    {ANY, "MeasurementSpecificationSel", term_spec},
    {ANY, "MELspecification", term_spec},
    {ANY, "MELspecificationSel", term_spec},
    {ANY, "OtherParamsSupport", term_other_params},
    {ANY, "OtherParamsSelection", term_other_params},
    {ANY, "BaseAsymAlgo", term_asym},
    {ANY, "BaseAsymSel", term_asym},
    {ANY, "BaseHashAlgo", term_hash},
    {ANY, "BaseHashSel", term_hash},
    {ANY, "PqcAsymAlgo", term_pqc},
    {ANY, "PqcAsymSel", term_pqc},
    {ANY, "MeasurementHashAlgo", term_meas_hash},
    {ANY, "AlgType", term_alg_type},
    {ANY, "AlgSupported", term_alg},
    {ANY, "SupportedSlotMask", term_mask},
    {ANY, "ProvisionedSlotMask", term_mask},
    {ANY, "SlotMask", term_mask},
    {ANY, "KeyUsageMask", term_usage},
    {0x82, "SlotID", term_certificate_slot},
    {0x82, "Param2", term_get_certificate},
    {0x02, "SlotID", term_certificate_slot},
    {0x03, "SlotID", term_challenge_slot},
    {ANY, "SlotID", term_slot},
    {ANY, "SlotIDParam", term_slot},
    {ANY, "CertModel", term_model},
    {ANY, "MeasurementSummaryHashType", term_summary},
    {ANY, "RequestAttributes", term_attributes},
    {ANY, "MeasurementOperation", term_operation},
    {0x60, "Param2", term_content_changed},
    {ANY, "DMTFSpecMeasurementValueType", term_value_type},
    {ANY, "ErrorCode", term_error},
    {ANY, "RequestCode", term_code},
    {ANY, "RDTExponent", term_exponent},
    {ANY, "KeyOperation", term_key_operation},
    {ANY, "MutAuthRequested", term_mut_auth},
    {ANY, "SessionPolicy", term_policy},
    {ANY, "HeartbeatPeriod", term_seconds},
    {0xe5, "Param1", term_finish},
    {0xec, "Param1", term_end},
    {ANY, "PayloadType", term_payload},
    {ANY, "StandardID", term_standard},
};

void decode_term(struct decode_words *out, const struct decode_message *m, size_t i)
{
    const struct spdm_field *f = &m->fields->v[i];
    if (!f->number) return;
    for (size_t k = 0; k < sizeof terms / sizeof *terms; k++) {
        if ((terms[k].code != ANY && terms[k].code != m->sight->code) || strcmp(terms[k].field, f->name) != 0) continue;
        terms[k].say(out, m, i);
        return;
    }
}
