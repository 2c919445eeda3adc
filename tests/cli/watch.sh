#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# `spdm watch`: events as they come, until there were enough, a signal comes, or the device is gone.
. tests/support/respond.sh

run 0 "$SPDM" keys -q -o "$dir/w"
run 0 "$SPDM" keys -q -o "$dir/o"
trust="$dir/w/root.pem"
watching() { # EXPECTED_EXIT OPTION...
    code=$1
    shift
    run "$code" timeout 60 "$SPDM" watch --trust "$trust" --interval 100ms "$@" "$mctp"
}
device() { # SETTING...
    driver "$dir/w/device.cfg" events=1 caps=+EVENT_CAP,ENCAP_CAP "$@"
}
logged() { # COUNT TEXT
    got=$(grep -cF -e "$2" "$dir/log")
    [ "$got" -eq "$1" ] || bad "'$2' is $got times in the log, not $1"
}

# Two messages, three events; then it unsubscribes and ends the session
device
watching 0 --count 3
says "$dir/out" "CN=Assay test device tells of" "  certificates changed" "measurements changed: index 1, 3" \
    "certificates changed: slots 1" "PCI-SIG 8680 event 7: cafe"
[ ! -s "$dir/err" ] || bad "it complained: $(cat "$dir/err")"
logged 1 "subscribed bytes=10"
logged 1 "subscribed bytes=0"
logged 1 "closed the session was ended"
watching 0 --count 1 --quiet
[ "$(wc -l <"$dir/out")" -eq 1 ] || bad "not one line"
watching 0 --count 3 --json
jq -sc 'map(.instance)' "$dir/out" >"$dir/types"
says "$dir/types" "[0,1,2]"
jq -sc 'map(.type)' "$dir/out" >"$dir/types"
says "$dir/types" "[2,4,7]"
jq -sc 'map(.of)' "$dir/out" >"$dir/types"
says "$dir/types" "[[1,3],[1],[]]"
jq -sc 'map(.body)' "$dir/out" >"$dir/types"
says "$dir/types" '["DMTF","DMTF","PCI-SIG"]'
watching 0 --count 1 --only certificates,update
logged 1 "subscribed bytes=18"
for version in 1.3 1.4; do watching 0 --count 1 --version $version; done
stop

# Heartbeats keep the session alive while nothing happens, longer than --timeout; a signal ends it in order
device heartbeat=1
rm "$dir/out"
"$SPDM" watch --trust "$trust" --interval 30s --timeout 2s --quiet "$mctp" >"$dir/out" 2>"$dir/err" &
watcher=$!
wait_until grep -q "PCI-SIG" "$dir/out"
sleep 4
kill -INT "$watcher" || bad "the watcher has ended"
wait "$watcher" || bad "interrupted, it ended with $?"
[ ! -s "$dir/err" ] || bad "it complained: $(cat "$dir/err")"
logged 1 "subscribed bytes=0"
logged 1 "closed the session was ended"

# The device goes away
rm "$dir/out"
"$SPDM" watch --trust "$trust" --interval 30s --quiet "$mctp" >"$dir/out" 2>"$dir/err" &
watcher=$!
wait_until grep -q "PCI-SIG" "$dir/out"
stop
wait "$watcher"
status=$?
[ $status -eq 3 ] || bad "the device is gone, and it ended with $status"
says "$dir/err" "closed the connection"

# No events, or none that are wanted; not trusted
device
watching 4 --version 1.2
says "$dir/err" "no events before SPDM 1.3"
run 1 "$SPDM" watch --trust "$dir/o/root.pem" "$mctp"
says "$dir/err" "none of the 1 trust anchors"
logged 0 subscribed
stop
driver "$dir/w/device.cfg"
watching 4
says "$dir/err" "tells of no events (EVENT_CAP)"
stop
device errand-error=5
watching 4
says "$dir/err" "asking for its events" "Unspecified"
stop
watching 3 --timeout 2
for wrong in "--only everything" "--count 0" "--json --quiet" "--conut 1" "--interval 1ms"; do
    # shellcheck disable=SC2086 # words
    watching 2 $wrong
done

# Until it is subscribed to, --timeout is for all of it
cat >"$dir/w/slow.cfg" <<EOF
slots = ( { chain = "chain.der"; key = "leaf.key"; } );
events: {};
EOF
start -l emu+mctp://127.0.0.1:0 --tamper delay=250ms "$dir/w/slow.cfg"
mctp=emu+mctp://127.0.0.1:$(cat "$dir/ports")
watching 3 --timeout 1100ms
says "$dir/err" "not finished after 1.100 s, waiting for the answer to "
kill "$responder"
ended 0
finish
