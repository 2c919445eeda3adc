#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# `spdm respond` as a service: ports, signals, a description that changes, captures, ends.
. tests/support/respond.sh

make_chain p256 EC -pkeyopt ec_paramgen_curve:P-256
good='slots = ( { chain = "p256.pem"; key = "p256.key"; } ); measurements = ( { text = "one"; } );'
echo "$good" >"$dir/device.cfg"

# hex TARGET_PORT HEX: sends bytes, prints what comes back until the end or a second of silence
hex() {
    perl -MIO::Socket::INET -e '
        my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[0]") or die;
        print $s pack("H*", $ARGV[1]); $s->flush();
        my ($bits, $all) = ("", "");
        vec($bits, fileno($s), 1) = 1;
        while (select(my $r = $bits, undef, undef, 1)) { sysread($s, my $b, 4096) or last; $all .= $b }
        print unpack("H*", $all), "\n"' "$1" "$2"
}

# Several listeners, ports in their order, each announced; an end by SIGTERM and by SIGINT is an orderly one
start -l tcp://127.0.0.1:0 -l "emu+mctp://127.0.0.1:0" -l "emu+doe://[::1]:0" "$dir/device.cfg"
says "$dir/log" "listening on tcp://127.0.0.1:$(sed -n 1p "$dir/ports")," \
    "listening on emu+mctp://127.0.0.1:$(sed -n 2p "$dir/ports")," \
    "listening on emu+doe://[::1]:$(sed -n 3p "$dir/ports"), serving device: slot 0 (EC P-256), 1 measurement,"
[ "$(wc -l <"$dir/ports")" -eq 3 ] || bad "not one port per line"
got=$(hex "$(sed -n 1p "$dir/ports")" 0400010510840000)
case $got in
1000010510040000*) ;;
*) bad "GET_VERSION over tcp is answered with '$got'" ;;
esac
got=$(hex "$(sed -n 2p "$dir/ports")" 0000000100000001000000050510840000)
case $got in
0000000100000001*0510040000*) ;;
*) bad "GET_VERSION over emu+mctp is answered with '$got'" ;;
esac
kill -TERM "$responder"
ended 0
says "$dir/log" "stopping: terminated" "served 2 clients (1 at once), 2 requests, 0 signatures"
start -l tcp://127.0.0.1:0 "$dir/device.cfg"
port=$(cat "$dir/ports")
kill -INT "$responder"
ended 0

# --quiet says nothing at all
start -q -l "tcp://127.0.0.1:$port" "$dir/device.cfg"
hex "$port" 0400010510840000 >/dev/null
# a taken port
run 2 "$SPDM" respond -l "tcp://127.0.0.1:$port" "$dir/device.cfg"
says "$dir/err" "cannot listen on tcp://127.0.0.1:$port: address already in use"
kill "$responder"
ended 0
[ ! -s "$dir/log" ] || bad "--quiet wrote: $(cat "$dir/log")"

# --once, and the emulator's SHUTDOWN with and without leave to end
start --once -l tcp://127.0.0.1:0 "$dir/device.cfg"
hex "$(cat "$dir/ports")" 0400010510840000 >/dev/null
ended 0
start -l "emu+mctp://127.0.0.1:0" "$dir/device.cfg"
[ "$(hex "$(cat "$dir/ports")" 0000fffe0000000100000000)" = 0000fffe0000000100000000 ] || bad "SHUTDOWN is not confirmed"
[ "$(hex "$(cat "$dir/ports")" 0000fffd0000000100000000)" = 0000fffd0000000100000000 ] || bad "ended by SHUTDOWN"
kill "$responder"
ended 0
start --end-on-shutdown -l "emu+mctp://127.0.0.1:0" "$dir/device.cfg"
[ "$(hex "$(cat "$dir/ports")" 0000fffe0000000100000000)" = 0000fffe0000000100000000 ] || bad "SHUTDOWN is not confirmed"
ended 0

