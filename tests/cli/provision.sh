#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# `spdm provision`: from a request to an attested certificate, with resets, in sessions, in chunks; changes of key pairs;
# what a device refuses and what cannot be believed; a device that is gone.
. tests/support/respond.sh

run 0 "$SPDM" keys -q -o "$dir/w"
run 0 "$SPDM" keys -q --keep-ca -o "$dir/ca"
run 0 "$SPDM" keys -q --keep-ca --model alias -o "$dir/alias"
ca=$dir/ca
cat >"$dir/w/device.cfg" <<EOF
slots = ( { chain = "chain.der"; key = "leaf.key"; }, { slot = 1; }, { slot = 2; } );
measurements = ( { text = "firmware"; } );
EOF
request() { # NAME KEY SUBJECT
    openssl req -new -key "$2" -subj "$3" -outform DER -out "$dir/$1" \
        -addext "subjectAltName=otherName:1.3.6.1.4.1.412.274.1;UTF8:ACME:WIDGET:0042" 2>/dev/null ||
        bad "no request $1"
}
request own.csr "$dir/w/leaf.key" "/CN=my widget"
request other.csr "$dir/ca/leaf.key" "/CN=other widget"
request nameless.csr "$dir/w/leaf.key" "/"
with() { # SETTING...
    driver "$dir/w/device.cfg" keeps=1 "$@"
}
trusted="trusted-place=1"
plain=caps=+CSR_CAP,SET_CERT_CAP
reset=caps=+CSR_CAP,SET_CERT_CAP,CERT_INSTALL_RESET_CAP
keys=caps=+CSR_CAP,SET_CERT_CAP,GET_KEY_PAIR_INFO_CAP,SET_KEY_PAIR_INFO_CAP,MULTI_KEY_CAP_NEG
provision() { # EXPECTED_EXIT OPTION...: at the device
    code=$1
    shift
    run "$code" "$SPDM" provision "$@" "$mctp"
}

# The authority that `spdm keys` keeps
[ "$(stat -c %a "$ca/ca.key")" = 600 ] || bad "others can read the authority's key"
[ ! -e "$dir/w/ca.key" ] || bad "an authority's key was kept unasked"
run 2 "$SPDM" keys -q --keep-ca -o "$dir/ca"
says "$dir/err" "ca.key, ca.pem already"

# The whole job. A dry run changes nothing
with csr="$dir/own.csr" $trusted $plain
provision 0 --ca "$ca" --dry-run
says "$dir/out" "0, 1, 2; in use: 0" "would ask for one" "would sign it with" "would store it in slot 1"
! grep -q "csr wanted\|store slot" "$dir/log" || bad "the dry run did something"
provision 0 --ca "$ca"
says "$dir/out" "CN=my widget; EC P-384, signed by this key" "issued by CN=Assay test CA 1" "3 certificates" \
    "stored in slot 1" "slot 1 shows it, and the device holds its key: CN=my widget"
says "$dir/log" "store slot=1 key-pair=0 model=0 erase=0" "signed slot=1"
run 0 "$SPDM" attest --slot 1 --trust "$ca/root.pem" "$mctp"
says "$dir/out" "Verdict: trusted" "ACME WIDGET" 0042
provision 0 --ca "$ca" --slot 1 --subject "CN=renamed,O=ACME" --days 10 --json
member '[.stored,.proven,.reset_due,.slot,.error]' '[true,true,false,1,null]'
member .format assay-provision/1
jq -r .chain "$dir/out" | tr -d '\n' | sed 's/../\\\\x&/g' | xargs printf '%b' >"$dir/stored.der" 2>/dev/null
jq -r '[.steps[].text] | join("; ")' "$dir/out" >"$dir/steps"
says "$dir/steps" "CN=renamed" "O=ACME"
provision 0 --ca "$ca/ca.key,$ca/ca.pem" --slot 2
provision 2 --ca "$ca"
says "$dir/err" "no slot is empty"
provision 0 --csr-out "$dir/out.csr"
says "$dir/out" "CN=my widget"
provision 2 --ca "$ca" --slot 5
says "$dir/err" "the device has no slot 5"

