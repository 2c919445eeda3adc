# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
#
# tamper.sh - one side misbehaves, the other says so. To be sourced after respond.sh; the identity is in $dir/w.

# shellcheck disable=SC2154 # dir is there
description=device.cfg
patience=1s

# device TAMPER EXIT TEXT [OPTION of attest...]: what attest says of a device that misbehaves
device() {
    tamper=$1
    expected=$2
    text=$3
    shift 3
    start --listen tcp://127.0.0.1:0 --tamper "$tamper" "$dir/w/$description"
    "$SPDM" attest --trust "$dir/w/root.pem" --timeout "$patience" "$@" "tcp://127.0.0.1:$(cat "$dir/ports")" \
        >"$dir/out" 2>"$dir/err"
    got=$?
    kill "$responder"
    ended 0
    [ $got -eq "$expected" ] || bad "device, $tamper: attest ended with $got, $expected expected"
    grep -qF -e "$text" "$dir/out" || {
        bad "device, $tamper: not said: $text"
        tail -n 3 "$dir/out"
    }
    says "$dir/log" "tampered with"
}
# requester TAMPER EXIT TEXT [OPTION of attest...]: what the device says of attest that misbehaves
requester() {
    tamper=$1
    expected=$2
    text=$3
    shift 3
    start --listen tcp://127.0.0.1:0 "$dir/w/$description"
    "$SPDM" attest --trust "$dir/w/root.pem" --timeout "$patience" --tamper "$tamper" "$@" \
        "tcp://127.0.0.1:$(cat "$dir/ports")" >"$dir/out" 2>"$dir/err"
    got=$?
    kill "$responder"
    ended 0
    [ $got -eq "$expected" ] || bad "requester, $tamper: attest ended with $got, $expected expected"
    says "$dir/log" "$text"
    says "$dir/err" "tampered with"
}
