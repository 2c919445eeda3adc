/* SPDX-License-Identifier: BSD-3-Clause
 *
 * link_storage_uv.c - storage commands (DSP0286) over the emulator's socket.
 *
 * As QEMU's storage devices forward them: IF-SEND carries a frame and is
 * answered with a status, IF-RECV is answered with a status and, if that is
 * good, with data. The endpoint's answer waits here until it is collected; a
 * collection that comes first waits for the answer, as the command of a real
 * drive would. A status is two bytes, the highest first: NVMe's. */
#include "port/link_impl.h"

#include <string.h>

enum { GOOD = 0x0000, INVALID_FIELD = 0x0002, ABORTED = 0x0007, OUT_OF_SEQUENCE = 0x000c };
enum { INFORMATION = 0x00, RECV_HEADER = SPDM_STORAGE_HEADER };

bool spdm_link_is_storage(const struct spdm_target *target)
{
    return target->binding == &spdm_binding_storage;
}

static bool reply(struct spdm_link *link, unsigned status, struct spdm_span data)
{
    uint8_t word[2] = {(uint8_t)(status >> 8), (uint8_t)status};

    if (!spdm_link_transmit(link, SPDM_EMU_STORAGE_STATUS, (struct spdm_span){word, sizeof word})) return false;
    return data.n == 0 || spdm_link_transmit(link, SPDM_EMU_STORAGE_RECV, data);
}

/* ---- the device's side ---- */

static const struct spdm_span nothing = {NULL, 0};

/* The answer goes out if it is of the kind that was asked for and fits; otherwise it stays. */
static bool collect(struct spdm_link *link)
{
    struct link_storage *s = &link->storage;
    struct spdm_storage_command c;
    size_t n = s->n - SPDM_STORAGE_HEADER;

    s->asked = false;
    (void)spdm_storage_get((struct spdm_span){s->answer, s->n}, &c);
    if (c.operation != s->operation) return reply(link, OUT_OF_SEQUENCE, nothing);
    if (n > s->room) return reply(link, INVALID_FIELD, nothing);
    s->n = 0;
    return reply(link, GOOD, (struct spdm_span){s->answer + SPDM_STORAGE_HEADER, n});
}

/* Security protocol 0: the list of those there are (reserved 6, length 2 big endian, the list). */
static void tell_protocols(struct spdm_link *link)
{
    static const uint8_t list[10] = {0, 0, 0, 0, 0, 0, 0, 2, INFORMATION, SPDM_STORAGE_PROTOCOL};

    (void)reply(link, GOOD, (struct spdm_span){list, sizeof list});
}

static void discover(struct spdm_link *link, struct spdm_span frame)
{
    uint8_t answer[64];
    size_t n = spdm_binding_storage.control(frame, (struct spdm_room){answer, sizeof answer});

    if (n == 0) (void)reply(link, INVALID_FIELD, nothing);
    else (void)reply(link, GOOD, (struct spdm_span){answer + SPDM_STORAGE_HEADER, n - SPDM_STORAGE_HEADER});
}

static void tell_pending(struct spdm_link *link)
{
    uint8_t answer[16];
    size_t waits = link->storage.n == 0 ? 0 : link->storage.n - SPDM_STORAGE_HEADER;
    size_t n = spdm_storage_pending((struct spdm_room){answer, sizeof answer}, waits != 0, (uint32_t)waits);

    (void)reply(link, GOOD, (struct spdm_span){answer, n});
}

static void asked_for_answer(struct spdm_link *link, const struct spdm_storage_command *c)
{
    struct link_storage *s = &link->storage;

    if (c->operation != SPDM_STORAGE_PLAIN && c->operation != SPDM_STORAGE_SECURED) {
        (void)reply(link, INVALID_FIELD, nothing);
    } else if (s->asked || (s->n == 0 && !s->working)) {
        (void)reply(link, OUT_OF_SEQUENCE, nothing);
    } else {
        s->operation = c->operation;
        s->room = c->length;
        s->asked = true;
        if (s->n != 0) (void)collect(link);
    }
}

static void asked_for_data(struct spdm_link *link, struct spdm_span frame)
{
    struct spdm_storage_command c;
    bool good = frame.n == RECV_HEADER && spdm_storage_get(frame, &c) && c.reserved == 0 && c.connection == 0;

    if (good && c.protocol == INFORMATION && c.operation == 0) tell_protocols(link);
    else if (!good || c.protocol != SPDM_STORAGE_PROTOCOL) (void)reply(link, INVALID_FIELD, nothing);
    else if (c.operation == SPDM_STORAGE_DISCOVERY) discover(link, frame);
    else if (c.operation == SPDM_STORAGE_PENDING) tell_pending(link);
    else asked_for_answer(link, &c);
}

/* A new request voids the old answer, and whoever still waits for that. */
static void asked_to_take(struct spdm_link *link, struct spdm_span frame)
{
    struct link_storage *s = &link->storage;
    enum spdm_frame_kind kind = spdm_binding_storage.unwrap(frame).kind;

    if (s->asked) (void)reply(link, ABORTED, nothing);
    s->asked = false;
    s->n = 0;
    s->working = kind == SPDM_FRAME_PLAIN || kind == SPDM_FRAME_SECURED;
    if (reply(link, s->working ? GOOD : INVALID_FIELD, nothing) && s->working) spdm_link_frame(link, frame);
}

