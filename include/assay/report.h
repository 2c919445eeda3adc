/* SPDX-License-Identifier: BSD-3-Clause
 *
 * report.h - why something was refused, for a human.
 *
 * A refusal is one number (enum spdm_why) plus where it happened: message,
 * field, byte offset, the value found and the limit. The peer gets the SPDM
 * ErrorCode of the row; spdm_report_text() makes the sentence:
 *
 *   CHALLENGE_AUTH: OpaqueDataLength at byte 84 is 2048, at most 1024 allowed (R-OPQ-03) */
#ifndef ASSAY_REPORT_H
#define ASSAY_REPORT_H
#include <stddef.h>
#include <stdint.h>

/* What the damage is: this message only, its session, or the connection. */
enum spdm_harm { SPDM_HARM_MESSAGE, SPDM_HARM_SESSION, SPDM_HARM_CONNECTION };

/* The one list of everything that can go wrong: name, ErrorCode for the peer, harm, words.
 * In the words %f is the field, %o its offset, %g what was found, %l the limit or what was expected
 * (both decimal), %x and %y the same in hex, %e the name of an ErrorCode in %g. */
#define SPDM_WHYS(X)                                                                                                   \
    X(FINE, 0x00, MESSAGE, "no error")                                                                                 \
    X(SHORT, 0x01, MESSAGE, "%f at byte %o needs %g bytes, %l are left")                                               \
    X(TOO_LONG, 0x01, MESSAGE, "%f at byte %o is %g, at most %l allowed")                                              \
    X(TOO_SMALL, 0x01, MESSAGE, "%f at byte %o is %g, at least %l required")                                           \
    X(BAD_LENGTH, 0x01, MESSAGE, "%f at byte %o is %g, %l expected")                                                   \
    X(BAD_VALUE, 0x01, MESSAGE, "%f at byte %o has the illegal value %x")                                              \
    X(MISMATCH, 0x01, MESSAGE, "%f at byte %o is %x, %y expected")                                                     \
    X(DIFFERS, 0x01, MESSAGE, "%f at byte %o is not what it should repeat")                                            \
    X(NOT_ONE, 0x01, MESSAGE, "%f at byte %o selects more than one (%x)")                                              \
    X(NOT_OFFERED, 0x01, MESSAGE, "%f at byte %o selects %x, which was not offered (%y)")                              \
    X(BAD_ORDER, 0x01, MESSAGE, "%f at byte %o is %g, out of order after %l")                                          \
    X(BAD_FLAGS, 0x01, MESSAGE, "Flags at byte %o (%x) break the rule: %f")                                            \
    X(BAD_CODE, 0x07, MESSAGE, "the message has code %x, %y expected")                                                 \
    X(UNKNOWN_CODE, 0x07, MESSAGE, "there is no request with code %x in this version")                                 \
    X(BAD_VERSION, 0x41, MESSAGE, "SPDMVersion is %x, %y expected")                                                    \
    X(NOT_NOW, 0x04, MESSAGE, "the message is not allowed in this state")                                              \
    X(UNSUPPORTED, 0x07, MESSAGE, "%f is not among the capabilities")                                                  \
    X(BUSY, 0x03, MESSAGE, "another request is still being answered")                                                  \
    X(NO_SELECTION, 0x43, MESSAGE, "the request needs %f, and nothing in common was negotiated")                       \
    X(RESYNCH, 0x43, MESSAGE, "the device changed, the requester must start over with GET_VERSION")                    \
    X(BAD_SLOT, 0x01, MESSAGE, "%f at byte %o names slot %g, which does not exist or is empty")                        \
    X(NO_INDEX, 0x01, MESSAGE, "there is no measurement with index %g")                                                \
    X(BAD_TOKEN, 0x01, MESSAGE, "%f at byte %o is %g, the deferred request has %l")                                    \
    X(TOO_BIG_FOR_PEER, 0x0d, MESSAGE, "the answer has %g bytes, the peer takes %l")                                   \
    X(REQUEST_TOO_LARGE, 0x0e, MESSAGE, "the request has %g bytes, at most %l are taken")                              \
    X(ALL_LENT, 0x03, MESSAGE, "no room is left now for a message of %g bytes")                                        \
    X(TRANSFER_LOST, 0x00, MESSAGE, "a transfer in chunks was not continued")                                          \
    X(DATA_TOO_LARGE, 0x12, MESSAGE, "%f has %g bytes, the short form carries %l")                                     \
    X(SESSION_REQUIRED, 0x0b, MESSAGE, "the request is legal only inside a session")                                   \
    X(SESSION_LIMIT, 0x0a, MESSAGE, "no more sessions: %l are in use")                                                 \
    X(BAD_RECORD, 0x06, SESSION, "a secured record did not open")                                                      \
    X(OTHER_MODE, 0x04, SESSION, "the session was not opened by the exchange that this message finishes")              \
    X(BAD_VERIFY_DATA, 0x06, SESSION, "%f is not the HMAC of the transcript")                                          \
    X(BAD_PSK_FINISH, 0x01, SESSION, "%f is not the HMAC of the transcript")                                           \
    X(NO_SESSION, 0x00, MESSAGE, "there is no session with id %x")                                                     \
    X(SESSION_ENDED, 0x00, SESSION, "the session was ended")                                                           \
    X(SESSION_EXPIRED, 0x00, SESSION, "nothing came in the session for twice the heartbeat period")                    \
    X(HANDSHAKE_EXPIRED, 0x00, SESSION, "the handshake of the session was not finished in time")                       \
    X(SPENT, 0x00, SESSION, "the keys of the session have protected as many records as they may")                      \
    X(IN_FLIGHT, 0x08, MESSAGE, "an encapsulated request is being answered")                                           \
    X(NO_PENDING, 0x45, MESSAGE, "there is no encapsulated request")                                                   \
    X(BAD_ENCAPSULATED, 0x09, MESSAGE, "the encapsulated response is not acceptable")                                  \
    X(INVALID_POLICY, 0x11, MESSAGE, "policy demands %f")                                                              \
    X(BAD_DIGEST, 0x01, MESSAGE, "%f at byte %o is not the digest of what it stands for")                              \
    X(BAD_CHAIN, 0x01, MESSAGE, "the certificate chain is malformed: %f is %g, %l expected")                           \
    X(NO_ROOM, 0x05, MESSAGE, "%f needs %g bytes, the buffer holds %l")                                                \
    X(RANDOM_FAILED, 0x05, MESSAGE, "the random number generator failed")                                              \
    X(CRYPTO_FAILED, 0x05, MESSAGE, "the crypto library failed at %f")                                                 \
    X(SIGN_FAILED, 0x05, MESSAGE, "the caller could not sign")                                                         \
    X(ANSWER_REFUSED, 0x05, MESSAGE, "the caller could not answer: %f")                                                \
    X(OPERATION_FAILED, 0x44, MESSAGE, "%f does not allow it")                                                         \
    X(INVALID_STATE, 0x47, MESSAGE, "%f is in the way")                                                                \
    X(RESET_REQUIRED, 0x0c, MESSAGE, "slots %x wait for a reset")                                                      \
    X(DECLINED, 0x05, MESSAGE, "the caller answered with ERROR %e")                                                    \
    X(NOT_A_FRAME, 0x00, MESSAGE, "the bytes are no frame of this binding")                                            \
    X(BAD_SIGNATURE, 0x00, CONNECTION, "%f does not verify over the transcript")                                       \
    X(NOT_TRUSTED, 0x00, CONNECTION, "the certificate chain of slot %g was refused")                                   \
    X(NO_VERSION, 0x00, CONNECTION, "no SPDM version in common")                                                       \
    X(CANNOT, 0x00, CONNECTION, "the goal needs %f, which the peer does not offer")                                    \
    X(NO_SLOT, 0x00, CONNECTION, "no acceptable certificate slot is left (provisioned %x)")                            \
    X(INCOMPLETE, 0x00, CONNECTION, "%g of the measurements that the peer announced could not be read")                \
    X(PEER_ERROR, 0x00, CONNECTION, "the peer answered ERROR %e (%x)")                                                 \
    X(TIMEOUT, 0x00, CONNECTION, "no answer after %g tries, %l us each")                                               \
    X(GAVE_UP, 0x00, CONNECTION, "the peer kept answering %e, given up after %l tries")                                \
    X(LIMIT, 0x00, CONNECTION, "%f reached its limit of %l")

