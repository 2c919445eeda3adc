#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# What `spdm attest`, `spdm connect` and `spdm respond` write with --pcap is decoded: each flow there is, by each
# transport, in both formats and from both ends. Every signature, every MAC and every record has to be good; a signature
# that this OpenSSL cannot verify cannot have been made here either.
. tests/support/respond.sh

make_identity good
make_identity other
make_identity me
printf 'the key of both' >"$dir/psk"
psk=$(od -An -v -tx1 "$dir/psk" | tr -d ' \n')
openssl pkey -in "$dir/me.key" -pubout -out "$dir/me.pub"
openssl pkey -in "$dir/good.key" -pubout -out "$dir/good.pub"
slots='slots = ( { chain = "good.pem"; key = "good.key"; }, { slot = 2; chain = "other.pem"; key = "other.key"; } );'
rest='measurements = ( { index = 1; type = "rom"; text = "rom"; form = "digest"; }, { index = 2; text = "two"; } );
    sessions: { heartbeat = 4; psks = ( { hint = "both"; file = "psk"; } ); };'
echo "$slots $rest" >"$dir/device.cfg"
echo "$slots $rest requesters: { trust = [\"me-root.pem\"]; };" >"$dir/mutual.cfg"
echo "$slots $rest requesters: { public_key = \"me.pub\"; };" >"$dir/known.cfg"
echo "$slots $rest sizes: { data_transfer_size = 100; };" >"$dir/chunks.cfg"
echo "$rest public_key: { file = \"good.pub\"; key = \"good.key\"; };" >"$dir/bare.cfg"
trust="--trust $dir/good-root.pem --trust $dir/other-root.pem"
flows=0

# good FILE LEAST OPTION...: decodes without a fault, nothing is left unchecked, and it has so many messages. Totals are
# left in $dir/totals.
good() {
    file=$1 least=$2
    shift 2
    "$SPDM" decode "$@" "$file" >"$dir/lines" 2>"$dir/err"
    status=$?
    if [ $status -ne 0 ]; then
        bad "decode $* $file ended with $status"
        tail -n 5 "$dir/lines" "$dir/err"
    fi
    "$SPDM" decode -s -j "$@" "$file" >"$dir/sum"
    jq -s -r '[(map(.messages) | add), (map(.signatures.good) | add),
        (map(.signatures.bad + .signatures.unchecked) | add), (map(.verify_data.good) | add),
        (map(.verify_data.bad + .verify_data.unchecked) | add), (map(.records.good) | add),
        (map(.records.bad + .records.unchecked) | add), (map(.rules_broken) | add),
        (map(.measurements | length) | add)] | map(tostring) | join(" ")' "$dir/sum" >"$dir/totals"
    # shellcheck disable=SC2034 # some are for the eye
    read -r messages signed unsigned proved unproved opened closed broken measured <"$dir/totals"
    [ "$messages" -ge "$least" ] || bad "$file: $messages messages, $least at least expected"
    [ "$unsigned $unproved $closed $broken" = "0 0 0 0" ] || bad "$file: $(cat "$dir/totals")"
    flows=$((flows + 1))
}

restart() { # OPTION... DEVICE
    if [ -n "$responder" ]; then
        kill "$responder"
        ended 0
    fi
    rm -f "$dir/theirs" "$dir/their-keys"
    start -q --pcap "$dir/theirs" --keylog "$dir/their-keys" -l tcp://127.0.0.1:0 -l emu+mctp://127.0.0.1:0 \
        -l emu+doe://127.0.0.1:0 -l emu+tcp://127.0.0.1:0 -l emu+none://127.0.0.1:0 -l emu+nvme://127.0.0.1:0 \
        -l emu+scsi://127.0.0.1:0 "$@"
}
# target N: its scheme is the Nth above
target() {
    echo "$(echo tcp emu+mctp emu+doe emu+tcp emu+none emu+nvme emu+scsi | cut -d' ' -f"$1")://127.0.0.1:$(sed -n "$1p" "$dir/ports")"
}
# attest LEAST OPTION... TARGET: and decodes what was captured
attest() {
    least=$1 log=
    shift
    rm -f "$dir/keys" "$dir/cap"
    case " $* " in *" --session "*) log="--keylog $dir/keys" ;; esac
    # shellcheck disable=SC2086 # two words each
    run 0 "$SPDM" attest -q --pcap "$dir/cap" $log "$@"
    # shellcheck disable=SC2086
    good "$dir/cap" "$least" $trust $known $log
}
known=