# SIGHUP: a good description takes the place of the old, a bad one does not
start -l tcp://127.0.0.1:0 "$dir/device.cfg"
echo 'slots = ( { chain = "p256.pem"; key = "p256.key"; } ); oops = 1;' >"$dir/device.cfg"
kill -HUP "$responder"
wait_until grep -q "description not changed" "$dir/log"
says "$dir/log" "description not changed: $dir/device.cfg:1: there is no setting \"oops\" here"
echo "$good sizes: { data_transfer_size = 2000; };" >"$dir/device.cfg"
kill -HUP "$responder"
wait_until grep -q "sizes cannot change while running" "$dir/log"
[ -n "$(hex "$(cat "$dir/ports")" 0400010510840000)" ] || bad "not served after a bad description"
echo "name = \"second\"; $good" >"$dir/device.cfg"
kill -HUP "$responder"
wait_until grep -q "description read again" "$dir/log"
says "$dir/log" "0 clients must start over: second: slot 0"
kill "$responder"
ended 0
echo "$good" >"$dir/device.cfg"

# A client that had negotiated must start over: RequestResynch (ERROR 0x43) until GET_VERSION
start -l tcp://127.0.0.1:0 "$dir/device.cfg"
perl -MIO::Socket::INET -e '
    my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[0]") or die;
    sub ask { syswrite($s, pack("H*", $_[0])); sysread($s, my $b, 4096) or return "end"; return unpack("H*", $b) }
    print ask("0400010510840000"), "\n";
    kill "HUP", $ARGV[1]; sleep 1;
    print ask("0400010510e10000"), "\n", ask("0400010510840000"), "\n"' "$(cat "$dir/ports")" "$responder" >"$dir/out"
sed -n 2p "$dir/out" | grep -q "^04000105107f4300" || bad "after SIGHUP a request gets '$(sed -n 2p "$dir/out")'"
[ "$(sed -n 3p "$dir/out")" = "$(sed -n 1p "$dir/out")" ] || bad "GET_VERSION does not start over"
kill "$responder"
ended 0

# Streams need sessions, and a transport that carries application data
start --app echo -l "emu+doe://127.0.0.1:0" -l tcp://127.0.0.1:0 "$dir/device.cfg"
kill "$responder"
ended 0
says "$dir/log" "there will be no streams on emu+doe://127.0.0.1:" "this transport carries no application data"
! grep -q "no streams on tcp" "$dir/log" || bad "streams over TCP are doubted"
echo "$good sessions: { count = 0; };" >"$dir/device.cfg"
start --app echo -l tcp://127.0.0.1:0 "$dir/device.cfg"
kill "$responder"
ended 0
says "$dir/log" "there will be no streams: the device opens no sessions"
echo "$good" >"$dir/device.cfg"
run 2 "$SPDM" respond --app tcp -l tcp://127.0.0.1:0 "$dir/device.cfg"
says "$dir/err" "--app" "echo, exec:COMMAND, socket:PATH or socket:HOST:PORT expected"

# A command gets no file of ours but standard error
"$SPDM" keys -q -o "$dir/w"
start --pcap "$dir/app.pcap" --keylog "$dir/app.log" --app 'exec:ls -l /proc/self/fd' -l tcp://127.0.0.1:0 \
    "$dir/w/device.cfg"
"$SPDM" connect --trust "$dir/w/root.pem" "tcp://127.0.0.1:$(cat "$dir/ports")" </dev/null >"$dir/out" 2>"$dir/err" ||
    bad "connect: $(cat "$dir/err")"
kill -HUP "$responder"
wait_until grep -q "description read again" "$dir/log"
"$SPDM" connect --trust "$dir/w/root.pem" "tcp://127.0.0.1:$(cat "$dir/ports")" </dev/null >>"$dir/out" 2>"$dir/err" ||
    bad "connect: $(cat "$dir/err")"
kill "$responder"
ended 0
[ "$(grep -c -e '->' "$dir/out")" -eq 8 ] || bad "a command has other files than four: $(cat "$dir/out")"
says "$dir/log" "streams are for whoever can connect"

