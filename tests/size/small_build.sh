#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The core as a small device builds it - sessions or all but sessions by KEY_EXCHANGE, mutual authentication, chunks and
# names left out - passes the tests that need none of these.
set -eu
cd "${SOURCE_DIR:-.}"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
flags="-std=c11 -Os -Wall -Wextra -Werror -Iinclude -Isrc -Itests -I. -D_POSIX_C_SOURCE=200809L"

build() { # directory, defines...
    dir=$1
    shift
    mkdir -p "$dir"
    # shellcheck disable=SC2086,SC2016,SC2038 # flags are words; the inner shell expands; no spaces in names
    find src -name '*.c' | xargs -P "$(nproc)" -I{} sh -c '
        source=$1
        object=$2/$(echo "$source" | tr / _).o
        shift 2
        "$@" -c "$source" -o "$object"' - {} "$dir" \
        ${CMAKE_C_COMPILER_LAUNCHER:-} ${CC:-cc} $flags -ffreestanding "$@"
}

run() { # directory, test, files of tests/support it needs besides the pair
    dir=$1
    test=$2
    shift 2
    # shellcheck disable=SC2086,SC2048
    ${CC:-cc} $flags "tests/core/$test.c" tests/support/pair.c tests/support/toy_crypto.c $* "$dir"/*.o -lcmocka \
        -o "$dir/$test"
    "$dir/$test"
}

build "$out/named" -DSPDM_ATTESTATION_ONLY
run "$out/named" test_attest
run "$out/named" test_negotiation
run "$out/named" test_faults_shape tests/support/fault.c tests/support/plots.c
run "$out/named" test_faults_time tests/support/fault.c tests/support/plots.c
build "$out/small" -DSPDM_ATTESTATION_ONLY -DSPDM_NO_NAMES
run "$out/small" test_attest
build "$out/keys" -DSPDM_KEY_EXCHANGE_ONLY -DSPDM_NO_CHUNKS -DSPDM_NO_NAMES
run "$out/keys" test_attest
run "$out/keys" test_session_small
build "$out/whole" -DSPDM_NO_CHUNKS # everything but messages in chunks
run "$out/whole" test_attest
run "$out/whole" test_session
run "$out/whole" test_session_mutual tests/support/hand.c tests/support/liar.c tests/support/talk.c
