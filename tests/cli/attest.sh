#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# `spdm attest` from end to end, against `spdm respond` and against peers that are none: verdicts, reasons, exit codes.
. tests/support/respond.sh

make_identity good
make_identity other
make_identity expired -days 0 # until this second
echo "firmware 1" >"$dir/firmware"
measurements='measurements = ( { index = 1; type = "rom"; hex = "0011"; form = "digest"; },
    { index = 2; file = "firmware"; }, { index = 3; type = "version"; text = "1.0.3"; },
    { index = 4; type = "svn"; number = 7; } );'
echo "slots = ( { chain = \"good.pem\"; key = \"good.key\"; } ); $measurements" >"$dir/device.cfg"
echo "slots = ( { chain = \"expired.pem\"; key = \"expired.key\"; } ); $measurements" >"$dir/expired.cfg"
echo "slots = ( { slot = 3; chain = \"other.pem\"; key = \"other.key\"; } ); $measurements" >"$dir/slot3.cfg"

# attest EXPECTED_EXIT LAST_LINE OPTION...: the report's last line is the verdict, and tells why
attest() {
    code=$1 verdict=$2
    shift 2
    run "$code" "$SPDM" attest "$@"
    case $(tail -n 1 "$dir/out") in
    "Verdict: $verdict"*) ;;
    *) bad "attest $*: the verdict is '$(tail -n 1 "$dir/out")', not '$verdict'" ;;
    esac
}
member() { # FILTER VALUE: of the JSON in $dir/out
    got=$(jq -r "$1" "$dir/out" 2>&1)
    [ "$got" = "$2" ] || bad "$1 is '$got', not '$2'"
}

restart() {
    if [ -n "$responder" ]; then
        kill "$responder"
        ended 0
    fi
    start -l tcp://127.0.0.1:0 -l emu+mctp://127.0.0.1:0 -l emu+doe://127.0.0.1:0 "$dir/device.cfg"
    tcp=tcp://127.0.0.1:$(sed -n 1p "$dir/ports")
    mctp=emu+mctp://127.0.0.1:$(sed -n 2p "$dir/ports")
    doe=emu+doe://127.0.0.1:$(sed -n 3p "$dir/ports")
}
restart
trust="--trust $dir/good-root.pem"

# Trusted, on every transport and in every version
for target in "$tcp" "$mctp" "$doe"; do
    # shellcheck disable=SC2086 # two words
    attest 0 trusted $trust "$target"
done
says "$dir/out" "CN=good device" "ACME WIDGET" 1234567890 "leads to  CN=good root" "1.0.3" "12 messages" \
    "MEASUREMENTS is signed by the device's key" "revocation              not done"
for version in 1.0 1.1 1.2 1.3 1.4; do
    # shellcheck disable=SC2086
    attest 0 trusted $trust --version $version "$tcp"
    says "$dir/out" "SPDM version      $version"
done
cp "$dir/good-root.pem" "$dir/other-root.pem" "$dir/expired-root.pem" "$(mkdir "$dir/roots" && echo "$dir/roots")"
attest 0 trusted --trust "$dir/roots" "$tcp"
attest 0 trusted --trust "$dir/other-root.pem" --trust "$dir/good-root.pem" "$tcp"

# Not trusted, and why
attest 1 "not trusted - certificate chain: slot 0: the root, CN=good root, is none of the 1 trust anchors" \
    --trust "$dir/other-root.pem" "$tcp"
attest 1 "not trusted - certificate chain: slot 0: there are no trust anchors" "$tcp"
# shellcheck disable=SC2086
attest 1 "not trusted - proof of possession: nothing was asked for that the device could sign" \
    $trust --no-challenge -m none "$tcp"
# shellcheck disable=SC2086
attest 1 "not trusted - no acceptable certificate slot is left" $trust --slot 5 "$tcp"

# What is asked for
# shellcheck disable=SC2086
{
    attest 0 trusted $trust -m none "$tcp"
    says "$dir/out" "CHALLENGE_AUTH is signed" "measurement signature   not done  not asked for"
    attest 0 trusted $trust --challenge --summary all "$tcp"
    says "$dir/out" "measurement summary     passed    it is the hash of the measurements" "14 messages"
    attest 0 trusted $trust -m each "$tcp"
    attest 0 trusted $trust -m count "$tcp"
    says "$dir/out" "the device has 4"
    attest 0 trusted $trust -m 3 --raw "$tcp"
    says "$dir/out" '"1.0.3"'
    attest 0 trusted $trust --unsigned "$tcp"
    says "$dir/out" "not proven"
    attest 0 trusted $trust --hash SHA_256 --signature ecdsa-p384 "$tcp"
    says "$dir/out" "hash              SHA_256"
    run 0 "$SPDM" attest $trust --quiet "$tcp"
    [ ! -s "$dir/out" ] || bad "--quiet wrote something"
    run 0 "$SPDM" attest $trust --trace "$tcp"
    says "$dir/err" GET_VERSION MEASUREMENTS Signature NumberOfBlocks
    run 0 "$SPDM" attest $trust --pcap "$dir/cap.pcap" "$tcp"
    test -s "$dir/cap.pcap" || bad "no capture"
}

