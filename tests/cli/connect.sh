#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# `spdm connect` and `spdm attest --session` from end to end, against `spdm respond --app`: what passes, what is refused,
# how it ends. ASSAY_SLOW=1 sends 1 GiB both ways as well.
. tests/support/respond.sh
: "${BUILD_DIR:?names the directory with the helper that reads captures}"

make_identity good
make_identity other
make_identity me
printf 'the key of both' >"$dir/psk"
device='slots = ( { chain = "good.pem"; key = "good.key"; } );
    measurements = ( { index = 1; type = "rom"; text = "rom"; form = "digest"; }, { index = 2; text = "two"; } );'
psks='psks = ( { hint = "both"; file = "psk"; } );'
echo "$device sessions: { $psks };" >"$dir/device.cfg"
echo "$device requesters: { trust = [\"me-root.pem\"]; };" >"$dir/mutual.cfg"
openssl pkey -in "$dir/me.key" -pubout -out "$dir/me.pub"
openssl pkey -in "$dir/other.key" -pubout -out "$dir/other.pub"
echo "$device requesters: { public_key = \"me.pub\"; };" >"$dir/known.cfg"
trust="--trust $dir/good-root.pem"

restart() { # OPTION... DEVICE
    if [ -n "$responder" ]; then
        kill "$responder"
        ended 0
    fi
    start -l tcp://127.0.0.1:0 -l emu+mctp://127.0.0.1:0 -l emu+doe://127.0.0.1:0 "$@"
    tcp=tcp://127.0.0.1:$(sed -n 1p "$dir/ports")
    mctp=emu+mctp://127.0.0.1:$(sed -n 2p "$dir/ports")
    doe=emu+doe://127.0.0.1:$(sed -n 3p "$dir/ports")
}
# connect EXPECTED_EXIT INPUT OPTION...: standard input is that file; output in $dir/out and $dir/err
connect() {
    expected=$1 input=$2
    shift 2
    "$SPDM" connect "$@" <"$input" >"$dir/out" 2>"$dir/err"
    status=$?
    [ $status -eq "$expected" ] || {
        bad "connect $* ended with $status, $expected expected"
        cat "$dir/err"
    }
}
same() { # INPUT: it has come back
    cmp -s "$1" "$dir/out" || bad "what came back of $1 is not what was sent: $(wc -c <"$dir/out") bytes"
}

echo hello >"$dir/hello"
head -c 67108864 /dev/urandom >"$dir/large"
head -c 200000 /dev/urandom >"$dir/small"
restart --app echo "$dir/device.cfg"

# What goes in comes back, over every transport that carries application data, by key exchange or pre-shared key
# shellcheck disable=SC2086 # two words
for target in "$tcp" "$mctp"; do
    connect 0 "$dir/hello" $trust "$target"
    same "$dir/hello"
    says "$dir/err" "spdm connect: $target is CN=good device; SECP384R1, AES_256_GCM"
    connect 0 "$dir/hello" -q --psk "$dir/psk" --psk-hint both "$target"
    same "$dir/hello"
    [ ! -s "$dir/err" ] || bad "--quiet said something"
    connect 0 /dev/null -q $trust "$target"
    connect 0 "$dir/small" $trust --mac-only --exchange FFDHE_3072 --aead CHACHA20_POLY1305 "$target"
    same "$dir/small"
    for version in 1.1 1.2 1.3 1.4; do
        connect 0 "$dir/small" $trust --version $version --rekey 50K "$target"
        same "$dir/small"
    done
done
# shellcheck disable=SC2086
connect 2 "$dir/hello" $trust "$doe"
says "$dir/err" "spdm connect: $doe: PCI DOE carries SPDM messages only, no application data"

