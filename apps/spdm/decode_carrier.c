/* SPDX-License-Identifier: BSD-3-Clause
 *
 * decode_carrier.c - what travels beside SPDM: messages of the binding itself,
 * and application data in sessions. They are named, not taken apart. */
#include "app_data.h"
#include "decode_flow.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

struct name {
    unsigned value;
    const char *name;
};

static const char *find(const struct name *names, unsigned value)
{
    for (; names->name != NULL; names++)
        if (names->value == value) return names->name;
    return NULL;
}

/* ---- MCTP ---- */

static void mctp_control(struct decode_words *out, struct spdm_span s)
{
    static const struct name commands[] = {{0x01, "Set Endpoint ID"},
                                           {0x02, "Get Endpoint ID"},
                                           {0x03, "Get Endpoint UUID"},
                                           {0x04, "Get MCTP Version Support"},
                                           {0x05, "Get Message Type Support"},
                                           {0x06, "Get Vendor Defined Message Support"},
                                           {0x07, "Resolve Endpoint ID"},
                                           {0x08, "Allocate Endpoint IDs"},
                                           {0x09, "Routing Information Update"},
                                           {0x0a, "Get Routing Table Entries"},
                                           {0x0b, "Prepare for Endpoint Discovery"},
                                           {0x0c, "Endpoint Discovery"},
                                           {0x0d, "Discovery Notify"},
                                           {0x0e, "Get Network ID"},
                                           {0, NULL}};
    const char *name = s.n >= 3 ? find(commands, s.p[2]) : NULL;
    if (s.n < 3) return;
    decode_say(out, ", %s ", (s.p[1] & 0x80) != 0 ? "request" : "response");
    if (name != NULL) decode_put(out, name);
    else decode_say(out, "command 0x%02x", s.p[2]);
}

static void pldm(struct decode_words *out, struct spdm_span s)
{
    static const struct name types[] = {{0, "base"},
                                        {1, "SMBIOS"},
                                        {2, "platform monitoring and control"},
                                        {3, "BIOS"},
                                        {4, "FRU"},
                                        {5, "firmware update"},
                                        {6, "Redfish device enablement"},
                                        {7, "file transfer"},
                                        {0x3f, "OEM"},
                                        {0, NULL}};
    const char *name = s.n >= 4 ? find(types, s.p[2] & 0x3f) : NULL;
    if (s.n < 4) return;
    decode_say(out, ", %s, ", (s.p[1] & 0x80) != 0 ? "request" : "response");
    if (name != NULL) decode_put(out, name);
    else decode_say(out, "type %u", s.p[2] & 0x3fu);
    decode_say(out, ", command 0x%02x", s.p[3]);
}

static void mctp(struct decode_words *out, struct spdm_span s)
{
    static const struct name types[] = {{0x00, "MCTP control"},
                                        {0x01, "PLDM"},
                                        {0x02, "NC-SI control"},
                                        {0x03, "Ethernet over MCTP"},
                                        {0x04, "NVMe-MI"},
                                        {0x05, "SPDM"},
                                        {0x06, "secured message"},
                                        {0x07, "CXL FM API"},
                                        {0x08, "CXL CCI"},
                                        {0x09, "PCIe-MI"},
                                        {0x7e, "vendor defined (PCI)"},
                                        {0x7f, "vendor defined (IANA)"},
                                        {0, NULL}};
    const char *name = s.n != 0 ? find(types, s.p[0] & 0x7fu) : NULL;
    if (s.n == 0) return;
    if (name != NULL) decode_put(out, name);
    else decode_say(out, "MCTP message type 0x%02x", s.p[0] & 0x7fu);
    if ((s.p[0] & 0x7f) == 0) mctp_control(out, s);
    if ((s.p[0] & 0x7f) == 1) pldm(out, s);
}

/* ---- PCI DOE, TCP ---- */

