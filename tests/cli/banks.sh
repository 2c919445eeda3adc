#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Banks of slots by the programs: each SubCode of SLOT_MANAGEMENT, and what people are told of mistakes.
. tests/support/respond.sh

run 0 "$SPDM" keys -q -a ecdsa-p256 -o "$dir/w"
run 0 "$SPDM" keys -q -a ecdsa-p384 --keep-ca -o "$dir/ca"
run 0 "$SPDM" keys -q -a ecdsa-p384 -o "$dir/other"
describe() {
    cat >"$dir/w/device.cfg" <<EOF
name = "widget"; measurements = ( { text = "firmware"; } );
banks = ( { algorithm = "ECDSA_P256"; slots = ( { chain = "chain.der"; key = "leaf.key"; }, { slot = 1; } ); },
    { algorithms = ["ECDSA_P384", "ECDSA_P521"]; slots = ( { slot = 0; }, { slot = 1; }, { slot = 2; }, { slot = 3; } );
      protected = [1]; modifiable = [0, 2]; },
    { algorithm = "ECDSA_P521"; slots = ( { slot = 0; } ); slot_size = 100; } );
key_pairs = ( { key = "leaf.key"; slots = [0]; },
    { algorithms = ["ECDSA_P384", "ECDSA_P521"]; capabilities = ["generate", "erase", "associate", "algorithm"]; },
    { algorithms = ["ECDSA_P521"]; capabilities = ["generate", "algorithm"]; } );
provisioning: { state = "state"; };

EOF
}
begin() {
    start -l tcp://127.0.0.1:0 "$dir/w/device.cfg"
    target=tcp://127.0.0.1:$(sed -n 1p "$dir/ports")
}
end() {
    kill "$responder"
    ended 0
}
# provision EXIT TEXT OPTION...: in a session; TEXT is in what is said, on either side
provision() {
    code=$1
    text=$2
    shift 2
    run "$code" timeout 60 "$SPDM" provision --session --trust "$dir/w/root.pem" "$@" "$target"
    cat "$dir/err" >>"$dir/out"
    says "$dir/out" "$text"
}
logged() { # EXIT TEXT LOGGED OPTION...: the log takes twenty lines a second at most
    wanted=$3
    sleep 1.1
    code=$1
    text=$2
    shift 3
    provision "$code" "$text" "$@"
    wait_until grep -qF -e "$wanted" "$dir/log" || cat "$dir/log"
}
open() { # the same in the open
    code=$1
    text=$2
    shift 2
    run "$code" timeout 60 "$SPDM" provision "$@" "$target"
    says "$dir/err" "$text"
}

describe
begin
# Reading: SupportedSubCodes, GetBankInfo, GetBankDetails
run 0 "$SPDM" info "$target"
says "$dir/out" "SupportedSubCodes, GetBankInfo, GetBankDetails, GetCertificateChain, GetCSR, ManageBank, ManageSlot" \
    "bank 0      ECC P-256, in use here" "bank 1      none" "can be    ECC P-384, ECC P-521 (now: ECC P-384)" \
    "slot 0    empty, 100 bytes"
run 0 "$SPDM" info --json "$target"
member '[.banks.banks[].bank]' '[0,1,2]'

# A bank, a slot, an algorithm that is not there, or cannot be
open 2 "there is no bank 7; the last is 2" --bank 7 --slot 0 --ca "$dir/ca"
open 2 "there is no bank 3; the last is 2" --bank 3 --erase --slot 0
open 2 "the device has no slot 5" --bank 2 --slot 5 --ca "$dir/ca"
open 2 "bank 1 has no algorithm yet: --bank-algorithm gives it one" --bank 1 --slot 0 --ca "$dir/ca"
provision 2 "there is no bank 9; the last is 2" --bank 9 --bank-algorithm ECDSA_P384
provision 4 "bank 0 is of ECC P-256 and can be of nothing else" --bank 0 --bank-algorithm ECDSA_P384
provision 4 "bank 1 cannot be of RSA 3072, but of: ECC P-384, ECC P-521" --bank 1 --bank-algorithm RSAPSS_3072
provision 4 "another bank is of ECC P-521 already" --bank 1 --bank-algorithm ECDSA_P521
open 4 "the device may want that in a session (--session)" --bank 1 --bank-algorithm ECDSA_P384