# 64 MiB both ways under keys that change every 4 MiB, from and to a pipe; 1 GiB for who has the time
large() { # BYTES REKEY LEAST_UPDATES: from standard input
    # shellcheck disable=SC2086
    tee "$dir/sent" | "$SPDM" connect -q --stats --rekey "$2" $trust "$tcp" 2>"$dir/err" | sha256sum >"$dir/sum"
    [ "$(sha256sum <"$dir/sent")" = "$(cat "$dir/sum")" ] || bad "what came back of $1 bytes is not what was sent"
    says "$dir/err" "spdm connect: $1 bytes sent, $1 received in " " MB/s, "
    updates=$(sed -n 's/.* \([0-9]*\) key updates$/\1/p' "$dir/err")
    [ "${updates:-0}" -ge "$3" ] || bad "$updates key updates, $3 at least expected"
    cat "$dir/err"
    rm "$dir/sent"
}
large 67108864 4MiB 12 <"$dir/large"
if [ -n "${ASSAY_SLOW:-}" ]; then
    head -c 1073741824 /dev/urandom | large 1073741824 64MiB 15
fi

# A capture, read with the key log and with nothing else
# shellcheck disable=SC2086
{
    connect 0 "$dir/small" -q $trust --rekey 50K --keylog "$dir/keys" --pcap "$dir/cap" "$mctp"
    says "$dir/err" "the secrets of all sessions are written to $dir/keys"
    [ "$(stat -c %a "$dir/keys")" = 600 ] || bad "others may read the key log"
    run 0 "$BUILD_DIR/apps_test_keylog" "$dir/cap" "$dir/keys"
    says "$dir/err" " records, 0 of them could not be read"
    grep '^-> 7f00007ed900' "$dir/out" | cut -c 16- | tr -d '\n' |
        perl -e 'local $/; print pack("H*", <>)' >"$dir/sent"
    cmp -s "$dir/small" "$dir/sent" || bad "the capture does not hold what was sent"
    [ "$(grep -c '^REQ_DATA ' "$dir/keys")" -ge 4 ] || bad "not every key of the session was logged"
    # both ends write the same lines, and the trace of both shows the same messages
    restart --app echo --keylog "$dir/theirs" --trace "$dir/device.cfg"
    rm "$dir/keys"
    connect 0 "$dir/small" -q $trust --rekey 50K --keylog "$dir/keys" --trace "$mctp"
    sort "$dir/keys" >"$dir/keys.sorted"
    sort "$dir/theirs" >"$dir/theirs.sorted"
    cmp "$dir/keys.sorted" "$dir/theirs.sorted" || bad "the key logs of both ends differ"
    for file in err log; do
        says "$dir/$file" "in session ffffffff: SPDM 1.4 FINISH, " "ffffffff: SPDM 1.4 KEY_UPDATE_ACK, 4 bytes" \
            "in session ffffffff: application data, " "in session ffffffff: SPDM 1.4 END_SESSION_ACK, "
    done
    : >"$dir/other.log"
    run 1 "$BUILD_DIR/apps_test_keylog" "$dir/cap" "$dir/other.log"
}

# Measured inside a session
# shellcheck disable=SC2086
for target in "$tcp" "$mctp" "$doe"; do
    run 0 "$SPDM" attest --session $trust "$target"
    says "$dir/out" "opened with       SECP384R1" "session                 passed    opened with a key exchange" \
        "Verdict: trusted"
    run 0 "$SPDM" attest --session --json $trust "$target"
    [ "$(jq -r '.session.mode, .checks.session.state, .measurements.signed' "$dir/out" | tr '\n' ' ')" = \
        "key exchange passed true " ] || bad "attest --session --json: $(jq -c .session "$dir/out")"
    run 0 "$SPDM" attest --session --json --psk "$dir/psk" --psk-hint both "$target"
    [ "$(jq -r '.session.mode, .chain.source, .measurements.blocks[0].proven' "$dir/out" | tr '\n' ' ')" = \
        "psk pre-shared key true " ] || bad "attest --psk --json: $(jq -c .session "$dir/out")"
done

