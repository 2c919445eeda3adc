#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The alias model on a device: its own authority is certified, and it puts the certificate of the key that it uses below
# it (R-SCT-10, R-MDL-05), once (R-MDL-12).
. tests/support/respond.sh

run 0 "$SPDM" keys -q -a ecdsa-p256 --model alias -o "$dir/w"
run 0 "$SPDM" keys -q -a ecdsa-p384 --model alias --keep-ca -o "$dir/ca"
run 0 "$SPDM" keys -q --keep-ca -o "$dir/flat"
[ "$(stat -c %a "$dir/w/device.key")" = 600 ] || bad "others can read the key of the device's own authority"
measured='measurements = ( { text = "firmware"; } );'
describe() { # LINE...
    printf '%s\n' 'name = "widget";' "$measured" "$@" >"$dir/w/device.cfg"
}
begin() {
    start -l tcp://127.0.0.1:0 "$dir/w/device.cfg"
    target=tcp://127.0.0.1:$(sed -n 1p "$dir/ports")
}
end() {
    kill "$responder"
    ended 0
}
provision() { # EXPECTED_EXIT OPTION...
    code=$1
    shift
    run "$code" "$SPDM" provision "$@" "$target"
}
# certificates SLOT: of the chain it shows, in PEM, $dir/cert.0 the root
certificates() {
    run 0 "$SPDM" info --json "$target"
    rm -f "$dir"/cert.*
    jq -r ".chains.slots[] | select(.slot == $1) | .chain" "$dir/out" >"$dir/hex"
    python3 - "$dir" <<'EOF'
import base64, sys
chain = bytes.fromhex(open(sys.argv[1] + "/hex").read())[4 + 48:]
n = 0
while chain:
    size = 4 + int.from_bytes(chain[2:4], "big")
    text = base64.encodebytes(chain[:size]).decode()
    open("%s/cert.%d" % (sys.argv[1], n), "w").write("-----BEGIN CERTIFICATE-----\n" + text + "-----END CERTIFICATE-----\n")
    chain, n = chain[size:], n + 1
EOF
}
slots='slots = ( { chain = "chain.der"; key = "leaf.key"; model = "alias"; }, { slot = 1; model = "alias"; } );'
given='provisioning: { state = "state"; trusted_place = true; device_key = "device.key"; device_info = "ACME:widget:7"; };'

# ---- the whole job, and what openssl says of it ----
describe "$slots" "$given"
begin
provision 0 --csr-out "$dir/csr.pem" --slot 1
openssl req -in "$dir/csr.pem" -noout -verify -text >"$dir/out" 2>&1
says "$dir/out" "verify OK" "CA:TRUE" "Certificate Sign" "CN = Assay test device"
[ "$(openssl req -in "$dir/csr.pem" -noout -pubkey)" = "$(openssl pkey -in "$dir/w/device.key" -pubout)" ] ||
    bad "the request is not of the device's own authority"
provision 0 --ca "$dir/ca"
says "$dir/out" "stored in slot 1" "slot 1 shows it, and the device holds its key: CN=Alias of widget"
run 0 "$SPDM" attest --slot 1 --session --trust "$dir/ca/root.pem" "$target"
says "$dir/out" "alias certificate" "ACME widget" "mutable certificate" "Verdict: trusted"
certificates 1
[ "$(find "$dir" -name 'cert.?' | wc -l)" -eq 4 ] || bad "these are not four certificates"
cat "$dir/cert.1" "$dir/cert.2" >"$dir/between.pem"
run 0 openssl verify -CAfile "$dir/cert.0" -untrusted "$dir/between.pem" "$dir/cert.3"
[ "$(openssl x509 -in "$dir/cert.3" -noout -pubkey)" = "$(openssl pkey -in "$dir/w/leaf.key" -pubout)" ] ||
    bad "the alias is not for the key of the device"
[ "$(openssl x509 -in "$dir/cert.2" -noout -pubkey)" = "$(openssl pkey -in "$dir/w/device.key" -pubout)" ] ||
    bad "what was certified is not the device's own authority"
cp "$dir/hex" "$dir/before"

