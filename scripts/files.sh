#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Prints the project's files, tracked or about to be, that match git path patterns; one a line.
# Usage: scripts/files.sh [pattern...]        ('src/*.c' descends into directories)
cd "$(dirname "$0")/.." || exit 1
git ls-files -co --exclude-standard -- "$@" | sort -u | while read -r file; do
    [ -f "$file" ] && echo "$file"
done