# Who is not trusted gets no session, and not a byte
# shellcheck disable=SC2086
{
    restart --app echo "$dir/device.cfg"
    connect 1 "$dir/hello" --trust "$dir/other-root.pem" "$tcp"
    says "$dir/err" "spdm connect: $tcp: not trusted - certificate chain: slot 0: the root, CN=good root, is none of"
    connect 1 "$dir/hello" --psk "$dir/hello" --psk-hint both "$tcp"
    says "$dir/err" "not trusted - PSK_EXCHANGE_RSP: ResponderVerifyData"
    connect 4 "$dir/hello" --psk "$dir/psk" --psk-hint nobody "$tcp"
    connect 1 "$dir/hello" $trust --version 1.0 "$tcp"
    says "$dir/err" "not trusted - session: SPDM 1.0, which was agreed on, has none"
    run 0 "$SPDM" attest -q $trust --save-reference "$dir/ref.json" "$tcp"
    sed 's/"two"/"2"/; s/"index": 2/"index": 3/' "$dir/ref.json" >"$dir/ref2.json"
    connect 1 "$dir/hello" $trust --reference "$dir/ref2.json" "$tcp"
    says "$dir/err" "not trusted - reference measurements: "
    grep -q "session [0-9a-f]*: stream" "$dir/log" && bad "a stream was opened to a device that is not trusted"
    connect 0 "$dir/hello" $trust --reference "$dir/ref.json" "$tcp"
    same "$dir/hello"
}

# A device that wants to know who asks: by a chain, or by a key that it was given
# shellcheck disable=SC2086
{
    restart --app echo "$dir/mutual.cfg"
    own="--own-chain $dir/me.pem --own-key $dir/me.key"
    connect 0 "$dir/hello" -q $trust $own "$tcp"
    same "$dir/hello"
    run 0 "$SPDM" attest --session --json $trust $own "$doe"
    [ "$(jq -r .session.mutual_authentication "$dir/out")" = true ] || bad "the device did not ask who we are"
    connect 4 "$dir/hello" $trust "$tcp"
    says "$dir/err" "protocol error - KEY_EXCHANGE_RSP: the peer answered ERROR"
    connect 4 "$dir/hello" $trust --own-chain "$dir/other.pem" --own-key "$dir/other.key" "$tcp"
    restart --app echo "$dir/known.cfg"
    connect 0 "$dir/hello" -q $trust --own-public-key "$dir/me.pub" --own-key "$dir/me.key" "$tcp"
    same "$dir/hello"
    connect 4 "$dir/hello" $trust --own-public-key "$dir/other.pub" --own-key "$dir/other.key" "$tcp"
}

# Applications: a command, a socket, none, and one that fails
# shellcheck disable=SC2086
{
    restart --app 'exec:tr a-z A-Z; echo end' "$dir/device.cfg"
    connect 0 "$dir/hello" -q $trust "$tcp"
    [ "$(tr '\n' ' ' <"$dir/out")" = "HELLO end " ] || bad "exec: gave $(cat "$dir/out")"
    restart --app 'exec:exit 3' "$dir/device.cfg"
    connect 3 /dev/null $trust "$tcp"
    says "$dir/err" "the other end broke off: the application ended with status 3, after 0 bytes out and 0 in"
    restart "$dir/device.cfg"
    connect 3 "$dir/hello" $trust "$tcp"
    says "$dir/err" "the other end broke off: there is no application here"
}