# Secrets of sessions, and what is inside them
start --trace --keylog "$dir/keys.log" --app echo -l tcp://127.0.0.1:0 "$dir/w/device.cfg"
echo hello | "$SPDM" connect --trust "$dir/w/root.pem" "tcp://127.0.0.1:$(cat "$dir/ports")" >"$dir/out" 2>"$dir/err" ||
    bad "connect: $(cat "$dir/err")"
[ "$(cat "$dir/out")" = hello ] || bad "the echo says '$(cat "$dir/out")'"
kill "$responder"
ended 0
says "$dir/log" "in session ffffffff: application data, 12 bytes" "in session ffffffff: SPDM 1.4 END_SESSION" \
    "the secrets of all sessions are written to $dir/keys.log"
grep -q "^[^#]" "$dir/keys.log" || bad "the key log is empty"
[ "$(stat -c %a "$dir/keys.log")" = 600 ] || bad "the key log can be read by others"
run 2 "$SPDM" respond --keylog /no/such/file -l tcp://127.0.0.1:0 "$dir/device.cfg"
says "$dir/err" "--keylog"

# Captures and traces
start --trace --pcap "$dir/x.pcap" -l tcp://127.0.0.1:0 "$dir/device.cfg"
hex "$(cat "$dir/ports")" 0400010510840000 >/dev/null
kill "$responder"
ended 0
says "$dir/log" "SPDM 1.0 GET_VERSION, 4 bytes" "SPDM 1.0 VERSION, 16 bytes" VersionNumberEntryCount
[ "$(od -An -tx1 -j20 -N4 "$dir/x.pcap" | tr -d ' \n')" = 71000000 ] || bad "not a LINUX_SLL capture"
[ "$(wc -c <"$dir/x.pcap")" -eq $((24 + 16 + 56 + 8 + 16 + 56 + 20)) ] || bad "the capture has $(wc -c <"$dir/x.pcap") bytes"
run 2 "$SPDM" respond --pcap /no/such/x.pcap -l tcp://127.0.0.1:0 "$dir/device.cfg"
says "$dir/err" "cannot write /no/such/x.pcap"
run 2 "$SPDM" respond --pcap "$dir/y" --pcap-format dmtf -l tcp://127.0.0.1:0 "$dir/device.cfg"
says "$dir/err" "for MCTP and PCI DOE only"
run 2 "$SPDM" respond --pcap "$dir/y" --pcap-format dmtf -l emu+doe://127.0.0.1:0 -l emu+mctp://127.0.0.1:0 \
    "$dir/device.cfg"
says "$dir/err" "one kind of link"
run 2 "$SPDM" respond --port-file /no/such/file -l tcp://127.0.0.1:0 "$dir/device.cfg"
says "$dir/err" "cannot write /no/such/file"

# A signal that comes twice, as timeout(1) sends it, ends no harder than one
for _ in 1 2 3 4 5; do
    start -l tcp://127.0.0.1:0 "$dir/device.cfg"
    kill "$responder"
    kill "$responder" 2>/dev/null
    kill -INT "$responder" 2>/dev/null
    ended 0
done

# However many clients misbehave, the log stays short
start -l tcp://127.0.0.1:0 "$dir/device.cfg"
perl -MIO::Socket::INET -e 'IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ARGV[0]") for 1..300' "$(cat "$dir/ports")"
wait_until grep -q "more lines about clients left out" "$dir/log"
kill "$responder"
ended 0
[ "$(wc -l <"$dir/log")" -lt 80 ] || bad "the log has $(wc -l <"$dir/log") lines"
says "$dir/log" "served 300 clients"

# Silent and half-hearted clients do not stay
start --stall 200ms --idle 400ms -l tcp://127.0.0.1:0 "$dir/device.cfg"
hex "$(cat "$dir/ports")" 0400 >/dev/null
wait_until grep -q "began a frame and did not finish it within 0.2 s" "$dir/log"
hex "$(cat "$dir/ports")" 0400010510840000 >/dev/null
wait_until grep -q "was silent for 0.4 s" "$dir/log"
kill "$responder"
ended 0
finish
