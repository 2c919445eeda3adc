#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Misbehaviour in chunks: of the messages that carry them, and of the large message that they carry; the honest other
# side says what is wrong.
. tests/support/respond.sh
. tests/support/tamper.sh

run 0 "$SPDM" keys --quiet --algorithm ecdsa-p256 --out "$dir/w"
description=chunks.cfg
cat >"$dir/w/$description" <<EOF
slots = ( { chain = "chain.der"; key = "leaf.key"; } );
measurements = ( { text = "firmware"; }, { index = 2; hex = "$(printf '%0160d' 7)"; form = "raw"; } );
sizes: { data_transfer_size = 42; send_size = 100; max_message_size = 4000; };
EOF
# The requester takes 64 bytes at once, and asks for what is longer; the device takes 42
small="--data-transfer-size 64 --raw"

# shellcheck disable=SC2086 # two options
{
    # ---- the device: what carries chunks ----
    device wrong-chunk 4 "CHUNK_SEND_ACK: ChunkSeqNo is 0x1, 0x0 expected (R-CHK-10)" $small
    device CHUNK_RESPONSE.ChunkSeqNo=0100 4 "ChunkSeqNo is 0x1, 0x0 expected (R-CHK-10)" $small
    device CHUNK_RESPONSE.ChunkSeqNo=05 4 "ChunkSeqNo is 0x5, 0x0 expected (R-CHK-10)" $small --version 1.2
    device CHUNK_RESPONSE.ChunkSeqNo=05 4 "ChunkSeqNo is 0x5, 0x0 expected (R-CHK-10)" $small --session
    device wrong-handle 4 "CHUNK_SEND_ACK: Handle is 0x0, 0x1 expected (R-CHK-10)" $small
    device CHUNK_RESPONSE.Handle=77 4 "CHUNK_RESPONSE: Handle is 0x77, 0x1 expected (R-CHK-10)" $small
    device wrong-large-size 4 "CHUNK_RESPONSE: LastChunk has the illegal value 0x1 (R-CHK-13)" $small
    device CHUNK_RESPONSE.LargeMessageSize=00000000 4 "LargeMessageSize is 0, at least" $small
    device CHUNK_RESPONSE.LargeMessageSize=ffffff7f 4 "LargeMessageSize is 2147483647, at most" $small
    device early-last-chunk 4 "CHUNK_RESPONSE: LastChunk has the illegal value 0x1 (R-CHK-13)" $small
    device no-last-chunk 4 "CHUNK_RESPONSE: LastChunk has the illegal value 0x0 (R-CHK-13)" $small
    device CHUNK_SEND_ACK.Param1=01 4 "EarlyErrorDetected has the illegal value" $small
    device CHUNK_RESPONSE.ChunkSize 4 "SPDMchunk at byte 16 needs 49 bytes, 48 are left" $small
    device cut=CHUNK_RESPONSE 4 "SPDMchunk at byte 16 needs 48 bytes, 47 are left" $small
    device skip=CHUNK_RESPONSE 3 "waiting for the answer to CHUNK_GET" $small
    device replay=CHUNK_RESPONSE 4 "CHUNK_RESPONSE: ChunkSeqNo is 0x0, 0x1 expected (R-CHK-10)" $small
    device reorder=CHUNK_RESPONSE 4 "CHUNK_RESPONSE: the peer answered ERROR LargeResponse" $small
    device replay=CERTIFICATE 4 "CERTIFICATE: RemainderLength is" $small
    device extra=CHUNK_RESPONSE 0 "Verdict: trusted" $small # padding

    # ---- the device: what the chunks carry ----
    device flip-signature 1 "MEASUREMENTS: Signature does not verify" $small
    device MEASUREMENTS.Signature 1 "MEASUREMENTS: Signature does not verify" $small --session
    device MEASUREMENTS.Nonce 1 "MEASUREMENTS: Signature does not verify" $small --version 1.2
    device MEASUREMENTS.NumberOfBlocks=09 4 "MEASUREMENTS: NumberOfBlocks at byte 4 is 9, 2 expected" $small
    device MEASUREMENTS.SPDMVersion=12 4 "MEASUREMENTS: SPDMVersion is 0x12, 0x14 expected" $small
    device MEASUREMENTS.RequestResponseCode=61 4 "MEASUREMENTS: the message has code 0x61, 0x60 expected" $small
    device CHALLENGE_AUTH.CertChainHash 1 "CHALLENGE_AUTH: " $small --challenge
    device KEY_EXCHANGE_RSP.Signature 1 "KEY_EXCHANGE_RSP: Signature does not verify" $small --session
    device "CHUNK_*.SPDMchunk" 4 "SPDMVersion is 0x15, 0x14 expected" $small

    # ---- the requester ----
    requester wrong-chunk 4 "refused CHUNK_SEND: ChunkSeqNo is 0x1, 0x0 expected (R-CHK-08)" $small
    requester CHUNK_SEND.Handle=33 4 "0 signatures" $small
    requester wrong-large-size 4 "refused CHUNK_SEND: ChunkSize is 19, at most 18 allowed (R-CHK-13)" $small
    requester CHUNK_SEND.LargeMessageSize=ffff0000 4 "the request has 65535 bytes, at most 4000 are taken" $small
    requester CHUNK_SEND.LargeMessageSize=20000000 4 "LargeMessageSize is 32, at least 43 required (R-CHK-11)" $small
    requester early-last-chunk 4 "refused CHUNK_SEND: LastChunk has the illegal value 0x1 (R-CHK-13)" $small
    requester no-last-chunk 4 "refused CHUNK_SEND: LastChunk has the illegal value 0x0 (R-CHK-13)" $small
    requester cut=CHUNK_SEND 4 "refused CHUNK_SEND: SPDMchunk at byte 16 needs 26 bytes, 25 are left" $small
    requester CHUNK_GET.Handle 4 "refused CHUNK_GET: Handle is 0x0, 0x1 expected (R-CHK-21)" $small
    requester CHUNK_GET.ChunkSeqNo 4 "refused CHUNK_GET: ChunkSeqNo is 0x1, 0x0 expected (R-CHK-21)" $small
    requester skip=CHUNK_SEND 3 "0 signatures" $small
    requester replay=CHUNK_SEND 4 "0 refused" $small
    requester reorder=CHUNK_GET 4 "0 refused" $small
    requester GET_MEASUREMENTS.SlotIDParam=05 4 "SlotIDParam names slot 5, which does not exist" $small
    requester GET_MEASUREMENTS.RequestResponseCode=85 4 "RequestResponseCode has the illegal value 0x85 (R-CHK-26)" $small
    requester GET_MEASUREMENTS.Nonce 1 "1 signatures" $small
    requester KEY_EXCHANGE.SlotID=07 4 "SlotID names slot 7" $small --session
    requester FINISH.RequesterVerifyData 4 "is not the HMAC of the transcript" $small --session
}
finish