# In parts: the request goes out, the chain comes in
provision 0 --csr-out "$dir/out.csr" --slot 1
openssl req -in "$dir/out.csr" -noout -verify -subject >"$dir/out" 2>&1
says "$dir/out" "verify OK" "my widget"
openssl x509 -req -in "$dir/out.csr" -CA "$ca/root.pem" -CAkey "$ca/ca.key" -days 5 -out "$dir/leaf.pem" 2>/dev/null &&
    bad "the key of the authority is not the root's"
printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n' >"$dir/ext"
csplit -s -z -f "$dir/part" "$ca/ca.pem" '/BEGIN/' '{*}'
openssl x509 -req -in "$dir/out.csr" -CA "$dir/part01" -CAkey "$ca/ca.key" -CAcreateserial -days 5 -extfile "$dir/ext" \
    -out "$dir/leaf.pem" 2>/dev/null || bad "openssl does not sign"
cat "$ca/ca.pem" "$dir/leaf.pem" >"$dir/chain.pem"
provision 0 --chain-in "$dir/chain.pem" --slot 2
says "$dir/out" "stored in slot 2" "slot 2 shows it"
provision 0 --erase --slot 2
says "$dir/out" "erased slot 2"
provision 2 --erase --slot 2
says "$dir/err" "slot 2 is empty already"

# What would not be believed is not stored
provision 2 --chain-in "$ca/ca.pem"
says "$dir/err" "would not be believed" "is the leaf, but basicConstraints says CA:TRUE"
cat "$dir/part00" "$dir/leaf.pem" >"$dir/gap.pem"
provision 2 --chain-in "$dir/gap.pem"
says "$dir/err" "would not be believed"
provision 2 --chain-in "$dir/w/leaf.pub"
provision 2 --chain-in "$dir/nowhere"
provision 2 --ca "$dir/w"
says "$dir/err" "w/ca.pem"
provision 2 --ca "$ca/leaf.key,$ca/ca.pem"
says "$dir/err" "is not the one of the certificate"
! tail -5 "$dir/log" | grep -q "store slot" || bad "something was stored"
stop

# In a session, where slots 1 to 7 need one
with csr="$dir/own.csr" $plain
provision 4 --ca "$ca"
says "$dir/err" "storing the certificate" "ERROR UnexpectedRequest" "(--session)"
provision 0 --ca "$ca" --session --trust "$dir/w/root.pem"
says "$dir/out" "CN=Assay test device" "in a session" "slot 1 shows it"
says "$dir/log" "store slot=1 key-pair=0 model=0 erase=0"
! grep "store slot" "$dir/log" | grep -q session=00000000 || bad "it was stored outside of the session"
provision 1 --ca "$ca" --session --trust "$dir/alias/root.pem" --slot 2
says "$dir/err" "none of the 1 trust anchors"
stop

# Resets: of the request, of the certificate
with csr="$dir/own.csr" $trusted $reset reset=1
provision 0 --ca "$ca"
says "$dir/out" "reset the device, then go on with --csr-tag 3"
provision 0 --ca "$ca" --csr-tag 3 --json
member '[.stored,.proven,.reset_due]' '[true,false,true]'
run 0 "$SPDM" attest --slot 1 --trust "$ca/root.pem" "$mctp"
provision 0 --ca "$ca" --slot 2 --wait-reset 20s
says "$dir/out" "it makes the request then" "it is used when the device has been reset" "slot 2 shows it"
stop

# The alias model: the device's own authority gets the certificate
with csr="$dir/own.csr" $trusted caps=+CSR_CAP,SET_CERT_CAP,ALIAS_CERT_CAP
provision 1 --ca "$dir/alias"
says "$dir/out" "stored in slot 1"
says "$dir/err" "but not trusted"
stop

