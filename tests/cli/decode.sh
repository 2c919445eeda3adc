#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# `spdm decode`: what it reads, shows, writes and refuses. What it makes of whole conversations is looked at by
# decode_golden.sh and decode_own.sh.
. tests/support/respond.sh
data=tests/data/captures
p256="--secrets $data/alg-p256-sha256-aes128.secrets $data/alg-p256-sha256-aes128.pcap"
full="--secrets $data/default-full.secrets $data/default-full.pcap"

decode() { # EXPECTED_EXIT OPTION...
    expected=$1
    shift
    run "$expected" "$SPDM" decode "$@"
}
same() { # FILE FILE
    cmp -s "$1" "$2" || {
        bad "$1 and $2 differ:"
        diff "$1" "$2" | head -n 10
    }
}
# log CAPTURE: its messages in front of the first session as a log
log() {
    "$SPDM" decode -j -x "$1" | jq -r 'select(.kind == "message" and .inside == null) |
        (if .from == "requester" then "> " else "< " end) + .bytes' | sed '/^> ..e4/,$d'
}
# plain CAPTURE [OPTION...]: the lines without time and place
plain() {
    "$SPDM" decode "$@" | sed -E 's/^ *([0-9]+) +[0-9.]* +(->|<-) /\1 \2 /; /^Connection/d'
}

# ---- what is shown ----
# shellcheck disable=SC2086 # several words
{
    decode 0 $p256
    says "$dir/out" "Connection 1, MCTP" \
        "     6    0.000000 <-          1.4 ALGORITHMS                    measurements SHA_256, ECDSA_P256, SHA_256, SECP256R1, AES_128_GCM, RSAPSS_3072, SPDM_KEY_SCHEDULE" \
        "FINISH                        SignatureIncluded  signature ok  HMAC ok" "slot 0, 3 certificates, CN=DMTF libspdm ECP256 responder cert" \
        "nothing is wrong"
    grep -q "$(printf '\033')" "$dir/out" && bad "colours, and this is no terminal"
    if command -v script >/dev/null; then
        script -qec "$SPDM decode $p256" /dev/null </dev/null >"$dir/terminal"
        grep -q "$(printf '\033')\[" "$dir/terminal" || bad "no colours on a terminal"
    fi
    decode 0 -v $p256
    says "$dir/out" "             6  MeasurementSpecification         1  DMTF" "            12  DataTransferSize                 4608 (0x1200)"
    decode 0 -x $p256
    says "$dir/out" "            12  00 12 00 00                                       DataTransferSize                 4608 (0x1200)"
    decode 0 -s $p256
    says "$dir/out" "  signature              ECDSA_P256 with SHA_256" "  Responder  slot 0  CN=DMTF libspdm ECP256 responder cert " \
        "  CHALLENGE                      1  " "  signatures    9 good, 0 bad, 0 unchecked" "  errors        0"
    decode 0 -q $p256
    [ ! -s "$dir/out" ] || bad "--quiet said something"

    # ---- for programs ----
    if python3 -c 'import jsonschema' 2>/dev/null; then
        for options in "-j" "-j -x" "-j -s"; do
            decode 0 $options $full
            tests/support/json_lines.py examples/decode.schema.json <"$dir/out" || bad "$options against the schema"
        done
        grep -q '"kind":"summary"' "$dir/out" || bad "no summary"
        sed 's/"errors":/"mistakes":/' "$dir/out" | tests/support/json_lines.py examples/decode.schema.json >"$dir/err" &&
            bad "the schema allows everything"
    else
        echo "no python3-jsonschema: JSON was not held against the schema"
    fi
    decode 0 -j $p256
    [ "$(jq -s -c '[.[] | select(.code == 3 and .inside == null) | [.name, .answers, .signature, .version, .length]]' "$dir/out")" = \
        '[["CHALLENGE_AUTH","CHALLENGE","good","1.4",174]]' ] || bad "JSON of CHALLENGE_AUTH: $(jq -c 'select(.code == 3) | .length' "$dir/out")"
    [ "$(jq -r 'select(.code == 97) | .fields[] | select(.name == "DataTransferSize") | "\(.offset) \(.size) \(.value)"' "$dir/out")" = \
        "12 4 4608" ] || bad "a field in JSON"

    # ---- filters ----
    count() { # N FILTER...: so many messages pass
        n=$1 all=
        shift
        for filter; do all="$all -f $filter"; done
        [ "$("$SPDM" decode -j $all $p256 | wc -l)" -eq "$n" ] || bad "-f $*: $("$SPDM" decode -j $all $p256 | wc -l) messages, not $n"
    }
    count 2 CHALLENGE
    count 4 'CHALLENGE*'
    count 2 code=3
    count 42 request
    count 42 response
    count 42 requester
    count 84 request,response
    count 0 request response
    count 80 '!CHALLENGE*'
    count 84 connection=1
    count 0 connection=2
    count 9 signed
    count 0 bad
    count 1 number=5
    count 10 session=ffffffff request
    count 20 secured
    count 64 plain
}

