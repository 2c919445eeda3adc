#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Runs every fuzz target for a while. What it finds new stays in build/fuzz/corpus/<name>, what breaks in
# build/fuzz/findings/<name>; the seeds of the tree are only read.
# Usage: scripts/fuzz.sh seconds [regex]
set -u
cd "$(dirname "$0")/.." || exit 1
seconds=${1:-60}
only=${2:-.}
failed=0
ran=0

for program in build/fuzz/fuzz_*; do
    if [ ! -f "$program" ] || [ ! -x "$program" ]; then continue; fi
    name=${program##*/fuzz_}
    echo "$name" | grep -qE "$only" || continue
    mkdir -p "build/fuzz/corpus/$name" "build/fuzz/findings/$name"
    seeds=tests/fuzz/corpus/$name
    dictionary=tests/fuzz/$name.dict
    set -- -max_total_time="$seconds" -artifact_prefix="build/fuzz/findings/$name/" -fork="$(nproc)" -rss_limit_mb=4096
    [ -f "$dictionary" ] && set -- "$@" -dict="$dictionary"
    set -- "$@" "build/fuzz/corpus/$name"
    [ -d "$seeds" ] && set -- "$@" "$seeds"
    ran=$((ran + 1))
    if "$program" "$@" >"build/fuzz/$name.log" 2>&1; then
        echo "$name: $(grep -oE 'cov: [0-9]+.*' "build/fuzz/$name.log" | tail -n 1)"
    else
        failed=$((failed + 1))
        tail -n 40 "build/fuzz/$name.log"
        echo "$name: FAILED, see build/fuzz/$name.log and build/fuzz/findings/$name/"
    fi
done
[ $ran -gt 0 ] || echo "fuzz.sh: there is no tests/fuzz/fuzz_*.c that matches"
echo "$((ran - failed)) passed, $failed failed"
[ $failed -eq 0 ]
