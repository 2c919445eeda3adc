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

# What it refuses is said, and the rest is asked for all the same
driver "$dir/w/device.cfg" errand-error=5 mel=1 caps=+MEL_CAP,EP_INFO_CAP_NO_SIG
run 0 "$SPDM" info "$mctp"
says "$dir/out" "MEASUREMENT_EXTENSION_LOG: the peer answered ERROR Unspecified" \
    "ENDPOINT_INFO: the peer answered ERROR Unspecified" "slot 3    1"
run 0 "$SPDM" info --json "$mctp"
member '.refused | keys' '["endpoint","log"]'
stop
finish
