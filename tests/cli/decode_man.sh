#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The examples in spdm-decode(1) say what they show: each command is run, and its output is that of the page.
. tests/support/respond.sh
page=man/spdm-decode.1

cp tests/data/captures/psk-only-with-context.pcap "$dir/run.pcap"
cp tests/data/captures/psk-only-with-context.secrets "$dir/run.secrets"
# the text of all examples; a file that is shown is there
sed -n '/^\.Sh EXAMPLES/,/^\.Sh WIRESHARK/{/^\.Bd -literal/,/^\.Ed/{/^\.[BE]d/d;s/\\-/-/g;s/\\e/\\/g;p}}' "$page" >"$dir/examples"
sed -n '/^\$ cat device.log/,/^\$ spdm/{/^\$/d;p}' "$dir/examples" >"$dir/device.log"
[ -s "$dir/device.log" ] || bad "there is no log in $page"

mkdir "$dir/bin" && ln -s "$(realpath "$SPDM")" "$dir/bin/spdm"
cd "$dir" || exit 1
PATH=$dir/bin:$PATH
grep '^\$ ' examples >commands
[ "$(grep -c '^\$ spdm decode' commands)" -ge 3 ] || bad "$page has less than three examples"
while IFS= read -r line; do
    printf '%s\n' "$line"
    eval "${line#??}" </dev/null
done <commands >shown 2>&1
cmp -s examples shown || {
    bad "$page shows something else:"
    diff examples shown
}
finish