# Ends: the output is closed, the user interrupts, the device is unplugged, somebody meddles
# shellcheck disable=SC2086
{
    restart --app echo "$dir/device.cfg"
    { "$SPDM" connect -q $trust "$tcp" <"$dir/large" 2>"$dir/err"; echo $? >"$dir/code"; } | head -c 10 >/dev/null
    [ "$(cat "$dir/code")" -eq 2 ] || bad "a closed output ended with $(cat "$dir/code")"
    says "$dir/err" "cannot write the output: broken pipe, after "
    "$SPDM" connect -q $trust "$tcp" <&- >"$dir/out" 2>"$dir/err"
    [ $? -eq 2 ] || bad "a closed input was fine"
    says "$dir/err" "cannot read the input: Bad file descriptor"
    mkfifo "$dir/fifo"
    talks() { # connects, and has been heard
        rm -f "$dir/back"
        "$SPDM" connect -q $trust "$tcp" <"$dir/fifo" >"$dir/back" 2>"$dir/err" &
        client=$!
        exec 9>"$dir/fifo"
        cat "$dir/hello" >&9
        wait_until cmp -s "$dir/hello" "$dir/back"
    }
    talks
    kill -TERM $client
    wait $client
    [ $? -eq 143 ] || bad "SIGTERM did not end it as it should"
    exec 9>&-
    wait_until grep -q "stream reset by the requester: interrupted" "$dir/log"
    talks
    kill -9 "$responder"
    wait "$responder"
    responder=
    wait $client
    [ $? -eq 3 ] || bad "an unplugged device did not end it with 3"
    exec 9>&-
    says "$dir/err" "onnection" ", after 6 bytes out and 6 in"
    connect 3 "$dir/hello" $trust "$tcp"
    says "$dir/err" "unreachable - cannot reach $tcp"
}

# Somebody on the way who changes one byte of a record, or what follows in the stream: nothing of it comes out
restart --app echo "$dir/device.cfg"
meddle() { # LENGTH: a record from the device that is longer than this is changed in its last byte
    rm -f "$dir/port"
    perl -MIO::Socket::INET -e '
        my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1:0", Listen => 1) or die;
        open(my $f, ">", "$ARGV[0].part"); print $f $l->sockport(), "\n"; close($f); rename("$ARGV[0].part", $ARGV[0]);
        alarm 20;
        my $c = $l->accept();
        my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[1]") or die;
        while (1) {
            my ($r, $b) = ("", "");
            vec($r, fileno($_), 1) = 1 for $c, $s;
            select($r, undef, undef, undef);
            if (vec($r, fileno($c), 1)) { sysread($c, $b, 65536) or exit; syswrite($s, $b) }
            else {
                sysread($s, $b, 65536) or exit;
                substr($b, -1) ^= "\1" if ord(substr($b, 3, 1)) == 6 && length($b) > $ARGV[2];
                syswrite($c, $b);
            }
        }' "$dir/port" "$(sed -n 1p "$dir/ports")" "$1" &
    wait_until test -s "$dir/port"
    between=tcp://127.0.0.1:$(cat "$dir/port")
}
# shellcheck disable=SC2086
{
    meddle 100000
    connect 0 "$dir/hello" -q $trust "$between"
    same "$dir/hello"
    meddle 1000
    connect 4 "$dir/small" -q $trust "$between"
    says "$dir/err" "a secured record did not open" ", after "
    cmp -s -n "$(wc -c <"$dir/out")" "$dir/small" "$dir/out" || bad "changed bytes came out"
}

# Somebody who speaks something else
perl -MIO::Socket::INET -e '
    my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1:0", Listen => 1) or die;
    open(my $f, ">", "$ARGV[0].part"); print $f $l->sockport(), "\n"; close($f); rename("$ARGV[0].part", $ARGV[0]);
    alarm 20;
    my $c = $l->accept(); print $c "HTTP/1.0 400 Bad Request\r\n\r\n"; $c->flush(); sysread($c, my $b, 9) for 1 .. 9' \
    "$dir/http" &
wait_until test -s "$dir/http"
# shellcheck disable=SC2086
connect 4 "$dir/hello" $trust "tcp://127.0.0.1:$(cat "$dir/http")"
says "$dir/err" "protocol error - "