# ManageBank; GetCSR needs a key of the bank's algorithm
provision 0 "1: would make it ECDSA_P384" --bank 1 --bank-algorithm ECDSA_P384 --dry-run
provision 0 "1: ECDSA_P384 now" --bank 1 --bank-algorithm ECDSA_P384
provision 0 "1: ECDSA_P384 now" --bank 1 --bank-algorithm ECDSA_P384
logged 4 "asking for a certificate request" "no certificate request: there is no key for it" \
    --bank 1 --slot 0 --ca "$dir/ca"

# Key pairs: which, and what may be changed of them
open 2 "there is no key pair 9; the last is 3" --key-pair 9 --generate-key
open 4 "key pair 3 cannot be of this algorithm" --key-pair 3 --generate-key --key-algorithm ECDSA_P384
open 4 "key pair 3 does not let anybody change its slots" --key-pair 3 --key-slots 0
open 4 "key pair 3 cannot be erased" --key-pair 3 --erase-key
open 4 "key pair 2 does not let anybody change it for more than one slot" --key-pair 2 --key-slots 0,2
open 4 "key pair 2 does not let anybody change its usage" --key-pair 2 --key-usage challenge
open 2 "key pair 3 has no algorithm yet: --key-algorithm gives it one" --key-pair 3 --generate-key
provision 0 "2 of 3: ECC P-384" --key-pair 2 --generate-key --key-algorithm ECDSA_P384

# SetCertificate: for a key that the device has, of the bank's algorithm
logged 4 "storing the certificate" "the certificates given to slot 0 are not for a key it can have" \
    --bank 1 --slot 0 --chain-in "$dir/other/chain.der"
logged 4 "storing the certificate" "are for a key (EC P-256) that bank 1 is not for" \
    --bank 1 --slot 0 --chain-in "$dir/w/chain.der"
provision 2 "--multi-key asks for another one" --bank 1 --slot 0 --ca "$dir/ca" --key-pair 1
provision 2 "slot 1 is write-protected" --bank 1 --slot 1 --ca "$dir/ca"
provision 2 "slot 3 is write-protected" --bank 1 --slot 3 --ca "$dir/ca"
provision 2 "slot 0 holds 100 bytes at most, and these certificates are" --bank 2 --chain-in "$dir/other/chain.der"
provision 0 "slot 0 of the bank shows it" --bank 1 --ca "$dir/ca"
run 0 "$SPDM" attest --trust "$dir/ca/root.pem" --signature ECDSA_P384 "$target"
# GetCertificateChain has shown it; in the slot that is taken it may be renewed
provision 0 "slot 0 of the bank shows it" --bank 1 --slot 0 --ca "$dir/ca" --subject CN=renewed
open 4 "the device may want that in a session (--session)" --bank 1 --slot 2 --ca "$dir/ca"
# The key is for one slot (R-KPI-06), and what is refused leaves everything as it was
logged 4 "storing the certificate" "key pair 2 belongs to more than one slot, which the capability \"share\" allows" \
    --bank 1 --slot 2 --ca "$dir/ca"
open 4 "key pair 2 belongs to slots: 0; --key-slots none frees it" --key-pair 2 --erase-key
provision 0 "1: ECDSA_P384 now" --bank 1 --bank-algorithm ECDSA_P384

# Kept over its end; ManageSlot
end
begin
run 0 "$SPDM" attest --trust "$dir/ca/root.pem" --signature ECDSA_P384 "$target"
says "$dir/out" "CN=renewed" "Verdict: trusted"
provision 2 "slot 2 is empty already" --bank 1 --slot 2 --erase
provision 2 "slot 1 is write-protected" --bank 1 --slot 1 --erase
provision 0 "erased slot 0" --bank 1 --slot 0 --erase
run 4 "$SPDM" attest --trust "$dir/ca/root.pem" --signature ECDSA_P384 "$target"
end

# A bank that is in use is not given another algorithm
sed -i 's/{ algorithm = "ECDSA_P256"; slots/{ algorithm = "ECDSA_P256"; algorithms = ["ECDSA_P256", "RSAPSS_2048"]; slots/' \
    "$dir/w/device.cfg"
begin
provision 4 "certificates are in the way, in slots: 0; --erase removes them" --bank 0 --bank-algorithm RSAPSS_2048
end

# What cannot be described
wrong() { # TEXT SED
    describe
    sed -i "$2" "$dir/w/device.cfg"
    run 2 "$SPDM" respond -l tcp://127.0.0.1:0 "$dir/w/device.cfg"
    says "$dir/err" "$1"
}
wrong "key pair 1 belongs to more than one slot, which the capability \"share\" allows" 's/slots = \[0\]; },/slots = [0, 1]; },/'
finish