# A memory of chains: fetched once, then known, then remembered without a message; judged every time
mkdir "$dir/cache"
# shellcheck disable=SC2086
{
    attest 0 trusted $trust --cache "$dir/cache" "$tcp"
    says "$dir/out" "fetched," "12 messages"
    attest 0 trusted $trust --cache "$dir/cache" "$mctp"
    says "$dir/out" "10 messages" "known,"
    attest 0 trusted $trust --cache "$dir/cache" "$tcp"
    says "$dir/out" "8 messages" "CN=good device" "remembered,"
    attest 1 "not trusted - certificate chain" --trust "$dir/other-root.pem" --cache "$dir/cache" "$tcp"
}

# References: saved, met, missed
# shellcheck disable=SC2086
{
    attest 0 trusted $trust --save-reference "$dir/ref.json" "$tcp"
    attest 0 trusted $trust --reference "$dir/ref.json" "$tcp"
    says "$dir/out" "match" "reference measurements  passed    4 the same"
    attest 0 trusted $trust --reference "$dir/ref.json" --raw "$mctp"
    attest 0 trusted $trust --reference "$dir/ref.json" -m 2 "$tcp"
    says "$dir/out" "1 the same, 3 not looked at"
    attest 1 "not trusted - reference measurements: they match, but nothing proves" \
        $trust --reference "$dir/ref.json" --unsigned "$tcp"
    sed '/"index": 2/d; s/"svn": 7/"svn_min": 8/; s/"index": 3/"index": 9/' "$dir/ref.json" >"$dir/ref2.json"
    attest 1 "not trusted - reference measurements: 1 different (4), 1 missing (9), 2 extra (2, 3)" \
        $trust --reference "$dir/ref2.json" "$tcp"
    says "$dir/out" "at least 8" "EXTRA" "MISSING"
    run 1 "$SPDM" attest --trust "$dir/other-root.pem" --save-reference "$dir/ref3.json" "$tcp"
    says "$dir/err" "was not written"
    [ ! -e "$dir/ref3.json" ] || bad "a reference of a device that is not trusted"
    # one byte of the firmware
    echo "firmware 2" >"$dir/firmware"
    restart
    attest 1 "not trusted - reference measurements: 1 different (2)" \
        $trust --reference "$dir/ref.json" "$tcp"
    run 1 "$SPDM" attest $trust --reference "$dir/ref.json" --json "$tcp"
    member .verdict "not trusted"
    member .checks.reference.state failed
    member '.measurements.blocks[] | select(.reference == "different") | .index' 2
    member '.checks.possession.state' passed
}

# JSON: one object, or one per line
# shellcheck disable=SC2086
{
    run 0 "$SPDM" attest $trust --json "$tcp"
    member .format assay-attest/1
    member .verdict trusted
    member .device.serial_number 1234567890
    member '.measurements.blocks | length' 4
    member '.measurements.blocks[3].decoded.svn' 7
    member '.chain.certificates | length' 2
    run 3 "$SPDM" attest $trust --json "$tcp" "$mctp" tcp://127.0.0.1:1 "$doe"
    [ "$(wc -l <"$dir/out")" -eq 4 ] || bad "not one line per target"
    [ "$(jq -r .exit_code "$dir/out" | sort | tr '\n' ' ')" = "0 0 0 3 " ] || bad "wrong exit codes: $(cat "$dir/out")"
}