#define SPDM_WHY_ENUM(name, error, harm, words) SPDM_WHY_##name,
enum spdm_why { SPDM_WHYS(SPDM_WHY_ENUM) SPDM_WHY_N };
#undef SPDM_WHY_ENUM

struct spdm_report {
    uint8_t why;       /* enum spdm_why */
    uint8_t code;      /* RequestResponseCode of the message at hand, 0 if none */
    uint8_t error;     /* ErrorCode sent to, or received from, the peer; 0 if none */
    uint8_t version;   /* SPDM version in force, 0 if none yet */
    uint32_t offset;   /* byte offset of the field in the SPDM message */
    const char *field; /* the specification's name, then a space and the rule id if one applies; may be NULL */
    uint32_t got, limit;
};

/* Writes the sentence (always terminated when cap > 0) and returns its full length without the end. */
size_t spdm_report_text(const struct spdm_report *report, char *out, size_t cap);

/* "BAD_SIGNATURE" for SPDM_WHY_BAD_SIGNATURE. */
const char *spdm_why_name(uint8_t why);
/* "InvalidRequest" for 0x01; "reserved" for codes without a name. */
const char *spdm_error_name(uint8_t error);
/* "CHALLENGE_AUTH" for 0x03; "unknown" for codes without a name. */
const char *spdm_message_name(uint8_t code);
#endif
