#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Builds the benchmarks of a preset, runs them and prints what was reached beside the goals.
# Usage: scripts/bench.sh [bench|bench-pqc] [--json]
set -eu
cd "$(dirname "$0")/.."
preset=${1:-bench}
[ $# -eq 0 ] || shift
mkdir -p build
cmake --preset "$preset" >"build/$preset.log" 2>&1 || { cat "build/$preset.log"; exit 1; }
cmake --build --preset "$preset"
BENCH_BUILD=build/$preset exec scripts/measure/bench "$@"