# Evidence that openssl verifies without us: L1/L2 under the combined prefix of 1.2; measured inside a session as well
openssl x509 -in "$dir/good-leaf.pem" -noout -pubkey >"$dir/leaf.pub"
evidence() { # MESSAGES OPTION...
    count=$1
    shift
    # shellcheck disable=SC2086
    attest 0 trusted $trust --version 1.2 --hash SHA_384 --evidence "$dir/evidence.json" "$@" "$doe"
    {
        printf 'dmtf-spdm-v1.2.*%.0s' 1 2 3 4
        printf '\0\0\0\0\0\0responder-measurements signing'
        jq -r .measurements.signed_bytes "$dir/evidence.json" | perl -pe 'chomp; $_ = pack("H*", $_)' |
            openssl dgst -sha384 -binary
    } | openssl dgst -sha384 -binary >"$dir/digest"
    jq -r .measurements.signature "$dir/evidence.json" | perl -ne 'chomp; print "asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x",
        substr($_, 0, 96), "\ns=INTEGER:0x", substr($_, 96), "\n"' >"$dir/signature.cnf"
    openssl asn1parse -genconf "$dir/signature.cnf" -noout -out "$dir/signature.der"
    run 0 openssl pkeyutl -verify -pubin -inkey "$dir/leaf.pub" -in "$dir/digest" -sigfile "$dir/signature.der"
    [ "$(jq '.messages | length' "$dir/evidence.json")" -eq "$count" ] || bad "not every message is in the evidence"
}
evidence 12
evidence 18 --session
evidence 20 --session --challenge -m all

# Several targets: the worst decides, and not trusted is worse than not there
# shellcheck disable=SC2086
run 0 "$SPDM" attest $trust "$tcp" "$mctp" "$doe"
says "$dir/out" "3 devices: 3 trusted"
run 1 "$SPDM" attest --trust "$dir/other-root.pem" tcp://127.0.0.1:1 "$tcp"
says "$dir/out" "2 devices: 1 not trusted, 1 unreachable"
head -n 1 "$dir/out" | grep -q "^tcp://127.0.0.1:1 " || bad "the table is not in the order of the targets"
kill "$responder"
ended 0

# Other devices: an expired certificate, and the clock left out; another slot
start -l tcp://127.0.0.1:0 "$dir/expired.cfg"
tcp=tcp://127.0.0.1:$(cat "$dir/ports")
attest 1 "not trusted - certificate chain: slot 0: certificate 2 of 2" --trust "$dir/expired-root.pem" "$tcp"
says "$dir/out" "was valid until"
attest 0 trusted --trust "$dir/expired-root.pem" --no-time "$tcp"
says "$dir/out" "validity period         not done  switched off"
kill "$responder"
ended 0
start -l tcp://127.0.0.1:0 "$dir/slot3.cfg"
tcp=tcp://127.0.0.1:$(cat "$dir/ports")
attest 0 trusted --trust "$dir/other-root.pem" "$tcp"
says "$dir/out" "slot      3, fetched"
kill "$responder"
ended 0

# A device whose name means harm: it is shown, and nothing obeys it
make_chain evil EC -pkeyopt ec_paramgen_curve:P-384
openssl req -new -key "$dir/evil.key" -utf8 -subj "/O=Gerätebau/CN=$(printf 'evil\033]0;owned\007\342\200\256gnp')" \
    -out "$dir/evil.csr" 2>/dev/null
openssl x509 -req -in "$dir/evil.csr" -CA "$dir/evil-root.pem" -CAkey "$dir/evil-root.key" -CAcreateserial -days 365 \
    -extfile "$dir/good.ext" -out "$dir/evil-leaf.pem" 2>/dev/null
cat "$dir/evil-root.pem" "$dir/evil-leaf.pem" >"$dir/evil.pem"
echo 'slots = ( { chain = "evil.pem"; key = "evil.key"; } );' >"$dir/evil.cfg"
start -l tcp://127.0.0.1:0 "$dir/evil.cfg"
tcp=tcp://127.0.0.1:$(cat "$dir/ports")
attest 0 trusted --trust "$dir/evil-root.pem" "$tcp"
says "$dir/out" "Gerätebau" "owned"
tr -d '\n' <"$dir/out" | LC_ALL=C grep -q "$(printf '[\001-\037\177]')" && bad "a control character came through"
grep -q "$(printf '\342\200\256')" "$dir/out" && bad "a character that turns text round came through"
kill "$responder"
ended 0

# Somebody on the way who flips one bit of the signature of MEASUREMENTS, or of CHALLENGE_AUTH
start -l tcp://127.0.0.1:0 "$dir/device.cfg"
meddle() { # CODE: of the message whose last byte is changed
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
                substr($b, -1) ^= "\1" if ord(substr($b, 5, 1)) == $ARGV[2];
                syswrite($c, $b);
            }
        }' "$dir/port" "$(cat "$dir/ports")" "$1" &
    server=$!
    wait_until test -s "$dir/port"
    between=tcp://127.0.0.1:$(cat "$dir/port")
}
meddle 255
attest 0 trusted --trust "$dir/good-root.pem" --challenge "$between"
meddle 96
attest 1 "not trusted - MEASUREMENTS: Signature does not verify" --trust "$dir/good-root.pem" "$between"
meddle 3
attest 1 "not trusted - CHALLENGE_AUTH: Signature does not verify" --trust "$dir/good-root.pem" --challenge "$between"
meddle 2
attest 1 "not trusted - " --trust "$dir/good-root.pem" "$between"
kill "$responder"
ended 0

