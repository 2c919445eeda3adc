#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A device ends sessions, told to on its control socket: with END_SESSION in an envelope, or by DecryptError.
. tests/support/respond.sh

run 0 "$SPDM" keys -q -a ecdsa-p256 -o "$dir/w"
printf '%s\n' 'measurements = ( { text = "firmware"; } );' 'events: { };' \
    'slots = ( { chain = "chain.der"; key = "leaf.key"; } );' >"$dir/w/device.cfg"
start -l tcp://127.0.0.1:0 --control "$dir/control" --pcap "$dir/p.pcap" --keylog "$dir/keys" "$dir/w/device.cfg"
target=tcp://127.0.0.1:$(sed -n 1p "$dir/ports")

tell() { # EXPECTED_EXIT COMMAND
    run "$1" timeout 20 "$SPDM" respond --tell "$dir/control" "$2"
}
# watch OPTION...: in the background; its session is $session
watch() {
    opened=$(grep -c " opened by " "$dir/log")
    rm -f "$dir/seen" "$dir/why"
    timeout 60 "$SPDM" watch --trust "$dir/w/root.pem" --interval 100ms "$@" "$target" >"$dir/seen" 2>"$dir/why" &
    watcher=$!
    wait_until grep -q "certificates changed" "$dir/seen"
    session=$(sed -n 's/.* session \([0-9a-f]*\) opened by.*/\1/p' "$dir/log" | tail -1)
    [ "$(grep -c " opened by " "$dir/log")" -eq $((opened + 1)) ] || bad "no session was opened"
}
watched() { # EXPECTED_EXIT TEXT
    wait "$watcher"
    status=$?
    [ $status -eq "$1" ] || bad "the watcher ended with $status, $1 expected: $(cat "$dir/why")"
    says "$dir/why" "$2"
}

# Who is told; who is not, since the version has no way to
watch
tell 0 "end-session $session"
says "$dir/out" "sessions 1"
watched 3 "the session was ended"
wait_until grep -q "session $session closed: the session was ended" "$dir/log"
watch --version 1.3
tell 2 "end-session $session"
says "$dir/err" "cannot be told (SPDM 1.4"
tell 0 "end-session $session now"
watched 4 "DecryptError"
[ "$(grep -c "session $session closed: the session was ended" "$dir/log")" -eq 2 ] || bad "it did not end twice"

# Typing mistakes, and what is not there
tell 2 "end-session $session"
says "$dir/err" "there is no session $session"
for words in "end-session" "end-session 0" "end-session xyz" "end-session 123456789" "end-session $session later"; do
    tell 2 "$words"
    says "$dir/err" "NUMBER as the log has it"
done

# Who listens in sees both ends of both
kill "$responder"
ended 0
run 0 "$SPDM" decode --keylog "$dir/keys" --no-time "$dir/p.pcap"
says "$dir/out" "END_SESSION" "END_SESSION_ACK" "DecryptError"
grep -q "not known" "$dir/out" && bad "a record was not opened"
finish
