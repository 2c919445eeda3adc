#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Runs the benchmarks of the preset `bench` and prints what was reached beside the goals.
# Usage: scripts/bench.sh [--json]
set -eu
cd "$(dirname "$0")/.."
exec scripts/measure/bench "$@"
