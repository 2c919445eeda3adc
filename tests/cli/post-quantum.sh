#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Every post-quantum signature, and SM2, from key to verdict: spdm keys makes a device, spdm respond is it, spdm attest
# trusts it; over transfers of a size that makes chunks of signatures and chains, and against a root of its own kind that
# is not its own. An OpenSSL without an algorithm says so at every door (ASSAY_PQC=required, as in make pqc: a failure).
. tests/support/respond.sh

sets="ml-dsa-44 ml-dsa-65 ml-dsa-87 slh-dsa-sha2-128s slh-dsa-sha2-128f slh-dsa-sha2-192s slh-dsa-sha2-192f
    slh-dsa-sha2-256s slh-dsa-sha2-256f slh-dsa-shake-128s slh-dsa-shake-128f slh-dsa-shake-192s slh-dsa-shake-192f
    slh-dsa-shake-256s slh-dsa-shake-256f"

name_of() { # the specification's name
    echo "$1" | tr 'a-z-' 'A-Z_'
}
member() { # FILTER VALUE: of the JSON in $dir/out
    got=$(jq -r "$1" "$dir/out" 2>&1)
    [ "$got" = "$2" ] || bad "$1 is '$got', not '$2'"
}

# whole ALGORITHM TRANSFER [ATTEST OPTION...]
whole() {
    algorithm=$1
    cp "$dir/$algorithm/device.cfg" "$dir/$algorithm/sized.cfg"
    echo "sizes: { data_transfer_size = $2; };" >>"$dir/$algorithm/sized.cfg"
    shift 2
    start --once -l emu+mctp://127.0.0.1:0 "$dir/$algorithm/sized.cfg"
    run 0 "$SPDM" attest --json --trust "$dir/$algorithm/root.pem" "$@" "emu+mctp://127.0.0.1:$(cat "$dir/ports")"
    member .verdict trusted
    member .connection.signature "$(name_of "$algorithm")"
    member .checks.possession.state passed
    member '.measurements.blocks[0].proven' true
    ended 0
}

absent() {
    name=$(name_of "$1")
    run 2 "$SPDM" keys -o "$dir/none" -a "$1"
    says "$dir/err" "this OpenSSL has no $name"
    [ ! -e "$dir/none" ] || bad "keys left something behind without $name"
    run 2 "$SPDM" attest --signature "$name" tcp://127.0.0.1:1
    says "$dir/err" "the crypto library cannot do $name"
    {
        cat "$dir/p256/device.cfg"
        echo "algorithms: { signatures = [\"$name\"]; };"
    } >"$dir/p256/absent.cfg"
    run 2 "$SPDM" respond -l tcp://127.0.0.1:0 "$dir/p256/absent.cfg"
    says "$dir/err" "$name is not supported by this OpenSSL"
    [ "${ASSAY_PQC:-}" != required ] || bad "this OpenSSL has no $name"
}

run 0 "$SPDM" keys -qo "$dir/p256" -a ecdsa-p256
there=
for algorithm in $sets; do
    # an intermediate where it costs little; where signing takes long, the root signs the leaf
    case $algorithm in *s) rungs=0 ;; *) rungs=1 ;; esac
    if "$SPDM" keys -qo "$dir/$algorithm" -a "$algorithm" --intermediates $rungs 2>"$dir/err"; then
        there="$there $algorithm"
        whole "$algorithm" 4608
        member .chain.slot 0
        rm -f "$dir/$algorithm/chain.der"
    else
        absent "$algorithm"
    fi
done

# CHALLENGE as well, and small transfers: everything that is signed, and the chain, in chunks
for algorithm in ml-dsa-65 slh-dsa-sha2-128f slh-dsa-shake-256f; do
    case $there in *" $algorithm"*) ;; *) continue ;; esac
    "$SPDM" keys -qfo "$dir/$algorithm" -a "$algorithm" 2>"$dir/err" || bad "$algorithm: $(cat "$dir/err")"
    whole "$algorithm" 700 --challenge --slot 0 --hash SHA3_512,SHA_512
    member .connection.hash SHA_512
    [ "$(jq .cost.messages_sent "$dir/out")" -gt 20 ] || bad "$algorithm over transfers of 700 bytes in a few messages"
    # the same device, and somebody else's root of the same kind
    mv "$dir/$algorithm" "$dir/mine"
    "$SPDM" keys -qo "$dir/$algorithm" -a "$algorithm"
    start --once -l emu+mctp://127.0.0.1:0 "$dir/mine/device.cfg"
    run 1 "$SPDM" attest --trust "$dir/$algorithm/root.pem" "emu+mctp://127.0.0.1:$(cat "$dir/ports")"
    says "$dir/out" "Verdict: not trusted"
    ended 0
    rm -rf "$dir/mine"
done

# SM2 with SM3, and with another base hash
run 0 "$SPDM" keys -qo "$dir/sm2" -a sm2
whole sm2 4608 --hash SM3_256 --version 1.2
member .connection.hash SM3_256
whole sm2 4608 --challenge
member .connection.hash SHA_384

# Sessions, each kind of signature with each kind of key exchange: session DEVICE EXCHANGE AEAD REQUESTER [OPTION...]
session() {
    device=$1 exchange=$2 aead=$3 requester=$4
    shift 4
    for algorithm in "$device" "$requester"; do
        [ "$algorithm" = none ] || [ -s "$dir/$algorithm/leaf.key" ] ||
            "$SPDM" keys -qfo "$dir/$algorithm" -a "$algorithm" --role both 2>"$dir/err" || return 0 # said above
    done
    "$SPDM" keys -qfo "$dir/device" -a "$device" --role both
    cp "$dir/device/device.cfg" "$dir/device/session.cfg"
    set -- "$@" --session --exchange "$exchange" --aead "$aead"
    if [ "$requester" != none ]; then
        "$SPDM" keys -qfo "$dir/own" -a "$requester" --role requester
        echo "requesters: { authentication = \"encapsulated\"; trust = [\"../own/root.pem\"]; };
            algorithms: { requester_signatures = [\"$(name_of "$requester")\"]; };" >>"$dir/device/session.cfg"
        set -- "$@" --own-chain "$dir/own/chain.der" --own-key "$dir/own/leaf.key"
    fi
    start --once -l emu+mctp://127.0.0.1:0 "$dir/device/session.cfg"
    run 0 "$SPDM" attest --json --trust "$dir/device/root.pem" "$@" "emu+mctp://127.0.0.1:$(cat "$dir/ports")"
    member .verdict trusted
    [ "$device" = rsa-3072 ] || member .connection.signature "$(name_of "$device")"
    member .connection.key_exchange "$exchange"
    member .connection.aead "$aead"
    ended 0
}
session ecdsa-p384 SECP384R1 AES_256_GCM none
case $there in *ml-dsa-65*)
    session ml-dsa-65 ML_KEM_768 AES_256_GCM none
    session ml-dsa-44 ML_KEM_512 CHACHA20_POLY1305 ml-dsa-65
    session ecdsa-p384 ML_KEM_1024 AES_256_GCM ml-dsa-87
    session ml-dsa-87 SECP384R1 AES_256_GCM ecdsa-p384
    session slh-dsa-sha2-128f ML_KEM_768 AES_128_GCM slh-dsa-shake-128s
    session rsa-3072 FFDHE_3072 AES_256_GCM slh-dsa-sha2-192f
    session sm2 SECP256R1 SM4_GCM sm2 --hash SM3_256 --version 1.3
    ;;
esac
finish
