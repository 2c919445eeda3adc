#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# `spdm info`: everything a device says of itself, what it refuses, and how it ends.
. tests/support/respond.sh

run 0 "$SPDM" keys -q -o "$dir/w"
run 0 "$SPDM" keys -q -o "$dir/o"
trust="$dir/w/root.pem"
# A plain device
cat >"$dir/w/device.cfg" <<EOF
slots = ( { chain = "chain.der"; key = "leaf.key"; }, { slot = 3; chain = "../o/chain.der"; key = "../o/leaf.key"; } );
measurements = ( { index = 1; type = "firmware"; text = "boot\x1b[31m"; }, { index = 2; type = "svn"; number = 7; } );
EOF
start -l tcp://127.0.0.1:0 -l emu+mctp://127.0.0.1:0 "$dir/w/device.cfg"
tcp=tcp://127.0.0.1:$(sed -n 1p "$dir/ports")
mctp=emu+mctp://127.0.0.1:$(sed -n 2p "$dir/ports")
for target in "$tcp" "$mctp"; do
    run 0 "$SPDM" info "$target"
    says "$dir/out" "SPDM version      1.4" "CHAL_CAP        proves on demand that it holds their key" "in use    0, 3" \
        "slot 0    1" "slot 3    1" "CN=Assay test device; EC P-384" "every signature in it holds" "firmware security version  raw  7" \
        "the device's word"
    silent "Key pairs"
    silent "Events"
    silent "none of the"
    ! grep -q "$(printf "\033")" "$dir/out" || bad "an escape sequence of the device is in the output"
done
for version in 1.0 1.1 1.2 1.3; do
    run 0 "$SPDM" info --version $version "$tcp"
    says "$dir/out" "SPDM version      $version" "slot 3    1"
done
run 0 "$SPDM" info --slot 3 "$tcp"
silent "slot 0    1"
run 0 "$SPDM" info --trust "$trust" "$tcp"
says "$dir/out" "a trusted root vouches for it" "the root, CN=Assay test root, is none of the 1 trust anchors"
run 0 "$SPDM" info --json "$tcp"
member .format assay-info/1
member .exit_code 0
member '.chains.provisioned' '[0,3]'
member '[.chains.slots[].slot]' '[0,3]'
member '.chains.slots[1].certificates | length' 3
member '.chains.slots[0].consistent' true
member '.measurements[1].words' 7
member '.key_pairs' null
member '.refused' '{}'
chain=$(jq -r '.chains.slots[0].chain' "$dir/out")
case $chain in
*$(od -An -v -tx1 "$dir/w/chain.der" | tr -d ' \n')) ;;
*) bad "the chain is not what the device was given" ;;
esac

# In a session: it has to be trusted
run 0 "$SPDM" info --session --trust "$trust" --trust "$dir/o/root.pem" "$tcp"
says "$dir/out" "AEAD              AES_256_GCM" "firmware security version  raw  7" "slot 3    1"
says "$dir/log" "opened by SECP384R1" "the session was ended"
run 1 "$SPDM" info --session "$tcp"
says "$dir/err" "there are no trust anchors"
says "$dir/out" "slot 3    1"
silent "firmware security version  raw  7"
run 2 "$SPDM" info --psk x "$tcp"
says "$dir/err" "--psk opens a session: give --session"
run 2 "$SPDM" info
run 2 "$SPDM" info --no-such-thing "$tcp"
run 2 "$SPDM" info tpc://127.0.0.1
run 2 "$SPDM" info --trust /nowhere "$tcp"
[ ! -e /dev/full ] || {
    "$SPDM" info "$tcp" >/dev/full 2>"$dir/err" && bad "nothing could be written, and that was fine"
    says "$dir/err" "cannot write the output"
}
kill "$responder"
ended 0
run 3 "$SPDM" info "$tcp"
says "$dir/err" "connect"

# A device with everything else
driver "$dir/w/device.cfg" key-pairs=1 mel=1 events=1 \
    caps=+GET_KEY_PAIR_INFO_CAP,SET_KEY_PAIR_INFO_CAP,MEL_CAP,EP_INFO_CAP_SIG,EVENT_CAP,ENCAP_CAP,MULTI_KEY_CAP_NEG
run 0 "$SPDM" info "$mctp"
says "$dir/out" "1  RSA 2048   slots 0, 1  key exchange" \
    "2  ECC P-384  slots 0, 3  key exchange, challenge, measurements, endpoint information" \
    "1 to 2  can be changed  generate, erase, slots, usage, algorithm, several slots" "1 entry, 31 bytes" "extends 3" '"boot"' \
    "Device classes" "DMTF" "123456" "told inside a session only"
run 0 "$SPDM" info --multi-key "$mctp"
says "$dir/out" "keys              one for each slot" "device certificate" "for key exchange, challenge"
run 0 "$SPDM" info --session --trust "$trust" --trust "$dir/o/root.pem" --json "$mctp"
member '[.key_pairs[].id]' '[1,2]'
member '.key_pairs[1].algorithm' 'ECC P-384'
member '.key_pairs[0].usage' '["key exchange"]'
member '.log.entries[0].words' '"boot"'
member '.endpoint[0].body' DMTF
member '.endpoint[0].identifiers' '["123456"]'
member '.events[0].types' '[1,2,3,4]'
run 0 "$SPDM" info --session --trust "$trust" "$mctp"
says "$dir/out" "2  measurements changed" "4  certificates changed"
stop

# Endpoint information, signed where the device can: by the key of the slot, whoever that is, or a key that is known
cat >"$dir/w/signs.cfg" <<EOF
slots = ( { chain = "chain.der"; key_pair = 1; }, { slot = 3; chain = "../o/chain.der"; key_pair = 2; } );
key_pairs = ( { key = "leaf.key"; slots = [0]; },
              { key = "../o/leaf.key"; slots = [3]; usage = ["key-exchange", "endpoint-info"]; } );