# ---- the same after a start, and after SIGHUP ----
end
begin
certificates 1
cmp -s "$dir/hex" "$dir/before" || bad "the alias is another one after a start"
kill -HUP "$responder"
wait_until grep -q "read again" "$dir/log"
certificates 1
cmp -s "$dir/hex" "$dir/before" || bad "the alias is another one after SIGHUP"
# Slot 0 anew, and the request is now by the name that slot has
provision 0 --ca "$dir/ca" --slot 0 --subject CN=renewed
run 0 "$SPDM" attest --trust "$dir/ca/root.pem" "$target"
provision 0 --erase --slot 1
provision 2 --erase --slot 1
says "$dir/err" "slot 1 is empty already"

# ---- what would not be believed, and what is not the device's ----
provision 2 --ca "$dir/flat" --slot 1
says "$dir/err" "CN=Assay test CA 1 may have 0 authorities below it, and the device's own is one more (the alias model)"
sleep 1.1 # the log takes twenty lines a second at most
provision 4 --chain-in "$dir/w/chain.der" --slot 1
says "$dir/err" "storing the certificate: SET_CERTIFICATE_RSP: the peer answered ERROR OperationFailed"
says "$dir/log" "slot 1 not taken: the last is not for the key of the device's own authority (R-SCT-10)"
end

# ---- after a reset ----
rm -r "$dir/w/state"
describe "$slots" "$(echo "$given" | sed 's/trusted_place/reset = true; trusted_place/')"
begin
"$SPDM" provision --ca "$dir/ca" --slot 1 --wait-reset 40s "$target" >"$dir/out" 2>"$dir/err" &
job=$!
for text in "it makes the request then" "reset the device now$"; do
    wait_until grep -q -e "$text" "$dir/out"
    kill -HUP "$responder"
done
wait "$job" || bad "with resets it ended with $?: $(cat "$dir/err")"
says "$dir/out" "slot 1 shows it, and the device holds its key: CN=Alias of widget"
end

# ---- a model for each slot, a key pair for each slot ----
rm -r "$dir/w/state"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$dir/w/second.key" 2>"$dir/err"
describe 'slots = ( { chain = "chain.der"; key = "leaf.key"; model = "alias"; }, { slot = 1; key = "second.key"; },
    { slot = 2; key = "second.key"; } );' 'capabilities = ["CERT", "CHAL", "MEAS_SIG", "MULTI_KEY_NEG", "SET_CERT", "CSR",
    "GET_KEY_PAIR_INFO", "SET_KEY_PAIR_INFO", "ALIAS_CERT", "CHUNK"];' "$given"
begin
provision 0 --multi-key --model alias --slot 1 --ca "$dir/ca"
says "$dir/out" "slot 1 shows it, and the device holds its key: CN=Alias of widget"
provision 0 --multi-key --model device --slot 2 --ca "$dir/ca" --subject CN=plain
says "$dir/out" "slot 2 shows it, and the device holds its key: CN=plain"
certificates 1
[ "$(openssl x509 -in "$dir/cert.3" -noout -pubkey)" = "$(openssl pkey -in "$dir/w/second.key" -pubout)" ] ||
    bad "the alias of slot 1 is not for its key"
run 0 "$SPDM" info --multi-key "$target"
says "$dir/out" "alias certificate" "device certificate"
end

# ---- a bank ----
rm -r "$dir/w/state"
describe 'banks = ( { algorithm = "ECDSA_P256"; slots = ( { chain = "chain.der"; key = "leaf.key"; model = "alias"; },
    { slot = 1; model = "alias"; } ); } );' "$given"
begin
provision 0 --bank 0 --slot 1 --ca "$dir/ca"
says "$dir/out" "slot 1 of the bank shows it"
run 0 "$SPDM" attest --slot 1 --trust "$dir/ca/root.pem" "$target"
says "$dir/out" "CN=Alias of widget" "Verdict: trusted"
end

# ---- without the key of its own authority, the alias must come with the others ----
rm -r "$dir/w/state"
describe "$slots" 'provisioning: { state = "state"; trusted_place = true; };'
begin
provision 0 --chain-in "$dir/w/chain.der" --slot 1
end
describe "$slots" 'provisioning: { state = "state"; device_key = "nowhere.key"; };'
run 2 "$SPDM" respond -l tcp://127.0.0.1:0 "$dir/w/device.cfg"
says "$dir/err" "device.cfg:4: key \"nowhere.key\": cannot open the key"
finish
