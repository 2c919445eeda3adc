#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Each check fires: a device, then a requester, misbehaves by name, and the honest other side says what is wrong.
. tests/support/respond.sh
. tests/support/tamper.sh

run 0 "$SPDM" keys --quiet --algorithm ecdsa-p256 --out "$dir/w"

# ---- the device ----

device flip-signature 1 "CHALLENGE_AUTH: Signature does not verify over the transcript" --challenge
device flip-signature 1 "MEASUREMENTS: Signature does not verify over the transcript"
device flip-signature 1 "KEY_EXCHANGE_RSP: Signature does not verify over the transcript" --session
device MEASUREMENTS.Signature 1 "MEASUREMENTS: Signature does not verify over the transcript" --session
device flip-digest 1 "CertChain is not the digest of what it stands for"
device flip-chain 1 "the certificate chain is malformed: Length is"
device bad-chain-length 1 "the certificate chain is malformed: Length is"
device CERTIFICATE.RemainderLength=ffff 4 "RemainderLength is"
device wrong-slot 4 "SlotID is 0x1, 0x0 expected"
device wrong-nonce 1 "CHALLENGE_AUTH: Signature does not verify" --challenge
device MEASUREMENTS.Nonce 1 "MEASUREMENTS: Signature does not verify" --session
device wrong-context 4 "RequesterContext is not what it should repeat" --challenge
device wrong-measurement 4 "MEASUREMENTS: Index at byte 8 has the illegal value 0x0"
device MEASUREMENTS.NumberOfBlocks=09 4 "NumberOfBlocks at byte 4 is 9, 2 expected"
device CHALLENGE_AUTH.CertChainHash 1 "CHALLENGE_AUTH: " --challenge
device wrong-version 4 "VERSION: SPDMVersion is 0x11, 0x10 expected"
device DIGESTS.SPDMVersion=12 4 "DIGESTS: SPDMVersion is 0x12, 0x14 expected"
device END_SESSION_ACK.SPDMVersion=12 4 "END_SESSION_ACK: SPDMVersion is 0x12, 0x14 expected" --session
device wrong-code 4 "VERSION: the message has code 0x5, 0x4 expected"
device VERSION.VersionNumberEntry 1 "Signature does not verify over the transcript"
device CAPABILITIES.DataTransferSize=01000000 4 "DataTransferSize at byte 12 is 1, at least 42 required"
device CAPABILITIES.Flags=00000000 1 "Verdict: not trusted"
device ALGORITHMS.BaseAsymSel=02 1 "the public key is EC P-256, RSAPSS_2048 was negotiated"
device cut 4 "needs 10 bytes, 9 are left"
device cut=DIGESTS 4 "DIGESTS"
device skip=DIGESTS 3 "waiting for the answer to GET_DIGESTS"
device skip=FINISH_RSP 3 "waiting for the answer to FINISH" --session
device delay=50ms@DIGESTS 0 "Verdict: trusted"
device delay=1500ms@VERSION 3 "waiting for the answer to GET_VERSION"
device wrong-exchange 1 "KEY_EXCHANGE_RSP: Signature does not verify" --session
device wrong-verify-data 1 "ResponderVerifyData is not the HMAC of the transcript" --session
device KEY_EXCHANGE_RSP.MutAuthRequested 4 "MutAuthRequested has the illegal value 0x1" --session
device wrong-mac 4 "FINISH: a secured record did not open" --session
device replay 4 "GET_MEASUREMENTS: a secured record did not open" --session
device replay=END_SESSION_ACK 4 "END_SESSION: a secured record did not open" --session
device replay=MEASUREMENTS 4 "MEASUREMENTS: NumberOfBlocks is 0, 1 expected (R-MEA-17)" --measurements each
device reorder=DIGESTS 4 "DIGESTS: the message has code 0x63, 0x1 expected"
device reorder=MEASUREMENTS 4 "GET_MEASUREMENTS: a secured record did not open" --session
device "MEAS*.Signature" 1 "MEASUREMENTS: Signature does not verify"
device skip=END_SESSION_ACK 3 "waiting for the answer to END_SESSION" --session
device delay=1500ms@END_SESSION_ACK 3 "waiting for the answer to END_SESSION" --session
# bytes behind a message are padding to everybody
device extra 0 "Verdict: trusted"

# ---- the requester ----

requester wrong-version 4 "refused GET_VERSION: SPDMVersion is 0x11"
requester GET_DIGESTS.SPDMVersion=12 4 "SPDMVersion is 0x12, 0x14 expected"
requester GET_MEASUREMENTS.SPDMVersion=10 4 "SPDMVersion is 0x10, 0x14 expected" --session
requester wrong-code 4 "is not allowed in this state"
requester END_SESSION.RequestResponseCode=00 4 "there is no request with code 0x0" --session
requester cut 4 "MaxSPDMmsgSize at byte 16 needs 4 bytes, 3 are left"
requester GET_CERTIFICATE.SlotID=07 4 "SlotID names slot 7, which does not exist or is empty"
requester GET_CERTIFICATE.Offset=ffff 4 "Offset is 65535, at most"
requester CHALLENGE.SlotID=05 4 "SlotID names slot 5" --challenge
requester KEY_EXCHANGE.SlotID=07 4 "SlotID names slot 7" --session
requester GET_CAPABILITIES.DataTransferSize=01000000 4 "DataTransferSize at byte 12 is 1, at least 42 required"
requester NEGOTIATE_ALGORITHMS.Length 4 "Length is 33, 32 expected"
requester wrong-exchange 4 "ExchangeData has the illegal value" --session
requester FINISH.RequesterVerifyData 4 "is not the HMAC of the transcript" --session
requester wrong-mac 4 "a secured record did not open" --session
requester replay 4 "a secured record did not open" --session
requester CHALLENGE.Nonce 1 "1 signatures" --challenge
requester skip=GET_DIGESTS 3 "3 requests"
requester reorder=GET_DIGESTS 4 "4 requests, 0 refused"
requester replay=GET_MEASUREMENTS 4 "0 refused" --measurements each
requester extra 0 "0 refused"

# ---- what is no misbehaviour ----

run 0 "$SPDM" respond --tamper help
says "$dir/out" "flip-signature" "MESSAGE.FIELD=HEX" "reorder=MESSAGE" "no-last-chunk"
for wrong in sing DIGEST.Param1 skip delay=fast delay=1s@NOBODY replay=NOBODY reorder DIGESTS. flip-digest=1 VERSION.Param1=0 \
    "NOBODY_*.Param1" wrong-mac=DIGESTS early-last-chunk=1 $(printf "cut,%.0s" 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)cut; do
    run 2 "$SPDM" respond --tamper "$wrong" "$dir/w/device.cfg"
    says "$dir/err" "--tamper"
done
finish
