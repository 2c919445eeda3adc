#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# `spdm decode` names the mistake behind a signature that does not verify, and reads a chain of more than 64 KiB;
# tests/support/mistakes.py makes them.
. tests/support/respond.sh

for name in good other; do
    make_chain $name RSA -pkeyopt rsa_keygen_bits:3072
    printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n' >"$dir/ext"
    openssl x509 -req -in "$dir/$name.csr" -CA "$dir/$name-root.pem" -CAkey "$dir/$name-root.key" -CAcreateserial \
        -days 365 -extfile "$dir/ext" -out "$dir/$name-leaf.pem" 2>"$dir/openssl.log"
    cat "$dir/$name-root.pem" "$dir/$name-leaf.pem" >"$dir/$name.pem"
done
# a leaf for the same key, with an extension of 80 kB that nobody knows
{
    cat "$dir/ext"
    printf '1.3.6.1.4.1.412.274.999=DER:'
    head -c 80000 /dev/zero | od -An -v -tx1 | tr -d ' \n'
} >"$dir/long.ext"
openssl x509 -req -in "$dir/good.csr" -CA "$dir/good-root.pem" -CAkey "$dir/good-root.key" -CAcreateserial -days 365 \
    -extfile "$dir/long.ext" -outform DER -out "$dir/long.der" 2>"$dir/openssl.log" || bad "$(cat "$dir/openssl.log")"
openssl x509 -in "$dir/good-root.pem" -outform DER -out "$dir/good-root.der"
cat >"$dir/device.cfg" <<'CFG'
slots = ( { chain = "good.pem"; key = "good.key"; }, { slot = 2; chain = "other.pem"; key = "other.key"; } );
measurements = ( { index = 1; text = "one"; }, { index = 2; text = "two"; } );
algorithms: { hashes = ["SHA_384"]; signatures = ["RSAPSS_3072"]; };
CFG
start -q -l tcp://127.0.0.1:0 "$dir/device.cfg"
to=tcp://127.0.0.1:$(cat "$dir/ports")
# captured VERSION OPTION...: as JSON; slot 2 is read, too, so that its key is known
captured() {
    name=$1
    shift
    rm -f "$dir/cap"
    run 0 "$SPDM" attest -q --trust "$dir/good-root.pem" --trust "$dir/other-root.pem" --pcap "$dir/cap" --slot 0 "$@" "$to"
    "$SPDM" decode -j -x "$dir/cap" >"$dir/$name.json" || bad "decode of $name"
}
for v in 1.1 1.2 1.3 1.4; do
    captured $v --version $v --challenge --measurements each
done
captured session --version 1.3 --session --measurements none
python3 tests/support/mistakes.py "$SPDM" "$dir" 1.1 1.2 1.3 || bad "see above"
finish
