#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# `spdm vendor`: a vendor's own requests, with every standards body, in both forms, in and outside of sessions; what the
# device refuses; a device that is gone.
. tests/support/respond.sh

run 0 "$SPDM" keys -q -o "$dir/w"
trust="$dir/w/root.pem"
{
    cat <<EOF
slots = ( { chain = "chain.der"; key = "leaf.key"; } );
capabilities = ["CERT", "CHAL", "MEAS_SIG", "KEY_EX", "MAC", "ENCRYPT", "CHUNK", "LARGE_RESP"];
measurements = ( { text = "firmware"; } );
sizes: { data_transfer_size = 4096; max_message_size = 200000; };
vendor_defined = (
    { body = "PCI-SIG"; vendor = "8680"; request = "01"; answer = "cafe"; },
    { body = "PCI-SIG"; vendor = "8680"; request = "02"; answer = "1b5b33316d"; },
    { body = "PCI-SIG"; vendor = "8680"; request = ""; answer = ""; },
    { body = "JEDEC"; vendor = "0102"; request = "4c41524745"; answer = "beef"; }
EOF
    for body in DMTF TCG:0001 USB-IF:0002 IANA:00000004 HDBaseT:00000005 MIPI:0006 CXL:0007 VESA IANA-CBOR:d90103 \
        DMTF-DSP:000b; do
        name=${body%%:*}
        case $body in *:*) vendor=${body#*:} ;; *) vendor= ;; esac
        echo "    , { body = \"$name\"; vendor = \"$vendor\"; request = \"68\"; answer = \"$(printf %s "$name" | od -An -v -tx1 | tr -d ' \n')\"; }"
    done
    echo ");"
} >"$dir/w/device.cfg"
start -l tcp://127.0.0.1:0 -l emu+doe://127.0.0.1:0 "$dir/w/device.cfg"
tcp=tcp://127.0.0.1:$(sed -n 1p "$dir/ports")
doe=emu+doe://127.0.0.1:$(sed -n 2p "$dir/ports")
vendor() { # EXPECTED_EXIT OPTION...
    code=$1
    shift
    run "$code" "$SPDM" vendor "$@"
}
printed() { # LINE...
    printf '%s\n' "$@" | cmp -s - "$dir/out" || bad "not printed: $* but $(cat "$dir/out")"
}

# Every standards body; by number, too; at every version
for target in "$tcp" "$doe"; do
    for body in DMTF TCG:0001 USB-IF:0002 IANA:00000004 HDBaseT:00000005 MIPI:0006 CXL:0007 VESA IANA-CBOR:d90103 \
        DMTF-DSP:000b; do
        vendor 0 "$target" "$body" 6865
        says "$dir/out" "\"${body%%:*}\""
    done
done
for version in 1.0 1.1 1.2 1.3 1.4; do vendor 0 --version $version "$tcp" 7:0007 68 && printed '43584c  "CXL"'; done

# Several requests on one connection, an empty one, bytes that no terminal shall obey
vendor 0 --trace "$tcp" PCI-SIG:8680 0102 "01:ff" 03 02 ""
printed cafe cafe "(empty)" 1b5b33316d "(empty)"
[ "$(grep -c "GET_VERSION," "$dir/err")" -eq 1 ] || bad "not one connection"
vendor 0 "$tcp" pci-sig:8680
printed "(empty)"
vendor 0 "$tcp" DMTF 68 --json
member .format assay-vendor/1
member '[.body,.vendor,.answers[0].data,.answers[0].text,.error,.exit_code]' '["DMTF","","444d5446","DMTF",null,0]'
printf h >"$dir/request"
vendor 0 "$tcp" DMTF "@$dir/request" "@$dir/request" --out "$dir/answers"
[ "$(cat "$dir/answers")" = DMTFDMTF ] || bad "the answers are not in the file"
vendor 0 "$tcp" DMTF 68 --out -
[ "$(cat "$dir/out")" = DMTF ] || bad "the answer is not on standard output"

# The large form, in chunks, of 1.4; in front of the device nobody has it
{
    printf LARGE
    head -c 100000 /dev/zero
} >"$dir/large"
vendor 0 --trace "$tcp" JEDEC:0102 "@$dir/large"
printed beef
says "$dir/err" CHUNK_SEND
vendor 4 --version 1.3 "$tcp" JEDEC:0102 "@$dir/large"
says "$dir/err" "takes no requests of more than 65535 bytes"
head -c 65535 "$dir/large" >"$dir/short"
vendor 0 --version 1.3 "$tcp" JEDEC:0102 "@$dir/short"
printed beef

# In a session with a device that is trusted
vendor 0 --session --trust "$trust" "$tcp" VESA 68
printed '56455341  "VESA"'
says "$dir/log" "opened by SECP384R1" "the session was ended"
vendor 1 --session "$tcp" VESA 68
says "$dir/err" "there are no trust anchors"
[ ! -s "$dir/out" ] || bad "a device that is not trusted was asked"

# What it does not know: what came before is not lost
vendor 4 "$tcp" DMTF 68 00 68
printed '444d5446  "DMTF"'
says "$dir/err" "ERROR UnsupportedRequest"
vendor 4 "$tcp" TCG:ffff 68 --json
member '[(.answers | length), .exit_code]' '[0,4]'
member '.error | contains("UnsupportedRequest")' true

# Nothing of this is sent
lines=$(wc -l <"$dir/log")
for wrong in "" "DMTF 6" "DMTF 0x68" "DMTF:01 68" "TCG 68" "TCG:01 68" "IANA-CBOR 68" "IANA-CBOR:01020304 68" "ACME 68" "12 68" \
    "DMTF @/nowhere" "DMTF @$dir" "DMTF 68 --out /nowhere/x" "DMTF 68 --out - --json" "DMTF 68 --psk x" "DMTF 68 --otu x"; do
    # shellcheck disable=SC2086 # words
    vendor 2 "$tcp" $wrong
    [ -s "$dir/err" ] || bad "$wrong: no reason"
done
vendor 2 tpc://127.0.0.1 DMTF 68
[ "$(wc -l <"$dir/log")" -eq "$lines" ] || bad "the device was asked all the same"
[ ! -e /dev/full ] || {
    "$SPDM" vendor "$tcp" DMTF 68 >/dev/full 2>"$dir/err" && bad "nothing could be written, and that was fine"
    says "$dir/err" "cannot write the output"
    vendor 2 "$tcp" DMTF 68 --out /dev/full
}
kill "$responder"
ended 0

# An answer of somebody else, one that is cut; a device that is gone
for tamper in VENDOR_DEFINED_RESPONSE.StandardID cut=VENDOR_DEFINED_RESPONSE; do
    start -l tcp://127.0.0.1:0 --tamper $tamper "$dir/w/device.cfg"
    vendor 4 "tcp://127.0.0.1:$(cat "$dir/ports")" DMTF 68
    says "$dir/err" VENDOR_DEFINED_RESPONSE
    [ ! -s "$dir/out" ] || bad "$tamper: it was printed all the same"
    kill "$responder"
    ended 0
done
vendor 3 "$tcp" DMTF 68
says "$dir/err" "connection refused"
start -l tcp://127.0.0.1:0 --tamper skip=VENDOR_DEFINED_RESPONSE "$dir/w/device.cfg"
vendor 3 --timeout 1s "tcp://127.0.0.1:$(cat "$dir/ports")" DMTF 68
says "$dir/err" "not finished after 1.000 s, waiting for the answer to VENDOR_DEFINED_REQUEST"
kill "$responder"
ended 0
finish
