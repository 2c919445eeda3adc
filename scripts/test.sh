#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Builds a preset and runs its tests; ends with one line of counts.
# Usage: scripts/test.sh [preset [regex]]
#
# Tests against a foreign SPDM implementation run when PEER_DIR names the directory with its programs.
set -u
cd "$(dirname "$0")/.." || exit 1
preset=${1:-debug}
only=${2:-}
report=build/$preset/junit.xml

mkdir -p build && rm -f "$report"
cmake --preset "$preset" >"build/$preset.log" 2>&1 || { cat "build/$preset.log"; exit 1; }
cmake --build --preset "$preset" || exit 1
[ -n "${PEER_DIR:-}" ] || echo "PEER_DIR is not set: tests against a foreign implementation are skipped"

ctest --preset "$preset" -j "$(nproc)" ${only:+-R "$only"} --output-junit "$PWD/$report"
status=$?
scripts/test-counts.sh "$report"
exit $status