/* Request and response look alike: one dword each; who sends tells them apart. */
static void discovery(struct decode_words *out, struct spdm_span frame, bool request)
{
    static const struct name types[] = {{0, "DOE discovery"},
                                        {1, "CMA-SPDM"},
                                        {2, "secured CMA-SPDM"},
                                        {3, "CMA-SPDM with connection id"},
                                        {4, "secured CMA-SPDM with connection id"},
                                        {5, "async message"},
                                        {0, NULL}};
    struct spdm_doe_protocol p;
    enum { HEADER = 8 };
    if (!spdm_doe_discovered(frame, &p)) return;
    decode_put(out, "DOE discovery, ");
    if (request) {
        decode_say(out, "index %u", frame.p[HEADER]);
        return;
    }
    if (p.vendor == 1 && find(types, p.type) != NULL) decode_put(out, find(types, p.type));
    else decode_say(out, "vendor 0x%04x type %u", p.vendor, p.type);
    if (p.next != 0) decode_say(out, ", next index %u", p.next);
    else decode_put(out, ", the last");
}

static void tcp(struct decode_words *out, struct spdm_span frame)
{
    static const struct name types[] = {{SPDM_TCP_ROLE_INQUIRY, "Role-Inquiry"},
                                        {SPDM_TCP_TOO_LARGE, "error: PayloadLen is too large"},
                                        {SPDM_TCP_NOT_SUPPORTED, "error: BindingVersion is not supported"},
                                        {SPDM_TCP_NO_REQUESTER, "error: cannot operate as Requester"},
                                        {SPDM_TCP_NO_RESPONDER, "error: cannot operate as Responder"},
                                        {0, NULL}};
    const char *name = find(types, spdm_tcp_control_type(frame));
    if (name != NULL) decode_put(out, name);
    else if (frame.n >= 4) decode_say(out, "message type 0x%02x, binding version %u", frame.p[3], frame.p[2]);
}

/* ---- application data ---- */

/* The streams of `spdm connect` and `spdm respond --app`. */
static bool stream(struct decode_words *out, struct spdm_span data)
{
    struct spdm_app_message in = spdm_app_look(data);
    const uint8_t *p = in.bytes.p;
    char *text;
    switch (in.kind) {
    case SPDM_APP_DATA: decode_say(out, "stream, %zu bytes", in.bytes.n); return true;
    case SPDM_APP_END: decode_put(out, "stream, end"); return true;
    case SPDM_APP_MORE:
        if (in.bytes.n != 4) return false;
        decode_say(out, "stream, credit for %u bytes",
                   (unsigned)p[0] | (unsigned)p[1] << 8 | (unsigned)p[2] << 16 | (unsigned)p[3] << 24);
        return true;
    case SPDM_APP_RESET:
        text = spdm_text_safe(in.bytes);
        decode_say(out, "stream, reset: %s", text);
        free(text);
        return true;
    default: return false;
    }
}

/* ---- all of them ---- */

void decode_carrier(struct decode_words *out, const struct decode_message *m)
{
    const struct spdm_binding *binding = m->flow->binding;
    const struct spdm_sight *s = m->sight;
    if (s->kind == SPDM_SIGHT_DATA && stream(out, s->message)) return;
    if (s->kind == SPDM_SIGHT_DATA) {
        if (binding == &spdm_binding_mctp) mctp(out, s->message);
        decode_say(out, "%s%zu bytes", out->n != 0 ? ", " : "", s->message.n);
    } else if (s->kind == SPDM_SIGHT_SEALED) {
        decode_say(out, "%zu bytes", m->frame.n);
        if (s->record == SPDM_SIGNATURE_UNCHECKED) decode_put(out, ", no secret opens it");
    } else if (binding == &spdm_binding_doe) {
        discovery(out, m->frame, s->from_requester);
    } else if (binding == &spdm_binding_tcp) {
        tcp(out, m->frame);
    } else if (binding == &spdm_binding_mctp && s->kind == SPDM_SIGHT_NONE) {
        mctp(out, m->frame);
        decode_say(out, ", %zu bytes", m->frame.n);
    }
}