# A device that says yes and does nothing
driver "$dir/w/device.cfg" csr="$dir/own.csr" $trusted $plain
provision 1 --ca "$ca" --slot 0
says "$dir/err" "slot 0 does not show the certificate that was stored"
stop

# Not the key of the device
with csr="$dir/other.csr" $trusted $plain
provision 1 --ca "$ca"
says "$dir/err" "the new certificate is there, but not trusted" "does not verify"
stop
with csr="$dir/nameless.csr" $trusted $plain
provision 2 --ca "$ca"
says "$dir/err" "the request names nobody"
provision 0 --ca "$ca" --subject widget
stop

# No request at all, and none that is signed by its key
with csr="$dir/w/device.cfg" $trusted $plain
provision 4 --ca "$ca"
says "$dir/err" "no PKCS #10"
stop
cp "$dir/own.csr" "$dir/bad.csr"
printf '\0' | dd of="$dir/bad.csr" bs=1 seek=$(($(wc -c <"$dir/bad.csr") - 1)) conv=notrunc 2>/dev/null
cmp -s "$dir/own.csr" "$dir/bad.csr" && printf '\1' | dd of="$dir/bad.csr" bs=1 seek=$(($(wc -c <"$dir/bad.csr") - 1)) conv=notrunc 2>/dev/null
with csr="$dir/bad.csr" $trusted $plain
provision 4 --ca "$ca"
says "$dir/err" "its certificate request: the request is not signed by the key in it"
! grep -q "store slot" "$dir/log" || bad "a request that nobody signed was answered"
stop

# What the device does not offer, and what it refuses
with $trusted caps=+SET_CERT_CAP
provision 4 --ca "$ca"
says "$dir/err" "offers no certificate requests (CSR_CAP)"
provision 4 --bank 1 --slot 0 --erase
says "$dir/err" "no banks of slots"
provision 4 --key-pair 1 --generate-key
says "$dir/err" "no changes of key pairs"
stop
with csr="$dir/own.csr" errand-error=3 $plain
provision 4 --ca "$ca" --timeout 2
says "$dir/err" "asking for a certificate request"
stop

# Key pairs
with csr="$dir/own.csr" key-pairs=1 $trusted $keys
provision 2 --ca "$ca" --multi-key --slot 2
says "$dir/err" "no key pair of ECDSA_P384 belongs to slot 2"
provision 0 --key-pair 2 --key-slots 0,2 --key-usage challenge,measurements
says "$dir/out" "slots: 0, 2; for: challenge, measurements"
says "$dir/log" "key-pair changed id=2 slots=05"
provision 0 --ca "$ca" --multi-key --slot 2 --model generic
says "$dir/out" "a key for each slot" "2 of 2: ECC P-384" "stored in slot 2"
says "$dir/log" "store slot=2 key-pair=2 model=3"
provision 0 --key-pair 1 --generate-key --dry-run
says "$dir/out" "would make it anew"
provision 4 --key-pair 1 --generate-key
says "$dir/err" "OperationFailed" "does not allow that"
provision 0 --key-pair 1 --key-slots none
says "$dir/log" "key-pair changed id=1 slots=00"
provision 0 --key-pair 1 --generate-key --key-algorithm ECDSA_P256
says "$dir/out" "1: made anew" "1 of 2: ECC P-256; slots: none"
provision 0 --key-pair 1 --erase-key --json
member .key_pair 1
says "$dir/log" "key-pair erased id=1"
provision 2 --key-pair 9 --erase-key
says "$dir/err" "there is no key pair 9; the last is 2"
provision 2 --ca "$ca" --key-pair 1 --slot 1
says "$dir/err" "--multi-key asks for another one"
stop

