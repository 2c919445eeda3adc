#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# spdm keys: what it makes is what openssl reads, the key fits the certificate, files are guarded, wrong options end
# with 2.
. tests/support/respond.sh

id=$dir/id

# The default: a device certificate, P-384
run 0 "$SPDM" keys --out "$id"
says "$dir/out" "device model, EC P-384, ECDSA_P384" "leaf  CN=Assay test device" "hardware identity, responder-auth" \
    "chain.der           3 certificates, root first" "spdm respond $id/device.cfg" "--trust $id/root.pem"
for file in root.pem root.der chain.der leaf.key leaf.pub device.cfg; do
    [ -s "$id/$file" ] || bad "$file was not written"
done
[ "$(stat -c %a "$id/leaf.key")" = 600 ] || bad "leaf.key can be read by others"
[ "$(stat -c %a "$id/root.pem")" = 644 ] || bad "root.pem cannot be read by others"

# openssl agrees: the key belongs to the public key, the chain verifies
openssl pkey -in "$id/leaf.key" -pubout -outform DER -out "$dir/pub" 2>"$dir/err" || bad "openssl cannot read leaf.key"
cmp -s "$dir/pub" "$id/leaf.pub" || bad "leaf.pub is not the public half of leaf.key"
split_chain() { # writes cert0.pem, cert1.pem, ... and sets $n
    rm -f "$dir"/cert*.pem
    at=1
    n=0
    size=$(stat -c %s "$1")
    while [ "$at" -le "$size" ]; do
        tail -c +$at "$1" >"$dir/rest"
        openssl x509 -inform DER -in "$dir/rest" -out "$dir/cert$n.pem" || return 1
        length=$(openssl x509 -in "$dir/cert$n.pem" -outform DER | wc -c)
        at=$((at + length))
        n=$((n + 1))
    done
}
split_chain "$id/chain.der" || bad "openssl cannot read chain.der"
[ "$n" = 3 ] || bad "chain.der holds $n certificates"
openssl verify -x509_strict -CAfile "$id/root.pem" -untrusted "$dir/cert1.pem" "$dir/cert2.pem" >"$dir/out" 2>&1 ||
    bad "openssl does not verify the chain: $(cat "$dir/out")"
openssl x509 -in "$dir/cert2.pem" -noout -text >"$dir/out"
says "$dir/out" "CA:FALSE" "Digital Signature" "1.3.6.1.4.1.412.274.3" "1.3.6.1.4.1.412.274.6" "Assay:test device:"

# Nothing is overwritten unasked, and then everything is
cp "$id/leaf.key" "$dir/before"
run 2 "$SPDM" keys --out "$id"
says "$dir/err" "holds root.pem, root.der, chain.der, leaf.key, leaf.pub, device.cfg already" "--force"
cmp -s "$id/leaf.key" "$dir/before" || bad "leaf.key was overwritten"
chmod 644 "$id/leaf.key"
run 0 "$SPDM" keys --out "$id" --force --quiet
[ ! -s "$dir/out" ] || bad "--quiet printed something"
cmp -s "$id/leaf.key" "$dir/before" && bad "--force did not make a new key"
[ "$(stat -c %a "$id/leaf.key")" = 600 ] || bad "leaf.key kept the mode it had"

# Models and names
run 0 "$SPDM" keys -o "$id" -f --model alias --intermediates 2 --subject "CN=widget, O=ACME" --device-info ACME:w:7 \
    --role both --days 30 --hash sha-512
says "$dir/out" "CA    CN=widget, O=ACME" "hardware identity, device info" "leaf  CN=Alias of the device" \
    "mutable, responder-auth, requester-auth" "ACME:w:7" "5 certificates"
split_chain "$id/chain.der"
openssl x509 -in "$dir/cert4.pem" -noout -text >"$dir/out"
says "$dir/out" "ecdsa-with-SHA512" "1.3.6.1.4.1.412.274.4" "Subject: CN = Alias of the device" "O = ACME, CN = widget"
run 0 "$SPDM" keys -o "$id" -f -m generic --device-info "" --intermediates 0
grep -q "device info" "$dir/out" && bad "a device info although none was wanted"

# Every algorithm this OpenSSL has
for algorithm in ecdsa-p256 ecdsa-p521 rsa-2048 RSAPSS_2048 ed25519 ed448 sm2 ml-dsa-44 slh-dsa-sha2-128f; do
    if "$SPDM" keys -o "$id" -fqa $algorithm 2>"$dir/err"; then
        [ -s "$id/leaf.key" ] || bad "$algorithm: no key"
    else
        says "$dir/err" "this OpenSSL has no"
        case $algorithm in ml-dsa* | slh-dsa*) ;; *) bad "$algorithm cannot be made" ;; esac
    fi
done

# What is made is served and trusted
run 0 "$SPDM" keys -o "$id" -fqa ecdsa-p256
"$SPDM" respond --quiet --once --listen emu+mctp://127.0.0.1:0 --port-file "$dir/port" "$id/device.cfg" &
for _ in $(seq 100); do
    [ -s "$dir/port" ] && break
    sleep 0.05
done
run 0 "$SPDM" attest --trust "$id/root.pem" "emu+mctp://127.0.0.1:$(cat "$dir/port")"
says "$dir/out" "CN=Assay test device"
wait

# Wrong options
wrong() { # TEXT ARGUMENT...
    text=$1
    shift
    run 2 "$SPDM" keys "$@"
    says "$dir/err" "spdm keys: $text"
    [ ! -s "$dir/out" ] || bad "an error wrote to stdout"
}
wrong "where to?"
wrong '--algorithm "ecdsa-p38": no signature algorithm; did you mean ecdsa-p384?' -o "$dir/x" -a ecdsa-p38
wrong '--algorithm "sha-256": no signature algorithm' -o "$dir/x" -a sha-256
wrong '--hash "sm3": no hash' -o "$dir/x" --hash sm3
wrong "--hash is for ECDSA and RSA" -o "$dir/x" --hash sha-256 -a ed25519
wrong '--model "alia": expected one of device, alias, generic; did you mean alias?' -o "$dir/x" -m alia
wrong '--intermediates "9": expected a number' -o "$dir/x" --intermediates 9
wrong '--days "0": expected a number' -o "$dir/x" --days 0
wrong "--device-info is manufacturer:product:serial" -o "$dir/x" --device-info ACME:w
wrong "--subject is empty" -o "$dir/x" --subject ""
wrong "OpenSSL could not make certificate 3: invalid field name" -o "$dir/x" --subject "XX=y"
wrong "cannot make /nonexistent/x" -o /nonexistent/x
wrong 'unexpected argument "more"' -o "$dir/x" more
[ ! -e "$dir/x" ] || bad "a wrong option left something behind"
finish