# Nobody there, nobody answering, nobody who speaks SPDM
attest 3 "unreachable - cannot reach $tcp" "$tcp"
# serve BYTES SECONDS: one client gets these bytes for its first ones
serve() {
    rm -f "$dir/port"
    perl -MIO::Socket::INET -e '
        my $l = IO::Socket::INET->new(LocalAddr => "127.0.0.1:0", Listen => 1) or die;
        open(my $f, ">", "$ARGV[0].part"); print $f $l->sockport(), "\n"; close($f); rename("$ARGV[0].part", $ARGV[0]);
        alarm 20;
        my $c = $l->accept(); sysread($c, my $b, 4096); print $c pack("H*", $ARGV[1]); $c->flush(); sleep $ARGV[2]' \
        "$dir/port" "$1" "$2" &
    server=$!
    wait_until test -s "$dir/port"
    fake=tcp://127.0.0.1:$(cat "$dir/port")
}
serve "" 3
attest 3 "unreachable - not finished after 0.300 s, waiting for the answer to GET_VERSION" --timeout 300ms "$fake"
kill "$server"
serve "" 0
attest 3 "unreachable - " "$fake"
serve 485454502f312e302034303020426164 3
attest 4 "protocol error - " "$fake"
kill "$server"
serve 0c00010510040000deadbeefdeadbeef 3
attest 4 "protocol error - VERSION: " "$fake"
kill "$server"
serve 04000105107f0100 3
attest 4 "protocol error - VERSION: the peer answered ERROR InvalidRequest" "$fake"
kill "$server"

# A public key that both sides were given, instead of certificates
openssl pkey -in "$dir/good.key" -pubout -out "$dir/good.pub"
openssl pkey -in "$dir/good.key" -pubout -outform DER -out "$dir/good.pub.der"
openssl pkey -in "$dir/other.key" -pubout -out "$dir/other.pub"
echo "public_key: { file = \"good.pub.der\"; key = \"good.key\"; }; $measurements" >"$dir/key.cfg"
start -l tcp://127.0.0.1:0 "$dir/key.cfg"
tcp=tcp://127.0.0.1:$(cat "$dir/ports")
for hash in SHA_256 SHA_384 SHA3_512; do
    attest 0 trusted --public-key "$dir/good.pub" --challenge --hash $hash "$tcp"
    attest 0 trusted --public-key "$dir/good.pub.der" --hash $hash "$tcp"
done
says "$dir/out" "the provisioned public key" "8 messages"
attest 1 "not trusted - " --public-key "$dir/other.pub" "$tcp"
attest 1 "not trusted - certificate chain: the device offers no certificates" --trust "$dir/good-root.pem" "$tcp"
kill "$responder"
ended 0

