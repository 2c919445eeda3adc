#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Prints "N passed, N failed, N skipped" for the JUnit report that ctest wrote.
# Usage: scripts/test-counts.sh report.xml
if [ ! -s "$1" ]; then
    echo "test-counts.sh: no report at $1: the tests did not run" >&2
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi
awk '
    /<testcase / {
        if (match($0, /status="[a-z]+"/)) n[substr($0, RSTART + 8, RLENGTH - 9)]++
    }
    END {
        skipped = n["notrun"] + n["disabled"]
        printf "%d passed, %d failed, %d skipped\n", n["run"], n["fail"], skipped
    }' "$1"