# In chunks
with csr="$dir/own.csr" size=200 max=100000 $trusted $plain
provision 0 --ca "$ca"
says "$dir/trace" CHUNK_SEND
stop

# The device is gone: at once, and while a reset is waited for
driver "$dir/w/device.cfg" keeps=1 clients=1 csr="$dir/own.csr" $trusted $plain
provision 3 --ca "$ca" --timeout 5
says "$dir/out" "stored in slot 1"
says "$dir/err" "looking again"
wait "$responder"
responder=
driver "$dir/w/device.cfg" keeps=1 clients=1 csr="$dir/own.csr" reset=1 $trusted $reset
provision 3 --ca "$ca" --wait-reset 1500ms
says "$dir/err" "the request did not come in time"
wait "$responder"
responder=
provision 3 --ca "$ca"

# What the request shall say: the device's own key is put into a template, which somebody else's request is
cat >"$dir/w/gives.cfg" <<EOF
slots = ( { chain = "chain.der"; key = "leaf.key"; }, { slot = 1; }, { slot = 2; } );
provisioning: { state = "gives"; trusted_place = true; };
EOF
start -l emu+mctp://127.0.0.1:0 "$dir/w/gives.cfg"
mctp=emu+mctp://127.0.0.1:$(cat "$dir/ports")
openssl req -new -key "$ca/leaf.key" -subj "/O=ACME/CN=as ordered" -addext "1.2.3.4.5=ASN1:UTF8String:blue" \
    -out "$dir/order.csr" || bad "no template"
provision 0 --slot 1 --csr-out "$dir/out.csr" --csr-info "$dir/order.csr" --json
member '.steps[2].text | endswith("order.csr, with the device\u0027s key")' true
jq -r .csr_info "$dir/out" | tr -d '\n' | sed 's/../\\\\x&/g' | xargs printf '%b' >"$dir/info.der"
openssl req -in "$dir/out.csr" -noout -verify -subject -text >"$dir/out" 2>&1
says "$dir/out" "as ordered" "1.2.3.4.5" blue
openssl req -in "$dir/out.csr" -noout -pubkey >"$dir/asked.pub"
openssl pkey -in "$dir/w/leaf.key" -pubout | cmp - "$dir/asked.pub" || bad "that is not the device's key"
echo vendor >"$dir/vendor"
provision 0 --slot 1 --ca "$ca" --csr-info "$dir/info.der" --csr-opaque PCI-SIG:8680=0102 --csr-opaque "dmtf=@$dir/vendor" \
    --trace
says "$dir/out" "CN=as ordered, O=ACME; EC P-384, signed by this key" "stored in slot 1" "slot 1 shows it"
grep -A9 "SPDM 1.4 GET_CSR" "$dir/err" >"$dir/sent"
says "$dir/sent" "0200000003028680020001020000070076656e646f720a00" RequesterInfo
provision 0 --slot 2 --csr-out "$dir/out.csr" --session --trust "$dir/w/root.pem" --csr-info "$dir/order.csr"
says "$dir/out" "with the device's key" "CN=as ordered"
# A request in DER is a template, too; what is in it is sent as it is, with a key that is not the device's
openssl req -in "$dir/order.csr" -outform DER -out "$dir/order.der"
provision 0 --slot 1 --csr-out "$dir/out.csr" --csr-info "$dir/order.der"
openssl asn1parse -inform DER -in "$dir/order.der" >"$dir/parsed"
at=$(sed -n '2s/^ *\([0-9]*\):.*/\1/p' "$dir/parsed")
size=$(($(sed -n '2s/.*hl=\([0-9]*\) l= *\([0-9]*\).*/\1 + \2/p' "$dir/parsed")))
tail -c +$((at + 1)) "$dir/order.der" | head -c "$size" >"$dir/theirs.der"
provision 4 --slot 1 --csr-out "$dir/out.csr" --csr-info "$dir/theirs.der"
says "$dir/err" "InvalidRequest" "names another key than its own"
# Nothing of this is sent
connections=$(wc -l <"$dir/log")
head -c $((size - 1)) "$dir/theirs.der" >"$dir/cut.der"
{ cat "$dir/theirs.der" && echo; } >"$dir/more.der"
openssl req -x509 -new -key "$ca/leaf.key" -subj /CN=x -out "$dir/self.pem" 2>/dev/null
for wrong in cut.der more.der self.pem nowhere w out.csr/x; do
    provision 2 --slot 1 --csr-out "$dir/out.csr" --csr-info "$dir/$wrong"
    says "$dir/err" "--csr-info $dir/$wrong: "
