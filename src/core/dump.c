/* SPDX-License-Identifier: BSD-3-Clause
 *
 * One message shown field by field. The shape comes from the facts by way of
 * the same function that the engines use. */
#include "core/conn.h"
#include <assay/dump.h>

/* A connection that knows just the facts. */
static struct conn knowing(const struct spdm_facts *facts)
{
    static const struct spdm_policy policy = {.opaque_max = 0xffff};
    static const struct spdm_config cfg = {.policy = &policy};
    const struct edition *ed = spdm_edition(facts->version);

    return (struct conn){.cfg = &cfg, .facts = *facts, .ed = ed != NULL ? ed : spdm_edition(SPDM_V10)};
}

/* GET_CAPABILITIES fixes the version; before it and in it the message's own byte counts. */
static void adopt(struct conn *c, const struct spdm_message *row, uint8_t version)
{
    bool fixes = row == &spdm_message_GET_CAPABILITIES || row == &spdm_message_CAPABILITIES;

    if ((fixes || c->facts.version == 0) && spdm_edition(version) != NULL) c->ed = spdm_edition(version);
}

static void head(struct io *io)
{
    uint8_t byte = 0;

    io_u8(io, "SPDMVersion", &byte);
    io_u8(io, "RequestResponseCode", &byte);
    io_u8(io, "Param1", &byte);
    io_u8(io, "Param2", &byte);
}

size_t spdm_dump(const struct spdm_dump *dump, struct spdm_report *report)
{
    struct conn c = knowing(dump->facts);
    const struct spdm_message *row = dump->message.n < 2 ? NULL : spdm_message_find(dump->message.p[1]);
    const struct spdm_message *asked = dump->request.n < 2 ? NULL : spdm_message_find(dump->request.p[1]);
    union spdm_body req, body;
    struct shape sh;
    struct io io;

    *report = (struct spdm_report){0};
    if (row == NULL) {
        *report =
            (struct spdm_report){.why = SPDM_WHY_UNKNOWN_CODE, .got = dump->message.n < 2 ? 0 : dump->message.p[1]};
        return 0;
    }
    adopt(&c, row, dump->message.p[0]);
    spdm_conn_shape(&c, row->code, NULL, &sh);
    io = spdm_reader(&sh, dump->request);
    if (asked != NULL && asked->walk != NULL && spdm_decode(&io, asked, &req)) {
        spdm_conn_shape(&c, row->code, &req, &sh);
    }
    io = spdm_reader(&sh, dump->message);
    io.see = dump->see;
    io.see_ctx = dump->ctx;
    if (row->walk == NULL) head(&io);
    else (void)spdm_decode(&io, row, &body);
    if (io_fine(&io)) return io.at;
    spdm_io_report(&io, row, report);
    return 0;
}
