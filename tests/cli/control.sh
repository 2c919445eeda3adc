#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A running device is told something wrong: typos, garbage and half lines at --control, clients that are gone, sockets
# that are taken, a description that cannot be read. It says so, and goes on.
. tests/support/respond.sh

run 0 "$SPDM" keys -q -a ecdsa-p256 -o "$dir/w"
describe() { # LINE...
    printf '%s\n' 'slots = ( { chain = "chain.der"; key = "leaf.key"; }, { slot = 1; } );' \
        'measurements = ( { text = "firmware"; } );' "$@" >"$dir/w/device.cfg"
}
describe 'events: { };' 'provisioning: { state = "one"; trusted_place = true; };'
begin() {
    start -l tcp://127.0.0.1:0 --control "$dir/socket" "$dir/w/device.cfg"
    target=tcp://127.0.0.1:$(sed -n 1p "$dir/ports")
}
tell() { # EXIT TEXT COMMAND
    run "$1" "$SPDM" respond --tell "$dir/socket" "$3"
    cat "$dir/err" >>"$dir/out"
    says "$dir/out" "$2"
}
# raw BYTES: what the socket answers to them, in $dir/out; nothing more is sent, and all of the answer read
raw() {
    python3 - "$dir/socket" "$1" >"$dir/out" <<'EOF'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode("latin-1").decode("unicode_escape").encode("latin-1"))
s.shutdown(socket.SHUT_WR)
out = b""
while True:
    more = s.recv(4096)
    if not more: break
    out += more
sys.stdout.write(out.decode("latin-1"))
EOF
}
serves() {
    run 0 "$SPDM" attest --trust "$dir/w/root.pem" "$target"
    says "$dir/out" "Verdict: trusted"
}

# ---- typos ----
begin
tell 0 "clients 0" status
tell 2 '"staus" is no command; known are status, event, end-session, reset, stop; did you mean status?' staus
tell 2 "no command" ""
tell 2 "nothing can stand behind reset" "reset now"
tell 2 "event measurement-changed LIST" "event"
for wrong in "event measurement-changed" "event measurment-changed 1" "event measurement-changed 0" \
    "event measurement-changed 255" "event measurement-changed 1,,2" "event measurement-changed 1 2" \
    "event measurement-changed -1" "event certificate-changed 8" "event certificate-changed 1,"; do
    tell 2 "LIST as 1,2: measurements 1 to 254, slots 0 to 7" "$wrong"
done
tell 2 "end-session NUMBER now expected" "end-session ffff0001 now please"
tell 2 "there is no session ffff0001" "end-session ffff0001"
tell 0 "sessions 0" "event measurement-changed 1,254"
tell 0 "sessions 0" "event certificate-changed 0,7"
tell 2 "a command is one line, and not that long" "$(printf '%0500d' 0)"
run 2 "$SPDM" respond --tell "$dir/$(printf '%0120d' 0)" status
says "$dir/err" "the path is longer than"
run 3 "$SPDM" respond --tell "$dir/nobody" status
says "$dir/err" "No such file"
run 3 "$SPDM" respond --tell "$dir/w/device.cfg" status
says "$dir/err" "--tell"

# ---- garbage, half lines, many lines, and who leaves before the answer ----
raw 'status'
says "$dir/out" "listening on" "ok"
raw 'status\r\nnonsense\n\nstatus\n'
[ "$(grep -c -x ok "$dir/out") $(grep -c '^error:' "$dir/out")" = "2 2" ] || bad "four lines: $(cat "$dir/out")"
raw "$(printf 'status\\n%.0s' 1 2 3 4 5 6 7 8 9 10)$(printf 'x\\n%.0s' 1 2 3 4 5 6 7 8 9 10)$(printf 'status\\n%.0s' \
    1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50)"
