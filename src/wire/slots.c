/* SPDX-License-Identifier: BSD-3-Clause
 *
 * SLOT_MANAGEMENT and its response (1.4). A header tells where the structure of
 * a SubCode begins; structures and their elements bring their lengths and may
 * grow: what is behind the known fields is skipped. */
#include "wire/walkers.h"

enum {
    HEAD = 8,
    STRUCTURE_MIN = 8,
    ADDRESS = 8,
    SLOT = 0x0f,
    MODEL = 0x07,
    TAG_SHIFT = 3,
    TAG = 7,
    OVERWRITE = 0x80,
    CONFIG_OR_ERASE = 1
};
enum { SELECTED = 1, CONFIG_ALGO = 2, PROVISIONED = 1, PROTECTED = 2, BITMAP = 8, BITMAP_REST = 24 };

/* ---- request ---- */

/* SubCode, and where the structure begins: 0 if there is none, which a request is told by `due`. Stops there. */
static bool head(struct io *io, uint8_t *sub_code, bool structure, bool (*due)(uint8_t))
{
    uint16_t offset = structure ? HEAD : 0;

    io_u8(io, "SubCode", sub_code);
    io_zero(io, 1);
    io_u16(io, "MgmtStructOffset", &offset);
    io_need(io, offset == 0 || offset >= HEAD, BAD_VALUE, "MgmtStructOffset", offset, 0);
    if (due != NULL) io_need(io, (offset != 0) == due(*sub_code), BAD_VALUE, "MgmtStructOffset", offset, 0);
    io_zero(io, 2);
    if (offset > HEAD) io_zero(io, offset - (size_t)HEAD);
    return io_going(io) && offset != 0;
}

static void address(struct io *io, struct spdm_slots_order *m)
{
    uint16_t length = ADDRESS;

    io_u16(io, "ReqLength", &length);
    io_need(io, length == ADDRESS, BAD_LENGTH, "ReqLength", length, ADDRESS);
    io_zero(io, 2);
    io_u8(io, "BankID", &m->bank);
    io_u8(io, "SlotID", &m->slot);
    m->slot &= SLOT;
    io_zero(io, 2);
}

static void get_csr(struct io *io, struct spdm_slots_order *m)
{
    uint8_t attributes = (uint8_t)(m->model | m->tag << TAG_SHIFT | (m->overwrite ? OVERWRITE : 0));
    uint16_t info = (uint16_t)m->info.n, opaque = (uint16_t)m->opaque.n;

    io_u8(io, "KeyPairID", &m->key_pair);
    io_u8(io, "RequestAttributes", &attributes);
    m->model = attributes & MODEL;
    m->tag = attributes >> TAG_SHIFT & TAG;
    m->overwrite = (attributes & OVERWRITE) != 0;
    io_zero(io, 2);
    io_u16(io, "RequesterInfoLength", &info);
    spdm_io_opaque_length(io, &opaque);
    io_bytes(io, "RequesterInfo", &m->info, info);
    spdm_io_opaque_data(io, &m->opaque, opaque);
}

/* The certificate itself may be sent from where the caller has it. */
static void set_certificate(struct io *io, struct slot_management *m)
{
    struct spdm_slots_order *o = &m->order;
    uint32_t n = (uint32_t)o->chain.n + m->tail;

    io_u32(io, "CertLength", &n);
    io_u8(io, "CertAttributes", &o->model);
    o->model &= MODEL;
    io_u8(io, "KeyPairID", &o->key_pair);
    io_zero(io, 2);
    if (io_decoding(io) || o->chain.n != 0) io_bytes(io, "Certificate", &o->chain, n);
}

/* ManageBank and ManageSlot have one operation each. */
static void operation(struct io *io, struct slot_management *m)
{
    io_u8(io, "Operation", &m->operation);
    io_need(io, m->operation == CONFIG_OR_ERASE, BAD_VALUE, "Operation", m->operation, CONFIG_OR_ERASE);
    io_zero(io, 3);
}

static void manage_bank(struct io *io, struct slot_management *m)
{
    operation(io, m);
    io_u32(io, "SelectAsymAlgo", &m->order.asym);
    io_one(io, "SelectAsymAlgo", m->order.asym, 0u);
    spdm_io_mask(io, SPDM_NAME("SelectPqcAsymAlgoLen"), SPDM_NAME("SelectPqcAsymAlgo"), &m->order.pqc);
    io_one(io, "SelectPqcAsymAlgo", m->order.pqc, m->order.asym);
}

static bool addressed(uint8_t sub_code)
{
    return (sub_code >= SPDM_SLOTS_DETAILS && sub_code <= SPDM_SLOTS_CSR) ||
           (sub_code >= SPDM_SLOTS_BANK && sub_code <= SPDM_SLOTS_STORE);
}

