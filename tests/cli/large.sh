#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Messages in chunks between `spdm attest` and `spdm respond`: the sizes of both sides, every version that has chunks, in
# and outside of sessions, both sides proving who they are; and what is said where there is no way.
. tests/support/respond.sh

make_identity good
make_identity me
head -c 20000 /dev/urandom >"$dir/firmware"
device='slots = ( { chain = "good.pem"; key = "good.key"; } );
    measurements = ( { index = 1; type = "rom"; text = "rom"; form = "digest"; },
    { index = 2; file = "firmware"; form = "raw"; }, { index = 3; file = "firmware"; form = "raw"; },
    { index = 4; type = "svn"; number = 7; } );'
sizes='sizes: { data_transfer_size = 42; send_size = 100; max_message_size = 4000; };'
echo "$device $sizes requesters: { trust = [\"me-root.pem\"]; };" >"$dir/small.cfg"
echo "$device versions = [\"1.1\", \"1.0\"];" >"$dir/old.cfg"
echo "$device capabilities = [\"CERT\", \"CHAL\", \"MEAS_SIG\"];" >"$dir/whole.cfg"
trust="--trust $dir/good-root.pem"
me="--own-chain $dir/me.pem --own-key $dir/me.key"

restart() { # DEVICE
    if [ -n "$responder" ]; then
        kill "$responder"
        ended 0
    fi
    start -l tcp://127.0.0.1:0 -l emu+mctp://127.0.0.1:0 -l emu+doe://127.0.0.1:0 "$dir/$1.cfg"
    tcp=tcp://127.0.0.1:$(sed -n 1p "$dir/ports")
    mctp=emu+mctp://127.0.0.1:$(sed -n 2p "$dir/ports")
    doe=emu+doe://127.0.0.1:$(sed -n 3p "$dir/ports")
}
# attest EXPECTED_EXIT OPTION...: a capture is kept, in $dir/messages what it comes to, in which nothing may be wrong
attest() {
    expected=$1
    shift
    rm -f "$dir/cap.pcap" "$dir/keys"
    run "$expected" "$SPDM" attest --pcap "$dir/cap.pcap" "$@"
    secrets=
    [ ! -e "$dir/keys" ] || secrets="--keylog $dir/keys"
    # shellcheck disable=SC2086 # two words
    "$SPDM" decode -j $secrets "$dir/cap.pcap" >"$dir/messages" || bad "decode: $(tail -n 1 "$dir/messages")"
}
largest() { # FROM: message in the capture, on its own
    jq -s "[.[] | select(.from == \"$1\" and .inside == null) | .length] | max" "$dir/messages"
}
chunked() { # NAME...: these came in chunks
    jq -r 'select(.inside == "chunks") | .name' "$dir/messages" >"$dir/names"
    says "$dir/names" "$@"
}
verified() { # NUMBER: so many signatures and no more
    got=$(jq -s '[.[] | select(.signature == "good")] | length' "$dir/messages")
    [ "$got" = "$1" ] || bad "$got signatures verified, $1 expected"
}

# The responder has room for a signature and no more, and sends 40 kB; every transport, every version that has chunks
restart small
# shellcheck disable=SC2086 # several words
for version in 1.2 1.3 1.4; do
    attest 0 $trust --version $version --raw --challenge --data-transfer-size 64 "$tcp"
    says "$dir/out" "message size      42 a transfer, 4000 in all" "Verdict: trusted"
    verified 2
    [ "$(largest requester)" -le 42 ] || bad "$version: a request of $(largest requester) bytes"
    [ "$(largest responder)" -le 64 ] || bad "$version: a response of $(largest responder) bytes"
    chunked MEASUREMENTS CHALLENGE_AUTH
done
# shellcheck disable=SC2086
for target in "$mctp" "$doe"; do
    attest 0 $trust --raw "$target"
    verified 1
    [ "$(largest requester)" -le 44 ] || bad "$target: a request of $(largest requester) bytes" # DOE pads
    chunked MEASUREMENTS
done

# Sessions: each chunk in a record of its own; who asks proves itself in envelopes and a FINISH, in chunks too
# shellcheck disable=SC2086
for version in 1.2 1.3 1.4; do
    attest 0 $trust --version $version --session $me --keylog "$dir/keys" --data-transfer-size 50 --raw "$tcp"
    says "$dir/out" "who we are        proven to the device"
    verified 3
    [ "$(largest requester)" -le 42 ] || bad "session, $version: a request of $(largest requester) bytes"
    [ "$(largest responder)" -le 50 ] || bad "session, $version: a response of $(largest responder) bytes"
    chunked KEY_EXCHANGE KEY_EXCHANGE_RSP FINISH MEASUREMENTS
done

# What is larger than is taken in all is not fetched, and it is told why
# shellcheck disable=SC2086
{
    attest 0 $trust --max-message-size 40300 --raw "$tcp"
    attest 4 $trust --max-message-size 40000 --raw "$tcp"
    says "$dir/out" "Verdict: protocol error"
    says "$dir/out" "ERROR ResponseTooLarge"
    run 2 "$SPDM" attest $trust --data-transfer-size 41 "$tcp"
    run 2 "$SPDM" attest $trust --data-transfer-size 65521 "$tcp"
    run 2 "$SPDM" attest $trust --data-transfer-size 5000 --max-message-size 4999 "$tcp"
    says "$dir/err" "--max-message-size is at least --data-transfer-size"
}

# A device without chunks, and one from before them
restart whole
# shellcheck disable=SC2086
{
    attest 4 $trust --data-transfer-size 5000 --max-message-size 5000 --raw "$tcp"
    attest 0 $trust --data-transfer-size 5000 "$tcp"
}
restart old
# shellcheck disable=SC2086
{
    attest 0 $trust --data-transfer-size 500 "$tcp"
    says "$dir/out" "Verdict: trusted" "SPDM version      1.1"
}

[ $failures -eq 0 ]
