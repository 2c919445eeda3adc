#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Runs every benchmark of the preset `bench`.
set -eu
cd "$(dirname "$0")/.."
found=0
for program in build/bench/bench_*; do
    [ -x "$program" ] || continue
    found=1
    "$program"
done
[ $found -eq 1 ] || echo "bench.sh: there is no tests/bench/bench_*.c"
