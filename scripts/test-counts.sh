#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Prints "N passed, N failed, N skipped" for the JUnit reports that ctest wrote, all of them together.
# Usage: scripts/test-counts.sh report.xml...
for report; do
    [ -s "$report" ] && continue
    echo "test-counts.sh: no report at $report: the tests did not run" >&2
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
done
awk '
    /<testcase / {
        if (match($0, /status="[a-z]+"/)) n[substr($0, RSTART + 8, RLENGTH - 9)]++
    }
    END {
        skipped = n["notrun"] + n["disabled"]
        printf "%d passed, %d failed, %d skipped\n", n["run"], n["fail"], skipped
    }' "$@"