done
for wrong in ACME=00 PCI-SIG=00 PCI-SIG:86=00 PCI-SIG:8680 PCI-SIG:8680=0 DMTF:00=00 12=00 DMTF=@/nowhere \
    "DMTF=@$SPDM" IANA:zz=00; do
    provision 2 --slot 1 --csr-out "$dir/out.csr" --csr-opaque "$wrong"
    says "$dir/err" "--csr-opaque: "
done
head -c 1020 "$SPDM" >"$dir/large"
provision 2 --slot 1 --csr-out "$dir/out.csr" --csr-opaque "DMTF=@$dir/large"
says "$dir/err" "more than 1024 bytes of opaque data"
[ "$(wc -l <"$dir/log")" -eq "$connections" ] || bad "the device was asked all the same"
kill "$responder"
ended 0
# A device without any certificate: no key
cat >"$dir/w/bare.cfg" <<EOF
slots = ( { slot = 0; } );
key_pairs = ( { key = "leaf.key"; slots = [0]; } );
provisioning: { state = "bare"; trusted_place = true; };
EOF
start -l emu+mctp://127.0.0.1:0 "$dir/w/bare.cfg"
mctp=emu+mctp://127.0.0.1:$(cat "$dir/ports")
provision 0 --slot 0 --ca "$ca" --csr-info "$dir/order.csr"
says "$dir/out" "with no key, as the device shows none" "CN=as ordered" "slot 0 shows it"
kill "$responder"
ended 0

# --timeout is for all of it; the wait for a reset comes on top
cat >"$dir/w/slow.cfg" <<EOF
slots = ( { chain = "chain.der"; key = "leaf.key"; }, { slot = 1; } );
provisioning: { state = "slow"; trusted_place = true; reset = true; };
EOF
start -l emu+mctp://127.0.0.1:0 --tamper delay=250ms "$dir/w/slow.cfg"
mctp=emu+mctp://127.0.0.1:$(cat "$dir/ports")
began=$(date +%s%N)
provision 3 --ca "$ca" --slot 1 --timeout 1100ms
took=$((($(date +%s%N) - began) / 1000000))
{ [ $took -ge 1000 ] && [ $took -lt 3000 ]; } || bad "it took $took ms"
says "$dir/err" "not finished after 1.100 s, waiting for the answer to "
(sleep 4 && kill -HUP "$responder" && sleep 4 && kill -HUP "$responder") &
provision 0 --ca "$ca" --slot 1 --timeout 6s --wait-reset 30s
says "$dir/out" "it makes the request then" "slot 1 shows it"
wait $!
kill "$responder"
ended 0

# Wrong usage: nothing is sent
provision 2 --erase --slot 1 --csr-info "$dir/order.csr"
says "$dir/err" "--csr-info and --csr-opaque are for a request"
provision 2
says "$dir/err" "what shall be done?"
provision 2 --ca "$ca" --chain-in x
provision 2 --erase
provision 2 --ca "$ca" --slot 8
provision 2 --ca "$ca" --slto 1
provision 2 --generate-key
provision 2 --key-pair 1 --key-usage everything
provision 2 --key-pair 1 --key-algorithm SHA_256
provision 2 --ca "$ca" --model generic
provision 2 --bank-algorithm ECDSA_P384
finish