# Wrong usage: exit 2, one sentence, and no connection; the port is one where a connection would be seen
start -l tcp://127.0.0.1:0 "$dir/device.cfg"
tcp=tcp://127.0.0.1:$(cat "$dir/ports")
echo '{"format": "assay-reference/1", "measurements": [{"index": 1, "digets": "00"}]}' >"$dir/bad.json"
wrong() { # TEXT OPTION...
    text=$1
    shift
    run 2 "$SPDM" attest "$@"
    says "$dir/err" "$text"
    [ ! -s "$dir/out" ] || bad "an error wrote to stdout"
}
wrong "there is no option --trsut; did you mean --trust?" --trsut x "$tcp"
wrong "TARGET" --trust "$dir/good-root.pem"
wrong "the scheme must be" "http://127.0.0.1"
wrong "slots are 0 to 7" --slot 8 "$tcp"
wrong "slots are 0 to 7" --slot 3-1 "$tcp"
wrong "a list of different versions" --version 1.2,1.2 "$tcp"
wrong "a list of different versions" --version 2.0 "$tcp"
wrong "is no hash algorithm" --hash ECDSA_P384 "$tcp"
wrong "is no signature algorithm" --signature SHA_256 "$tcp"
wrong "an index from 1 to 254" -m 255 "$tcp"
wrong "an index from 1 to 254" -m some "$tcp"
wrong "exclude each other" --challenge --no-challenge "$tcp"
wrong "--summary comes with CHALLENGE" --summary all --no-challenge "$tcp"
wrong "--public-key is instead of certificates" --public-key "$dir/good.pub" --trust "$dir/good-root.pem" "$tcp"
wrong "--public-key needs no certificates" --public-key "$dir/good.pub" --cache "$dir/cache" "$tcp"
wrong "--public-key $dir/bad.json: neither PEM nor DER" --public-key "$dir/bad.json" "$tcp"
wrong "--reference needs the values" --reference "$dir/ref.json" -m count "$tcp"
wrong "--save-reference needs all" --save-reference "$dir/x.json" -m 3 "$tcp"
wrong "--save-reference needs signed" --save-reference "$dir/x.json" --unsigned "$tcp"
wrong "--save-reference takes one target" --save-reference "$dir/x.json" "$tcp" "$tcp"
wrong "--evidence takes one target" --evidence "$dir/x.json" "$tcp" "$tcp"
wrong "--trust $dir/nothing" --trust "$dir/nothing" "$tcp"
wrong "--trust $dir/bad.json" --trust "$dir/bad.json" "$tcp"
wrong "--public-key $dir/good-leaf.pem: a PUBLIC KEY was expected, not a CERTIFICATE" --public-key "$dir/good-leaf.pem" "$tcp"
wrong 'measurement 1: unknown key "digets"; did you mean "digest"?' --reference "$dir/bad.json" "$tcp"
wrong "--reference $dir/nothing: No such file" --reference "$dir/nothing" "$tcp"
wrong "--save-reference $dir/no/x.json" --save-reference "$dir/no/x.json" "$tcp"
wrong "--evidence /nonexistent/x: No such file" --evidence /nonexistent/x "$tcp"
wrong "--cache $dir/no: No such file" --cache "$dir/no" "$tcp"
wrong "--pcap " --pcap "$dir/no/x.pcap" "$tcp"
wrong "--psk opens a session: give --session" --psk "$dir/good.pub" "$tcp"
wrong "--psk-hint tells which key" --session --psk-hint here "$tcp"
wrong "--exchange and --aead are for a session" --aead AES_256_GCM "$tcp"
wrong "--mac-only and --clear-handshake are for a session" --mac-only "$tcp"
wrong "--keylog writes the secrets of sessions: give --session" --keylog "$dir/keys.log" "$tcp"
wrong "\"drop-bad-records\" is no errata switch; known are unequal-sizes, big-endian-nonce, tcp-inner-header" --errata drop-bad-records "$tcp"
wrong "\"ocp\" is no errata switch; known are unequal-sizes, big-endian-nonce, tcp-inner-header" --errata unequal-sizes,ocp,x "$tcp"
wrong "is no key exchange algorithm of SPDM; names are like SECP384R1" --session --exchange AES_256_GCM "$tcp"
wrong "is no AEAD algorithm of SPDM" --session --aead SECP384R1 "$tcp"
wrong "--exchange has no use" --session --psk "$dir/good.pub" --exchange SECP384R1 "$tcp"
wrong "never in the clear" --session --psk "$dir/good.pub" --clear-handshake "$tcp"
wrong "--psk $dir/nothing: No such file" --session --psk "$dir/nothing" "$tcp"
wrong "--psk $dir: Is a directory" --session --psk "$dir" "$tcp"
wrong "--psk /dev/null: the file is empty" --session --psk /dev/null "$tcp"
wrong "--psk-hint: a text of at most 64 bytes, or 0x and hex" --session --psk "$dir/good.pub" --psk-hint 0xabc "$tcp"
wrong "--own-key belongs to --own-chain or --own-public-key" --own-chain "$dir/good.pem" "$tcp"
wrong "--own-key belongs to --own-chain or --own-public-key" --own-key "$dir/good.key" "$tcp"
wrong "--own-public-key is instead of certificates" --own-chain "$dir/good.pem" --own-public-key "$dir/good.pub" \
    --own-key "$dir/good.key" "$tcp"
wrong "--own-public-key: the key \"$dir/other.key\" (EC P-384) is not the one of the public key" \
    --own-public-key "$dir/good.pub" --own-key "$dir/other.key" "$tcp"
wrong "--own-chain: the key \"$dir/other.key\" (EC P-384) is not the one of the certificate" --own-chain "$dir/good.pem" --own-key "$dir/other.key" "$tcp"
wrong "--own-chain: $dir/nothing: No such file" --own-chain "$dir/nothing" --own-key "$dir/good.key" "$tcp"
wrong "--keylog $dir/no/keys.log: No such file" --session --keylog "$dir/no/keys.log" "$tcp"
[ ! -e "$dir/keys.log" ] || bad "a key log that was refused was written"
kill "$responder"
ended 0
says "$dir/log" "served 0 clients"

finish