# ---- forms ----
log $data/ver-1.2.pcap >"$dir/log"
plain $data/ver-1.2.pcap | head -n 39 >"$dir/1"
plain "$dir/log" | head -n 39 >"$dir/2"
same "$dir/1" "$dir/2"
"$SPDM" decode - <"$data/ver-1.2.pcap" >"$dir/1"
"$SPDM" decode "$data/ver-1.2.pcap" >"$dir/2"
same "$dir/1" "$dir/2"
(head -c 1000 "$data/ver-1.2.pcap" && sleep 0.2 && tail -c +1001 "$data/ver-1.2.pcap") | "$SPDM" decode - >"$dir/1"
same "$dir/1" "$dir/2"
sed 's/^> /2026-11-23 12:34:56.789 spdm: tx: /; s/^< /2026-11-23 12:34:57 spdm: rx: /; s/\(..\)\(..\)$/\1 0x\2/' "$dir/log" |
    "$SPDM" decode - >"$dir/1"
plain "$dir/log" >"$dir/2"
plain "$dir/1" >"$dir/3"
sed -E 's/^ *([0-9]+) +(->|<-) /\1 \2 /; /^Connection/d' "$dir/1" >"$dir/3"
same "$dir/2" "$dir/3"

# ---- what the capture lacks ----
sed 1,6d "$dir/log" >"$dir/tail"
sed -n '1,6s/^..//p' "$dir/log" >"$dir/vca"
state=version=1.2,hash=SHA_384,signature=ECDSA_P384,exchange=SECP384R1,aead=AES_256_GCM,measurement-hash=SHA_512
decode 2 "$dir/tail"
says "$dir/out" "the negotiation is not in the capture (see --state)" "DIGESTS                       slots 0 1" \
    "30 messages, 1 could not be checked: 1 place where the capture is damaged"
decode 0 --state $state --vca "$dir/vca" "$dir/tail"
says "$dir/out" "CHALLENGE_AUTH                slot 0  signature ok" "MEASUREMENTS                  8 blocks, 528 bytes  signature ok"
decode 1 --state $state "$dir/tail"
says "$dir/out" "CHALLENGE_AUTH                slot 0  signature WRONG"
for wrong in version=1.9 hash=SHA_1 signature=SHA_384 hash multi-key=maybe requester-flags=x; do
    decode 2 --state $wrong "$dir/tail"
    says "$dir/err" "--state"
done
decode 2 --state $state --vca "$data/ver-1.2.pcap" "$dir/tail"
says "$dir/err" "hex digits were expected"
grep -E '^[<>] 1[02](84|04|e1|61|e3|63|e0|60)' "$dir/log" >"$dir/chainless"
decode 0 "$dir/chainless"
says "$dir/out" "signature unchecked" "the Responder's chain of slot 0 is not in the capture"
mkdir "$dir/certs"
decode 0 --extract certs "$data/ver-1.2.pcap" "$dir/certs"
chain=$dir/certs/connection-1-responder-slot-0.pem
decode 0 --chain "$chain" "$dir/chainless"
says "$dir/out" "MEASUREMENTS                  8 blocks, 528 bytes  signature ok"
decode 0 --chain "1:$chain" "$dir/chainless"
says "$dir/out" "MEASUREMENTS                  8 blocks, 528 bytes  signature unchecked"
decode 2 --chain "$dir/log" "$dir/chainless"
says "$dir/err" "--chain"