void spdm_walk_slot_management(struct io *io, union spdm_body *b)
{
    struct slot_management *m = &b->slot_management;
    struct spdm_slots_order *o = &m->order;

    if (!head(io, &o->sub_code, addressed(o->sub_code), addressed)) return;
    address(io, o);
    switch (o->sub_code) {
    case SPDM_SLOTS_CSR: get_csr(io, o); break;
    case SPDM_SLOTS_BANK: manage_bank(io, m); break;
    case SPDM_SLOTS_ERASE: operation(io, m); break;
    case SPDM_SLOTS_STORE: set_certificate(io, m); break;
    default: break;
    }
}

/* ---- parts of the response ---- */

/* What an element has behind the fields that we know, up to its own length. */
static void rest_of(struct io *io, size_t start, size_t length)
{
    size_t known = io->at - start;

    io_need(io, length >= known, TOO_SMALL, "ElementLength", (uint32_t)length, (uint32_t)known);
    if (io_fine(io) && length > known) io_zero(io, length - known);
}

void spdm_walk_bank_element(struct io *io, struct spdm_bank_element *m)
{
    uint8_t length = 4;
    size_t start = io->at;

    io_u8(io, "ElementLength", &length);
    io_u8(io, "BankID", &m->bank);
    io_u8(io, "SlotMask", &m->slots);
    io_u8(io, "ModifiableSlotMask", &m->modifiable);
    io_need(io, (m->modifiable & ~m->slots) == 0, MISMATCH, "ModifiableSlotMask", m->modifiable, m->slots);
    rest_of(io, start, length);
}

void spdm_walk_bank_details(struct io *io, struct spdm_bank_details *m, uint16_t *length, uint16_t *slots)
{
    uint8_t attributes = (uint8_t)((m->selected ? SELECTED : 0) | (m->configurable ? CONFIG_ALGO : 0));

    io_u16(io, "RespLength", length);
    io_u8(io, "BankID", &m->bank);
    io_zero(io, 1);
    io_u16(io, "NumSlotElements", slots);
    io_need(io, *slots <= SPDM_SLOT_N, TOO_LONG, "NumSlotElements", *slots, SPDM_SLOT_N);
    io_u8(io, "BankAttributes", &attributes);
    m->selected = (attributes & SELECTED) != 0;
    m->configurable = (attributes & CONFIG_ALGO) != 0;
    io_zero(io, 1);
    io_u32(io, "AsymAlgoCapabilities", &m->asyms);
    io_u32(io, "CurrentAsymAlgo", &m->asym);
    io_one(io, "CurrentAsymAlgo", m->asym, 0u);
    io_u32(io, "AvailableAsymAlgo", &m->asyms_free);
    spdm_io_mask(io, SPDM_NAME("PqcAsymAlgoCapLen"), SPDM_NAME("PqcAsymAlgoCapabilities"), &m->pqcs);
    spdm_io_mask(io, SPDM_NAME("CurrentPqcAsymAlgoLen"), SPDM_NAME("CurrentPqcAsymAlgo"), &m->pqc);
    io_one(io, "CurrentPqcAsymAlgo", m->pqc, m->asym);
    spdm_io_mask(io, SPDM_NAME("AvailablePqcAsymAlgoLen"), SPDM_NAME("AvailablePqcAsymAlgo"), &m->pqcs_free);
    io_zero(io, 4);
}

void spdm_walk_bank_slot(struct io *io, struct spdm_bank_slot *m)
{
    enum { FIXED = 16 };
    size_t n = m->digest.n;
    uint16_t length = (uint16_t)(FIXED + n);
    uint8_t attributes = (uint8_t)((m->provisioned ? PROVISIONED : 0) | (m->protected ? PROTECTED : 0));

    io_u16(io, "ElementLength", &length);
    io_need(io, length >= FIXED, TOO_SMALL, "ElementLength", length, FIXED);
    io_u8(io, "SlotID", &m->slot);
    io_need(io, m->slot < SPDM_SLOT_N, BAD_SLOT, "SlotID", m->slot, 0);
    io_zero(io, 1);
    io_u8(io, "SlotAttributes", &attributes);
    m->provisioned = (attributes & PROVISIONED) != 0;
    m->protected = (attributes & PROTECTED) != 0;
    io_u8(io, "KeyPairID", &m->key_pair);
    io_u8(io, "CertificateInfo", &m->model);
    m->model &= MODEL;
    io_zero(io, 1);
    io_u16(io, "KeyUsage", &m->usage);
    io_zero(io, 2);
    io_u32(io, "SlotSize", &m->size);
    if (io_decoding(io)) n = io_fine(io) ? length - (size_t)FIXED : 0;
    io_bytes(io, "Digest", &m->digest, n);
}

static void sub_codes(struct io *io)
{
    struct spdm_span bitmap = {0};
    uint16_t length = 0;
    size_t start = io->at;

    io_u16(io, "RespLength", &length);
    io_zero(io, 2);
    io_bytes(io, "SubCodeBitmap", &bitmap, BITMAP);
    io_zero(io, BITMAP_REST);
    rest_of(io, start, length);
}