# shellcheck disable=SC2086
{
    restart --app echo "$dir/device.cfg"
    for n in 1 2 3 4 5 6 7; do
        to=$(target $n)
        attest 14 $trust --challenge "$to"
        [ "$signed" = 2 ] || bad "$to: $signed signatures verified, 2 expected"
        [ $n -lt 6 ] || continue
        attest 18 $trust --session "$to"
        [ "$signed $proved $measured" = "2 2 2" ] || bad "$to, session: $(cat "$dir/totals")"
        attest 14 --session --psk "$dir/psk" --psk-hint both "$to"
        [ "$signed $proved $measured" = "0 2 2" ] || bad "$to, PSK: $(cat "$dir/totals")"
        "$SPDM" decode -q --psk "$psk" "$dir/cap" || bad "$to, PSK without a key log ended with $?"
    done
    for version in 1.0 1.1 1.2 1.3 1.4; do
        attest 14 $trust --version $version --summary all --measurements each --raw --fresh "$(target 2)"
        [ $version = 1.0 ] || attest 18 $trust --version $version --slot 2 --no-challenge --pcap-format dmtf "$(target 3)"
        [ $version = 1.0 ] || attest 18 $trust --version $version --session --mac-only --pcap-format dmtf "$(target 2)"
    done
    attest 12 $trust --version 1.3 --multi-key "$(target 1)"
    for aead in AES_128_GCM AES_256_GCM CHACHA20_POLY1305; do
        for exchange in SECP256R1 SECP521R1 FFDHE_2048; do
            attest 18 $trust --session --aead $aead --exchange $exchange "$(target 2)"
        done
    done
    # what the device has captured of all of it: as many connections as there were
    good "$dir/theirs" 500 $trust --keylog "$dir/their-keys"
    # TCP by ports and MCTP by endpoints; what has no addresses is one link
    [ "$(wc -l <"$dir/sum")" -ge 30 ] || bad "only $(wc -l <"$dir/sum") connections of $((flows - 1))"

    # data of applications, and new keys
    head -c 200000 /dev/urandom >"$dir/small"
    for to in "$(target 1)" "$(target 2)"; do
        rm -f "$dir/keys" "$dir/cap"
        "$SPDM" connect -q $trust --rekey 50K --keylog "$dir/keys" --pcap "$dir/cap" "$to" <"$dir/small" >"$dir/out" 2>"$dir/err" ||
            bad "connect $to: $(cat "$dir/err")"
        good "$dir/cap" 30 $trust --keylog "$dir/keys"
        says "$dir/lines" KEY_UPDATE_ACK "application data" END_SESSION_ACK
        "$SPDM" decode -j --filter data --bytes --keylog "$dir/keys" "$dir/cap" >"$dir/lines"
        jq -e -s '[.[] | select(.from == "requester") | .bytes | length / 2] | add >= 200000' "$dir/lines" >"$dir/out" ||
            bad "$to: the data is not all there"
    done

    # records over TCP as libspdm makes them: known only to who is told
    { cat "$dir/device.cfg"; echo 'errata = ["tcp-inner-header"];'; } >"$dir/other.cfg"
    restart --app echo "$dir/other.cfg"
    rm -f "$dir/keys" "$dir/cap"
    run 0 "$SPDM" attest -q $trust --session --errata tcp-inner-header --keylog "$dir/keys" --pcap "$dir/cap" "$(target 1)"
    good "$dir/cap" 18 $trust --keylog "$dir/keys" --errata tcp-inner-header
    "$SPDM" decode -q $trust --keylog "$dir/keys" "$dir/cap" >"$dir/out" 2>&1 && bad "decoded without knowing of tcp-inner-header"
    run 2 "$SPDM" decode --errata tcp-iner-header "$dir/cap"
    says "$dir/err" "is no errata switch; known are unequal-sizes, big-endian-nonce, tcp-inner-header"

    # a requester that has to tell who it is: by a chain, by a key
    own="--own-chain $dir/me.pem --own-key $dir/me.key"
    for n in 1 2 3; do
        restart "$dir/mutual.cfg"
        known="--trust $dir/me-root.pem"
        attest 28 $trust --session $own "$(target $n)"
        [ "$signed $proved" = "3 2" ] || bad "mutual: $(cat "$dir/totals")"
        restart "$dir/known.cfg"
        known="--requester-key $dir/me.pub"
        attest 18 $trust --session --own-public-key "$dir/me.pub" --own-key "$dir/me.key" "$(target $n)"
        [ "$signed $proved" = "3 2" ] || bad "mutual, known: $(cat "$dir/totals")"
        known=
    done

    # messages in chunks; a device that is known by its key
    restart "$dir/chunks.cfg"
    for n in 1 2 3; do
        attest 30 $trust --challenge "$(target $n)"
        says "$dir/lines" CHUNK_RESPONSE
        attest 18 $trust --session "$(target $n)"
        says "$dir/lines" CHUNK_RESPONSE FINISH_RSP
    done
    restart "$dir/bare.cfg"
    known="--public-key $dir/good.pub"
    trust=
    attest 8 --public-key "$dir/good.pub" --challenge "$(target 1)"
    attest 12 --public-key "$dir/good.pub" --session "$(target 2)"
    known=
}

# Post-quantum, each signature and each exchange
without=
for algorithm in ml-dsa-44 ml-dsa-65 ml-dsa-87 slh-dsa-sha2-128f slh-dsa-shake-128f; do
    "$SPDM" keys -qo "$dir/$algorithm" -a $algorithm 2>"$dir/err" || {
        without="$without $algorithm"
        continue
    }
    restart "$dir/$algorithm/device.cfg"
    trust="--trust $dir/$algorithm/root.pem"
    # shellcheck disable=SC2086
    for n in 1 2 3; do
        attest 14 $trust --challenge "$(target $n)"
        attest 18 $trust --session --exchange ML_KEM_768 "$(target $n)"
        attest 18 $trust --session --exchange SECP384R1 "$(target $n)"
    done
done
[ -z "$without" ] || echo "not in this OpenSSL, not tried:$without"
[ -z "$without" ] || [ "${ASSAY_PQC:-}" != required ] || bad "this OpenSSL lacks$without"

kill "$responder"
ended 0
echo "$flows captures decoded"
finish