bool spdm_link_storage_asked(struct spdm_link *link, uint32_t command, struct spdm_span frame)
{
    if (!spdm_link_is_storage(link->target)) return false;
    if (command == SPDM_EMU_STORAGE_SEND) asked_to_take(link, frame);
    else if (command == SPDM_EMU_STORAGE_RECV) asked_for_data(link, frame);
    else return false;
    return true;
}

/* ---- the host's side ---- */

static bool expect(struct link_storage *s, enum link_expected what)
{
    if (s->expected_n == sizeof s->expected / sizeof *s->expected) return false;
    s->expected[s->expected_n++] = (uint8_t)what;
    return true;
}

static bool ask_for_data(struct spdm_link *link, uint8_t operation)
{
    uint8_t header[SPDM_STORAGE_HEADER];
    size_t room = link->options.frame_max - SPDM_STORAGE_HEADER;
    const struct spdm_storage_command c = {
        .protocol = SPDM_STORAGE_PROTOCOL, .operation = operation, .length = (uint32_t)room};

    link->storage.operation = operation;
    (void)spdm_storage_put((struct spdm_room){header, sizeof header}, &c);
    return expect(&link->storage, EXPECT_RECV_STATUS) &&
           spdm_link_transmit(link, SPDM_EMU_STORAGE_RECV, (struct spdm_span){header, sizeof header});
}

void spdm_link_storage_discover(struct spdm_link *link)
{
    (void)ask_for_data(link, SPDM_STORAGE_DISCOVERY);
}

static void give_up(struct spdm_link *link, const char *what, unsigned status)
{
    spdm_link_fail(link, SPDM_LINK_PROTOCOL, "%s refused the %s command with status 0x%04x", spdm_link_peer(link), what,
                   status);
}

/* Of a request that was given up, what still comes is thrown away. */
static void take_status(struct spdm_link *link, enum link_expected what, unsigned status)
{
    struct link_storage *s = &link->storage;
    bool last = s->expected_n == 0;

    if (what == EXPECT_RECV_STATUS && status == GOOD) {
        memmove(s->expected + 1, s->expected, s->expected_n);
        s->expected[0] = EXPECT_DATA;
        s->expected_n++;
    } else if (status != GOOD && last) {
        give_up(link, what == EXPECT_RECV_STATUS ? "IF-RECV" : "IF-SEND", status);
    } else if (what == EXPECT_SEND_STATUS && last) {
        (void)ask_for_data(link, s->operation);
    }
}

static void take_data(struct spdm_link *link, struct spdm_span data)
{
    struct link_storage *s = &link->storage;
    const struct spdm_storage_command c = {
        .protocol = SPDM_STORAGE_PROTOCOL, .operation = s->operation, .length = (uint32_t)data.n};
    uint8_t operations;

    if (s->expected_n != 0) return;
    if (link->phase == LINK_DISCOVERY) {
        if (!spdm_storage_discovered(data, &operations) || (operations & 1u << SPDM_STORAGE_PLAIN) == 0)
            spdm_link_fail(link, SPDM_LINK_PROTOCOL, "%s: the device's security commands do not offer SPDM",
                           spdm_link_peer(link));
        else spdm_link_go_up(link);
        return;
    }
    if (data.n > link->options.frame_max - SPDM_STORAGE_HEADER) return;
    (void)spdm_storage_put((struct spdm_room){s->answer, SPDM_STORAGE_HEADER}, &c);
    memcpy(s->answer + SPDM_STORAGE_HEADER, data.p, data.n);
    spdm_link_frame(link, (struct spdm_span){s->answer, SPDM_STORAGE_HEADER + data.n});
}

bool spdm_link_storage_answered(struct spdm_link *link, uint32_t command, struct spdm_span frame)
{
    struct link_storage *s = &link->storage;
    enum link_expected what;
    bool status = command == SPDM_EMU_STORAGE_STATUS && frame.n == 2;
    bool data = command == SPDM_EMU_STORAGE_RECV && frame.n != 0;

    if (!spdm_link_is_storage(link->target) || (!status && !data) || link->phase < LINK_DISCOVERY) return false;
    if (s->expected_n == 0 || (s->expected[0] == EXPECT_DATA) != data) {
        spdm_link_fail(link, SPDM_LINK_PROTOCOL, "%s sent %s that no command asked for", spdm_link_peer(link),
                       data ? "data" : "a status");
        return true;
    }
    what = (enum link_expected)s->expected[0];
    memmove(s->expected, s->expected + 1, --s->expected_n);
    if (data) take_data(link, frame);
    else take_status(link, what, (unsigned)frame.p[0] << 8 | frame.p[1]);
    return true;
}

/* ---- both ---- */

bool spdm_link_storage_send(struct spdm_link *link, struct spdm_span frame)
{
    struct link_storage *s = &link->storage;
    struct spdm_storage_command c;

    if (!spdm_storage_get(frame, &c)) return false;
    if (link->listener == NULL) {
        s->operation = c.operation;
        return expect(s, EXPECT_SEND_STATUS) && spdm_link_transmit(link, SPDM_EMU_STORAGE_SEND, frame);
    }
    memcpy(s->answer, frame.p, frame.n);
    s->n = frame.n;
    s->working = false;
    return !s->asked || collect(link);
}