static void banks(struct io *io)
{
    struct spdm_bank_element bank = {0};
    uint16_t length = 0;
    uint8_t n = 0;
    size_t start = io->at;

    io_u16(io, "RespLength", &length);
    io_zero(io, 2);
    io_u8(io, "NumBankElements", &n);
    io_zero(io, 3);
    for (; io_fine(io) && n > 0; n--) spdm_walk_bank_element(io, &bank);
    rest_of(io, start, length);
}

static void details(struct io *io)
{
    struct spdm_bank_details bank = {0};
    struct spdm_bank_slot slot = {0};
    uint16_t length = 0, n = 0;
    size_t start = io->at;

    spdm_walk_bank_details(io, &bank, &length, &n);
    for (; io_fine(io) && n > 0; n--) spdm_walk_bank_slot(io, &slot);
    rest_of(io, start, length);
}

static void bytes(struct io *io, const char *length, const char *name)
{
    struct spdm_span s = {0};
    uint32_t n = 0;

    (void)length;
    (void)name;
    io_u32(io, length, &n);
    io_zero(io, 4);
    io_bytes(io, name, &s, n);
}

/* The structure's size: its RespLength or, of a chain and a CSR, 8 and their length. */
static size_t structure_size(const struct io *io, uint8_t sub_code)
{
    struct io probe = *io;
    bool whole = sub_code == SPDM_SLOTS_CHAIN || sub_code == SPDM_SLOTS_CSR;
    uint32_t n;

    probe.see = NULL;
    n = io_number(&probe, "RespLength", 0, whole ? 4u : 2u);
    if (n > UINT32_MAX - HEAD) return UINT32_MAX; /* more than there is */
    return whole ? (size_t)HEAD + n : n;
}

void spdm_walk_slot_structure(struct io *io, size_t n, uint8_t sub_code)
{
    size_t end = spdm_io_open(io, n);

    switch (sub_code) {
    case SPDM_SLOTS_SUPPORTED: sub_codes(io); break;
    case SPDM_SLOTS_BANKS: banks(io); break;
    case SPDM_SLOTS_DETAILS: details(io); break;
    case SPDM_SLOTS_CHAIN: bytes(io, SPDM_NAME("CCLength"), SPDM_NAME("CertChain")); break;
    default: bytes(io, SPDM_NAME("CSRLength"), SPDM_NAME("CSR")); break;
    }
    spdm_io_close(io, end, SPDM_NAME("SlotMgmtRespStruct"));
}

void spdm_walk_slot_management_resp(struct io *io, union spdm_body *b)
{
    struct slot_management_resp *m = &b->slot_management_resp;
    bool structure = head(io, &m->sub_code, m->structure.n != 0, NULL);
    size_t n = m->structure.n;

    if (!structure || !io_going(io) || m->sub_code > SPDM_SLOTS_CSR) return; /* the others have none */
    if (io_decoding(io)) n = structure_size(io, m->sub_code);
    io_need(io, n >= STRUCTURE_MIN, TOO_SMALL, "SlotMgmtRespStruct", (uint32_t)n, STRUCTURE_MIN);
    io_bytes(io, "SlotMgmtRespStruct", &m->structure, n);
    if (io->inside != NULL && io_fine(io)) io->inside(io, n, SLOT_STRUCTURE | m->sub_code);
}

/* ---- for callers ---- */

static struct io reader(struct spdm_span from)
{
    return (struct io){.rd = from, .end = from.n};
}

bool spdm_bank_next(struct spdm_span *rest, struct spdm_bank_element *out)
{
    struct io io = reader(*rest);

    *out = (struct spdm_bank_element){0};
    if (rest->n == 0) return false;
    spdm_walk_bank_element(&io, out);
    if (!io_fine(&io)) return false;
    *rest = spdm_part(*rest, io.at, rest->n);
    return true;
}

bool spdm_bank_open(struct spdm_span from, struct spdm_bank_details *out, struct spdm_span *slots)
{
    struct io io = reader(from);
    uint16_t length = 0, n = 0;

    *out = (struct spdm_bank_details){0};
    spdm_walk_bank_details(&io, out, &length, &n);
    *slots = length > io.at ? spdm_part(from, io.at, length - io.at) : (struct spdm_span){0};
    return io_fine(&io) && length <= from.n;
}

bool spdm_bank_slot_next(struct spdm_span *rest, struct spdm_bank_slot *out)
{
    struct io io = reader(*rest);

    *out = (struct spdm_bank_slot){0};
    if (rest->n == 0) return false;
    spdm_walk_bank_slot(&io, out);
    if (!io_fine(&io)) return false;
    *rest = spdm_part(*rest, io.at, rest->n);
    return true;
}
