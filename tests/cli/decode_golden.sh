#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Every recorded conversation is decoded, opened and verified with its secrets: what is found is what expected.txt says.
# Signatures of algorithms that this libcrypto lacks stay unchecked, and nothing else does.
set -u
: "${SPDM:?names the program to test}"
data=tests/data/captures
out=$(mktemp)
trap 'rm -f "$out"' EXIT
failures=0
bad() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# options NAME: what goes with a capture
options() {
    [ ! -f "$data/$1.secrets" ] || echo "--secrets $data/$1.secrets"
    case $1 in
    mut-auth-WO_ENCAP) echo "--requester-chain tests/data/golden/chains/rsa3072-requester-e212cc" ;;
    pub-key-id) echo "--public-key $data/pub-key-id.key.pem" ;;
    esac
}

counts='[.messages, .errors, .signatures.good + .signatures.unchecked, .signatures.bad,
    .verify_data.good, .verify_data.bad, .verify_data.unchecked, .records.good, .records.bad, .records.unchecked,
    (.sessions | length), (.measurements | length)] | map(tostring) | join(" ")'
n=0
without=
while read -r name code messages errors good badly unchecked rest; do
    case $name in '#'*) continue ;; esac
    n=$((n + 1))
    # shellcheck disable=SC2046 # one word per option
    "$SPDM" decode -s -j $(options "$name") "$data/$name.pcap" >"$out"
    status=$?
    [ $status -eq "$code" ] || bad "$name ended with $status, $code expected"
    got=$(jq -r "$counts" "$out")
    [ "$got" = "$messages $errors $((good + unchecked)) $badly $rest" ] || bad "$name: '$got', not '$messages $errors $((good + unchecked)) $badly $rest'"
    left=$(jq -r .signatures.unchecked "$out")
    algorithm=$(jq -r .signature_algorithm "$out")
    [ "$left" = "$unchecked" ] && continue
    case $algorithm in
    ML_DSA_* | SLH_DSA_*) without="$without $name: $left signatures of $algorithm;" ;;
    *) bad "$name: $left signatures of $algorithm stayed unchecked" ;;
    esac
done <"$data/expected.txt"
[ "$n" -gt 35 ] || bad "only $n captures"
[ -z "$without" ] || echo "not in this libcrypto, not verified:$without"

# Without secrets and what was provisioned the same messages are there, what was sealed stays so: that is no failure.
for file in "$data"/*.pcap; do
    "$SPDM" decode -q "$file" || bad "$file without secrets ended with $?"
done
"$SPDM" decode -s -j "$data/ver-1.2.pcap" >"$out" || bad "ver-1.2 without secrets ended with $?"
[ "$(jq -r '[.records.good, .records.unchecked, .signatures.good] | join(" ")' "$out")" = "0 56 7" ] ||
    bad "ver-1.2 without secrets: $(cat "$out")"

# A secret that does not fit opens nothing, and is told.
"$SPDM" decode --psk 00 "$data/psk-only-with-context.pcap" >"$out"
status=$?
[ $status -eq 1 ] || bad "a wrong pre-shared key ended with $status"
grep -q "ResponderVerifyData is not the HMAC" "$out" || bad "a wrong pre-shared key is not told"

[ $failures -eq 0 ]