# ---- whom to trust ----
sed '/END/q' "$chain" >"$dir/root.pem"
sed '/END/q' "$dir/certs/connection-1-requester-slot-0.pem" >"$dir/requester-root.pem"
make_identity other
sed '/END/q' "$dir/certs/connection-1-responder-slot-1.pem" >"$dir/root1.pem"
decode 0 --trust "$dir/root.pem" --trust "$dir/root1.pem" --trust "$dir/requester-root.pem" --no-time "$dir/log"
decode 1 --trust "$dir/root.pem" --no-time "$dir/log"
says "$dir/out" "the chain is not trusted: the root, CN=DMTF libspdm RSA CA, is none of the 1 trust anchors (R-SLT-18)"
decode 1 --trust "$dir/other-root.pem" --no-time "$dir/log"
says "$dir/out" "the chain is not trusted: the root, CN=DMTF libspdm ECP384 CA, is none of the 1 trust anchors (R-SLT-18)" "do not verify"
decode 2 --trust "$data/ver-1.2.pcap" "$dir/log"
says "$dir/err" "there is no certificate in it"
decode 0 --no-verify "$dir/log"
says "$dir/out" "signature unchecked"

# ---- what is written ----
openssl verify -no_check_time -CAfile "$dir/root.pem" -untrusted "$chain" "$chain" >"$dir/out" 2>&1 || bad "the chain is none: $(cat "$dir/out")"
mkdir "$dir/meas"
decode 0 --extract measurements "$data/ver-1.2.pcap" "$dir/meas"
[ "$(jq -r '.format, (.measurements | length)' "$dir/meas/connection-1-measurements.json" | tr '\n' ' ')" = "assay-reference/1 8 " ] ||
    bad "measurements: $(cat "$dir/meas/connection-1-measurements.json")"
mkdir "$dir/proof"
decode 0 --extract evidence "$data/alg-rsapss3072-ffdhe3072.pcap" "$dir/proof"
# a signature of RSA, checked by somebody else
hex() { jq -r "$1" "$dir/proof/connection-1-evidence.json" | perl -ne 'chomp; print pack("H*", $_)'; }
hex '.signatures[0].signed_bytes' >"$dir/transcript"
{
    printf '%s' 'dmtf-spdm-v1.4.*dmtf-spdm-v1.4.*dmtf-spdm-v1.4.*dmtf-spdm-v1.4.*'
    head -c 4 /dev/zero
    printf '%s' 'responder-challenge_auth signing'
    openssl dgst -sha384 -binary "$dir/transcript"
} >"$dir/signed"
hex '.signatures[0].signature' >"$dir/signature"
decode 0 --extract certs "$data/alg-rsapss3072-ffdhe3072.pcap" "$dir/proof"
tac "$dir/proof/connection-1-responder-slot-0.pem" | sed '/BEGIN/q' | tac | openssl x509 -pubkey -noout >"$dir/pub.pem"
openssl dgst -sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1 -verify "$dir/pub.pem" \
    -signature "$dir/signature" "$dir/signed" >"$dir/out" 2>&1 || bad "evidence does not verify: $(cat "$dir/out")"
decode 2 --extract certs "$data/ver-1.2.pcap" "$dir/nowhere"
says "$dir/err" "--extract $dir/nowhere"
decode 2 --extract certs "$data/ver-1.2.pcap"
decode 2 --extract nothing "$data/ver-1.2.pcap" "$dir"

