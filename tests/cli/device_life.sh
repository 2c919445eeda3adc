#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The programs together: a device is asked what it is, gets a certificate while it is watched, keeps it over its end, is
# reset, gets a new key and a bank of slots for it.
. tests/support/respond.sh

run 0 "$SPDM" keys -q -a ecdsa-p256 -o "$dir/w"
run 0 "$SPDM" keys -q -a ecdsa-p384 --keep-ca -o "$dir/ca"
old="--trust $dir/w/root.pem" new="--trust $dir/ca/root.pem"
describe() { # LINE...
    printf '%s\n' 'measurements = ( { text = "firmware"; } );' \
        'endpoint: { classes = ( { body = "PCI-SIG"; vendor = "8680"; ids = ["0102"]; } ); };' \
        'log: { entries = ( { measurement = 1; type = "rom"; text = "boot"; } ); };' 'events: { };' "$@" \
        >"$dir/w/device.cfg"
}
begin() {
    start -l tcp://127.0.0.1:0 "$dir/w/device.cfg"
    target=tcp://127.0.0.1:$(sed -n 1p "$dir/ports")
}
end() {
    kill "$responder"
    ended 0
}
spdm() { # EXPECTED_EXIT COMMAND OPTION...
    code=$1
    shift
    run "$code" timeout 60 "$SPDM" "$@" "$target"
}
slots='slots = ( { chain = "chain.der"; key = "leaf.key"; }, { slot = 1; key = "leaf.key"; }, { slot = 2; } );'

# shellcheck disable=SC2086 # two words
{
    # What it is
    describe "$slots" 'provisioning: { state = "state"; device_info = "ACME:widget:7"; };'
    begin
    spdm 0 info --session $old
    says "$dir/out" "SET_CERT_CAP           takes new certificates" "in use    0" "1  ECC P-256  slots 0, 1" \
        "1 entry, 31 bytes" "class of   PCI-SIG 8680" "4  certificates changed"
    spdm 0 info --session $old --json
    member '[.endpoint[0].vendor,.log.announced,.refused]' '["8680",1,{}]'

    # A certificate, watched
    "$SPDM" watch $old --count 1 --interval 100ms "$target" >"$dir/seen" 2>&1 &
    watcher=$!
    wait_until grep -q "tells of" "$dir/seen"
    spdm 4 provision --ca "$dir/ca"
    says "$dir/err" "--session"
    spdm 0 provision --ca "$dir/ca" --session $old
    says "$dir/out" "signed by this key" "stored in slot 1" "slot 1 shows it, and the device holds its key"
    wait "$watcher" || bad "the watcher ended with $?"
    says "$dir/seen" "certificates changed: slots 1"
    spdm 0 attest --slot 1 $new
    says "$dir/out" "ACME widget" "Verdict: trusted"

    # Kept over its end; erased
    end
    begin
    spdm 0 attest --slot 1 $new
    spdm 0 provision --erase --slot 1 --session $old
    spdm 1 attest --slot 1 $new
    end

    # Resets
    describe "$slots" 'provisioning: { state = "state"; reset = true; trusted_place = true; };'
    begin
    "$SPDM" provision --ca "$dir/ca" --slot 1 --wait-reset 40s "$target" >"$dir/out" 2>"$dir/err" &
    job=$!
    for text in "it makes the request then" "reset the device now$"; do
        wait_until grep -q -e "$text" "$dir/out"
        kill -HUP "$responder"
    done
    wait "$job" || bad "with resets it ended with $?: $(cat "$dir/err")"
    says "$dir/out" "slot 1 shows it, and the device holds its key"
    end

    # A new key, a new bank for it
    rm -r "$dir/w/state"
    describe 'banks = ( { algorithm = "ECDSA_P256"; slots = ( { chain = "chain.der"; key = "leaf.key"; } ); },
        { algorithms = ["ECDSA_P384", "ECDSA_P521"]; slots = ( { slot = 0; }, { slot = 1; } ); protected = [1];
          modifiable = [0]; } );' \
        'key_pairs = ( { key = "leaf.key"; slots = [0]; },
        { algorithms = ["ECDSA_P384"]; capabilities = ["generate", "erase", "associate", "usage", "algorithm"]; } );' \
        'provisioning: { state = "state"; trusted_place = true; };'
    begin
    spdm 0 info
    says "$dir/out" "bank 0" "ECC P-256, in use here" "empty, write-protected" "can be    ECC P-384, ECC P-521" \
        "2  none       none"
    spdm 2 provision --bank 1 --slot 1 --ca "$dir/ca"
    says "$dir/err" "slot 1 is write-protected"
    spdm 0 provision --bank 1 --bank-algorithm ECDSA_P384
    says "$dir/out" "1: ECDSA_P384 now"
    spdm 0 provision --key-pair 2 --generate-key --key-algorithm ECDSA_P384
    says "$dir/out" "2 of 2: ECC P-384"
    spdm 0 provision --bank 1 --ca "$dir/ca" --subject "CN=second"
    says "$dir/out" "EC P-384, signed by this key" "stored in slot 0" "slot 0 of the bank shows it"
    spdm 0 attest $new --signature ECDSA_P384
    says "$dir/out" "CN=second" "Verdict: trusted"
    spdm 0 attest $old --signature ECDSA_P256
    spdm 4 provision --bank 7 --slot 0 --erase
    spdm 0 provision --bank 1 --slot 0 --erase
    spdm 4 attest $new --signature ECDSA_P384
    end
}
finish