# A socket that programs connect to, each with a session of its own
# shellcheck disable=SC2086
{
    forwards() { # ADDRESS
        rm -f "$dir/forward.log" # of one before
        "$SPDM" connect --stats --forward "$1" $trust "$tcp" 2>"$dir/forward.log" &
        client=$!
        wait_until grep -q "listening on" "$dir/forward.log" || cat "$dir/forward.log"
    }
    forwards "$dir/sock"
    [ "$(stat -c %a "$dir/sock")" = 700 ] || bad "others may connect to the socket"
    perl -MIO::Socket::UNIX -e '
        my @s = map { IO::Socket::UNIX->new(Peer => $ARGV[0]) or die } 1 .. 5;
        for my $i (0 .. 4) { print {$s[$i]} "hello $i\n"; $s[$i]->flush() }
        for my $i (0 .. 4) { my $l = readline($s[$i]); print $l }
        for my $s (@s) { shutdown($s, 1); die if defined readline($s) }' "$dir/sock" >"$dir/out"
    [ "$(tr '\n' ' ' <"$dir/out")" = "hello 0 hello 1 hello 2 hello 3 hello 4 " ] || bad "five at once: $(cat "$dir/out")"
    # shellcheck disable=SC2317 # it is run by wait_until
    five_lines() { [ "$(grep -c 'bytes sent, 8 received' "$dir/forward.log")" = 5 ]; }
    wait_until five_lines
    kill $client
    wait $client || bad "a forwarder that was stopped did not end well"
    [ ! -e "$dir/sock" ] || bad "the socket file stayed"
    forwards 127.0.0.1:0
    address=$(sed -n 's/.*listening on \([^ ]*\) for.*/\1/p' "$dir/forward.log")
    perl -MIO::Socket::INET -e '
        my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0]) or die;
        print $s "over tcp\n"; shutdown($s, 1); print while readline($s)' "$address" >"$dir/out"
    [ "$(cat "$dir/out")" = "over tcp" ] || bad "forwarded over tcp: $(cat "$dir/out")"
    kill "$responder"
    ended 0
    perl -MIO::Socket::INET -e '
        my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0]) or die;
        exit(defined readline($s) ? 1 : 0)' "$address" || bad "an unplugged device was not noticed"
    wait_until grep -q "unreachable - cannot reach $tcp" "$dir/forward.log"
    kill $client
    wait $client
}

# Wrong usage: exit 2, one sentence, and no connection
start -l tcp://127.0.0.1:0 "$dir/device.cfg"
tcp=tcp://127.0.0.1:$(sed -n 1p "$dir/ports")
wrong() { # TEXT OPTION...
    text=$1
    shift
    run 2 "$SPDM" connect "$@"
    says "$dir/err" "spdm connect: " "$text"
    [ ! -s "$dir/out" ] || bad "an error wrote to stdout"
}
wrong "TARGET is missing" --quiet
wrong 'unexpected argument' "$tcp" "$tcp"
wrong "did you mean --forward?" --forwrd x "$tcp"
wrong '--rekey "64X": a size as 64MiB' --rekey 64X "$tcp"
wrong '--rekey "": a size' --rekey= "$tcp"
wrong '--rekey "99999999999T": a size' --rekey 99999999999T "$tcp"
wrong '--forward "host:99999": a path, or HOST:PORT' --forward host:99999 "$tcp"
wrong "--public is about --forward" --public "$tcp"
wrong "other machines could reach this address; give --public" --forward 0.0.0.0:0 "$tcp"
wrong "--forward $dir/no/sock: No such file" --forward "$dir/no/sock" "$tcp"
wrong "--forward $dir/hello: Address already in use" --forward "$dir/hello" "$tcp"
wrong "--exchange has no use" --psk "$dir/psk" --exchange SECP384R1 "$tcp"
wrong "--psk $dir/nothing: No such file" --psk "$dir/nothing" "$tcp"
wrong "--reference $dir/nothing: No such file" --reference "$dir/nothing" "$tcp"
wrong "a target is SCHEME://HOST" localhost
kill "$responder"
ended 0
says "$dir/log" "served 0 clients"

finish
