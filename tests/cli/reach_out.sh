#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The device connects (DSP0287, role inquiry): `spdm respond --reach-out` and `spdm attest --listen`.
. tests/support/respond.sh

run 0 "$SPDM" keys --quiet --out "$dir/w"

# attest OPTION...: in the background, waiting on a port of the system's choice, which is put into $port
attest() {
    rm -f "$dir/waiting"
    "$SPDM" attest --listen --trust "$dir/w/root.pem" "$@" tcp://127.0.0.1:0 >"$dir/out" 2>"$dir/waiting" &
    asker=$!
    wait_until grep -q "waiting for the device" "$dir/waiting"
    port=$(sed 's/.*://' "$dir/waiting")
}
# answered EXPECTED_EXIT TEXT...
answered() {
    expected=$1
    shift
    wait "$asker"
    status=$?
    [ "$status" -eq "$expected" ] || bad "attest --listen ended with $status, $expected expected"
    says "$dir/out" "$@"
}

attest
run 0 "$SPDM" respond --once --reach-out "tcp://127.0.0.1:$port" "$dir/w/device.cfg"
answered 0 "Verdict: trusted"
says "$dir/err" "127.0.0.1:$port: reached" "served 1 clients"

attest --session
run 0 "$SPDM" respond --once --reach-out "tcp://127.0.0.1:$port" "$dir/w/device.cfg"
answered 0 "Verdict: trusted"
says "$dir/err" "1 sessions"

# who is no device is turned away, and the next one may be; a device that nobody waits for tries again
attest
run 4 "$SPDM" attest --trust "$dir/w/root.pem" "tcp://127.0.0.1:$port"
says "$dir/out" "cannot operate as responder"
run 0 "$SPDM" respond --once --reach-out "tcp://127.0.0.1:$port" "$dir/w/device.cfg"
answered 0 "Verdict: trusted"
"$SPDM" respond --reach-out "tcp://127.0.0.1:$port" "$dir/w/device.cfg" >"$dir/log" 2>&1 &
responder=$!
wait_until grep -q "nobody waits there" "$dir/log"
kill "$responder"
ended 0

run 3 "$SPDM" attest --listen --timeout 200ms --trust "$dir/w/root.pem" tcp://127.0.0.1:0
run 2 "$SPDM" attest --listen --trust "$dir/w/root.pem" emu+mctp://127.0.0.1:0
says "$dir/err" "only over TCP can a device connect"
run 2 "$SPDM" respond --reach-out emu+doe://127.0.0.1 "$dir/w/device.cfg"
says "$dir/err" "only over TCP can a device connect"
run 2 "$SPDM" respond --reach-out tcp://127.0.0.1:0 "$dir/w/device.cfg"
finish
