#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Every command has a manual page, and the page has exactly the options of the command, short forms included.
set -u
: "${SPDM:?names the program to test}"
failures=0
bad() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# "t trust" or "- cache" for each option
of_program() {
    "$SPDM" "$1" --help | sed -nE 's/^  (-([a-z]),|   ) --([a-z-]+).*/\2 \3/p' | sed 's/^ /- /' | sort
}
of_page() {
    sed -nE 's/^\.It Fl ((.) , )?-([a-z-]+).*/\2 \3/p' "$1" | sed 's/^ /- /' | sort
}

commands=$("$SPDM" --help | sed -nE '/^Commands/,/^$/s/^  ([a-z]+) .*/\1/p')
[ -n "$commands" ] || bad "spdm --help names no commands"
for command in $commands; do
    grep -q "^\.It Cm $command" man/spdm.1 || bad "man/spdm.1 does not name $command"
    case $command in help | completion) continue ;; esac
    page=man/spdm-$command.1
    [ -f "$page" ] || {
        bad "$page is missing"
        continue
    }
    program=$(of_program "$command") text=$(of_page "$page")
    [ -n "$program" ] || bad "spdm $command --help shows no options"
    [ "$program" = "$text" ] || {
        bad "$page and spdm $command --help differ:"
        printf '%s\n' "$program" >"${TMPDIR:-/tmp}/man-$$.program"
        printf '%s\n' "$text" >"${TMPDIR:-/tmp}/man-$$.page"
        diff "${TMPDIR:-/tmp}/man-$$.program" "${TMPDIR:-/tmp}/man-$$.page"
        rm -f "${TMPDIR:-/tmp}/man-$$.program" "${TMPDIR:-/tmp}/man-$$.page"
    }
done
[ $failures -eq 0 ]