capabilities = ["CERT", "MEAS_SIG", "KEY_EX", "MAC", "ENCRYPT", "EP_INFO_SIG", "MULTI_KEY_NEG", "GET_KEY_PAIR_INFO"];
measurements = ( { text = "firmware"; } );
endpoint: { classes = ( { body = "PCI-SIG"; vendor = "8680"; ids = ["0102"]; } ); };
EOF
start -l tcp://127.0.0.1:0 -l emu+doe://127.0.0.1:0 "$dir/w/signs.cfg"
tcp=tcp://127.0.0.1:$(sed -n 1p "$dir/ports")
doe=emu+doe://127.0.0.1:$(sed -n 2p "$dir/ports")
signature() { # SLOT OPTION...: on both transports; nothing is negotiated twice
    slot=$1
    shift
    for target in "$tcp" "$doe"; do
        run 0 "$SPDM" info --trace "$@" "$target"
        says "$dir/out" "PCI-SIG 8680" 0102 "signature  by the key of slot $slot; it verifies"
        [ "$(grep -c "SPDM 1.[0-9] GET_VERSION," "$dir/err")" -eq 1 ] || bad "the connection was made anew"
        run 0 "$SPDM" info --json "$@" "$target"
        member .endpoint_signature "{\"verified\":true,\"slot\":$slot,\"refusal\":null}"
        member '.endpoint[0].vendor' 8680
    done
}
signature 0
signature 0 --version 1.3
signature 3 --slot 3
signature 3 --multi-key
signature 0 --session --trust "$trust"
signature 3 --session --trust "$trust" --trust "$dir/o/root.pem" --multi-key --slot 0,3
run 0 "$SPDM" info --slot 1 "$tcp"
says "$dir/out" "PCI-SIG 8680" "signature  none: no acceptable certificate slot is left"
run 0 "$SPDM" info --multi-key --slot 0 --json "$tcp"
member .endpoint_signature '{"verified":false,"slot":null,"refusal":"no slot has a key for it"}'
member '.endpoint[0].identifiers' '["0102"]'
kill "$responder"
ended 0
for what in flip-signature ENDPOINT_INFO.Nonce ENDPOINT_INFO.EPInfo ENDPOINT_INFO.SlotID; do
    start -l tcp://127.0.0.1:0 --tamper "$what" "$dir/w/signs.cfg"
    run 4 "$SPDM" info "tcp://127.0.0.1:$(cat "$dir/ports")"
    says "$dir/out" "ENDPOINT_INFO: "
    silent "it verifies"
    kill "$responder"
    ended 0
done
cat >"$dir/w/known.cfg" <<EOF
public_key: { file = "leaf.pub"; key = "leaf.key"; };
capabilities = ["MEAS_SIG", "KEY_EX", "MAC", "ENCRYPT", "EP_INFO_SIG", "PUB_KEY_ID"];
measurements = ( { text = "firmware"; } );
endpoint: { classes = ( { body = "PCI-SIG"; vendor = "8680"; ids = ["0102"]; } ); };
EOF
start -l tcp://127.0.0.1:0 "$dir/w/known.cfg"
tcp=tcp://127.0.0.1:$(cat "$dir/ports")
for session in "" --session; do
    # shellcheck disable=SC2086 # none or one
    run 0 "$SPDM" info $session --public-key "$dir/w/leaf.pub" "$tcp"
    says "$dir/out" "signature  by the provisioned key; it verifies"
done
run 0 "$SPDM" info --public-key "$dir/w/leaf.pub" --json "$tcp"
member .endpoint_signature '{"verified":true,"slot":null,"refusal":null}'
run 0 "$SPDM" info "$tcp"
says "$dir/out" "signature  none: the device's key has to be given (--public-key)"
run 4 "$SPDM" info --public-key "$dir/o/leaf.pub" "$tcp"
says "$dir/out" "Signature does not verify over the transcript"
kill "$responder"
ended 0

# --timeout is for all of it, as for `spdm attest`: no answer takes that long, all of them together do
start -l tcp://127.0.0.1:0 --tamper delay=250ms "$dir/w/device.cfg"
tcp=tcp://127.0.0.1:$(cat "$dir/ports")
for session in "" --session; do
    began=$(date +%s%N)
    # shellcheck disable=SC2086 # none or one
    run 3 "$SPDM" info $session --trust "$trust" --timeout 1100ms "$tcp"
    took=$((($(date +%s%N) - began) / 1000000))
    { [ $took -ge 1000 ] && [ $took -lt 3000 ]; } || bad "it took $took ms"
    cat "$dir/out" "$dir/err" >"$dir/both"
    says "$dir/both" "not finished after 1.100 s, waiting for the answer to "
done
run 3 "$SPDM" info --timeout 600ms --json "$tcp"
says "$dir/err" "not finished after 0.600 s, waiting for the answer to "
run 0 "$SPDM" info --timeout 20s "$tcp"
kill "$responder"
ended 0

# What it refuses is said, and the rest is asked for all the same
driver "$dir/w/device.cfg" errand-error=5 mel=1 caps=+MEL_CAP,EP_INFO_CAP_NO_SIG
run 0 "$SPDM" info "$mctp"
says "$dir/out" "MEASUREMENT_EXTENSION_LOG: the peer answered ERROR Unspecified" \
    "ENDPOINT_INFO: the peer answered ERROR Unspecified" "slot 3    1"
run 0 "$SPDM" info --json "$mctp"
member '.refused | keys' '["endpoint","log"]'
stop
finish