[ "$(grep -c -x ok "$dir/out")" -eq 60 ] || bad "$(grep -c -x ok "$dir/out") of 60 commands were answered"
raw "$(printf '%01600d' 0)"
[ "$(cat "$dir/out")" = "error: the line is longer than 399 bytes" ] || bad "a long line: $(cat "$dir/out")"
raw "$(printf '%0600d' 0)\\nstatus\\n"
says "$dir/out" "error: the line is longer" "clients 0" "ok"
raw '\033[31mred\n'
says "$dir/out" "is no command"
! grep -q "$(printf '\033')" "$dir/out" || bad "an escape sequence comes back"
raw '\000\377\376stop\n'
says "$dir/out" "error:"
raw ''
python3 - "$dir/socket" <<'EOF'
import socket, sys
for i in range(200):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall([b"status\n", b"sta", b"event measurement-changed 1\nstatus\n", b""][i % 4])
    s.close()
EOF
serves
tell 0 "clients 0" status

# ---- a socket that is taken stays so; one that was left behind does not ----
run 2 "$SPDM" respond -l tcp://127.0.0.1:0 --control "$dir/socket" "$dir/w/device.cfg"
says "$dir/err" "the directory $dir/w/one is in use by another process"
printf '%s\n' 'measurements = ( { text = "other"; } );' >"$dir/other.cfg"
run 2 "$SPDM" respond -l tcp://127.0.0.1:0 --control "$dir/socket" "$dir/other.cfg"
says "$dir/err" "another process listens there"
tell 0 "clients 0" status
kill -9 "$responder"
wait "$responder" 2>/dev/null
run 3 "$SPDM" respond --tell "$dir/socket" status
begin
tell 0 "clients 0" status
run 2 "$SPDM" respond -l tcp://127.0.0.1:0 --control "$dir/w/device.cfg" "$dir/other.cfg"
says "$dir/err" "--control $dir/w/device.cfg"
[ -s "$dir/w/device.cfg" ] || bad "a file was taken for a socket"

# ---- a description that cannot be used: the device is as it was, and so is what it keeps ----
run 0 "$SPDM" keys -q -a ecdsa-p256 --keep-ca -o "$dir/ca"
mv "$dir/w/device.cfg" "$dir/w/gone.cfg"
tell 2 "the device is as it was, see its log" reset
says "$dir/log" "cannot read the device description"
printf 'measurements = ( { text = "firm' >"$dir/w/device.cfg"
tell 2 "the device is as it was" reset
head -c 3000 /dev/urandom >"$dir/w/device.cfg"
tell 2 "the device is as it was" reset
serves
for two in 'provisioning: { state = "two"; };' 'provisioning: { state = "no/where"; };' 'events: { types = ["never"]; };'; do
    describe "$two" 'sizes: { data_transfer_size = 100; };'
    tell 2 "the device is as it was" reset
done
describe 'events: { };' 'provisioning: { state = "one"; trusted_place = true; };'
run 0 "$SPDM" provision --ca "$dir/ca" --subject CN=kept "$target"
[ -s "$dir/w/one/state" ] || bad "what was given is not kept where it was"
[ ! -e "$dir/w/two/state" ] || bad "what was given is kept where a description says that was not taken"
# now it is taken: another directory, and the first is free for others
describe 'provisioning: { state = "two"; trusted_place = true; };'
run 0 "$SPDM" respond --tell "$dir/socket" reset
run 1 "$SPDM" attest --slot 1 --trust "$dir/ca/root.pem" "$target"
printf '%s\n' 'slots = ( { chain = "chain.der"; key = "leaf.key"; }, { slot = 1; } );' \
    'provisioning: { state = "one"; };' >"$dir/w/first.cfg"
"$SPDM" respond -q --once -l tcp://127.0.0.1:0 --port-file "$dir/ports2" "$dir/w/first.cfg" >"$dir/log2" 2>&1 &
second=$!
wait_until test -s "$dir/ports2"
run 0 "$SPDM" attest --slot 1 --trust "$dir/ca/root.pem" "tcp://127.0.0.1:$(cat "$dir/ports2")"
says "$dir/out" "CN=kept"
wait "$second" || bad "the second device ended with $?: $(cat "$dir/log2")"
run 0 "$SPDM" respond --tell "$dir/socket" stop
ended 0
[ ! -e "$dir/socket" ] || bad "the socket stays"
finish