# ---- what is refused ----
: >"$dir/empty"
head -c 3000 "$data/ver-1.2.pcap" >"$dir/short"
decode 2
decode 2 "$dir/nothing"
says "$dir/err" "spdm decode: $dir/nothing: No such file or directory"
decode 2 "$dir"
decode 2 "$dir/empty"
says "$dir/err" "the file is empty"
decode 2 tests/cli/decode.sh
says "$dir/err" "no SPDM message found (text)"
decode 2 "$dir/short"
says "$dir/err" "truncated"
says "$dir/out" "CERTIFICATE" "1 place where the capture is damaged"
decode 2 -f nonsense "$data/ver-1.2.pcap"
decode 2 --secrets "$dir/log" "$data/ver-1.2.pcap"
says "$dir/err" "line 1: "
decode 2 --keylog "$dir/log" "$data/ver-1.2.pcap"
says "$dir/err" "there is no secret in it"
decode 2 --psk "not hex" "$data/ver-1.2.pcap"
decode 2 -i lo "$data/ver-1.2.pcap"
decode 2 --capture-filter "tcp" "$data/ver-1.2.pcap"
decode 2 -i no-such-interface0

# ---- a rule that is broken, a signature that is wrong, a message too many ----
sed '6s/^< 12/< 13/' "$dir/log" >"$dir/broken"
decode 4 "$dir/broken"
says "$dir/out" "ALGORITHMS: SPDMVersion is 0x13, 0x12 expected"
head -n 8 "$dir/log" | sed '8s/^< ..01/< 1202/' >"$dir/broken"
decode 4 "$dir/broken"
says "$dir/out" "CERTIFICATE: the message has code 0x2, 0x1 expected"
grep -n "^< 1203" "$dir/log" | head -n 1 | cut -d: -f1 >"$dir/at"
sed "$(cat "$dir/at")s/....\$/0000/" "$dir/log" >"$dir/broken"
decode 1 "$dir/broken"
says "$dir/out" "signature WRONG" "1 message does not verify"
decode 1 -f bad "$dir/broken"
grep -q "GET_VERSION" "$dir/out" && bad "-f bad shows what is fine"
sed '8p' "$dir/log" >"$dir/broken"
decode 4 "$dir/broken"
says "$dir/out" "a response without its request" "1 message breaks a rule"

# ---- a request that nobody answers, and one that is told to come back and does not ----
sed 6q "$dir/log" >"$dir/lone"
printf '> 12e00000\n> 12810000\n' >>"$dir/lone"
decode 2 "$dir/lone"
says "$dir/out" "the response to GET_MEASUREMENTS before this is missing"
sed 's/^> 12e00000$/&\n< 127f0300/' "$dir/lone" >"$dir/busy"
decode 0 "$dir/busy"
says "$dir/out" "9 messages: nothing is wrong" "Busy"

# ---- from an interface, where this is allowed ----
echo 'slots = ( { chain = "other.pem"; key = "other.key"; } );' >"$dir/device.cfg"
start -q -l tcp://127.0.0.1:0 "$dir/device.cfg"
port=$(cat "$dir/ports")
"$SPDM" decode -i lo --capture-filter "tcp port $port" >"$dir/live" 2>"$dir/live.err" &
listener=$!
sleep 1
if kill -0 $listener 2>/dev/null; then
    run 0 "$SPDM" attest -q --trust "$dir/other-root.pem" --measurements none "tcp://127.0.0.1:$port"
    wait_until grep -Eq "CHALLENGE_AUTH .*signature ok|missing from the capture" "$dir/live"
    kill -INT $listener
    wait $listener
    status=$?
    if grep -q "missing from the capture" "$dir/live"; then # a busy machine drops packets, and that is told
        echo "the kernel dropped packets: what live capture verifies was not tried"
    else
        [ $status -eq 0 ] || bad "listening ended with $status: $(cat "$dir/live" "$dir/live.err")"
        says "$dir/live" "nothing is wrong"
    fi
    says "$dir/live" "(Requester), 127.0.0.1:$port (Responder)"
else
    echo "not allowed to listen, live capture was not tried: $(cat "$dir/live.err")"
fi

finish
