#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The guided tour still leads where it says, and leaves nothing behind, neither at its end nor when it fails.
set -u
dir=$(mktemp -d "${TMPDIR:-/tmp}/assay-cli-XXXXXX")
trap 'rm -rf "$dir"' EXIT

TMPDIR=$dir scripts/demo.sh >"$dir/out" 2>&1 || {
    cat "$dir/out"
    exit 1
}
for text in "Verdict: trusted" "Verdict: not trusted - reference measurements: 1 different (2)"; do
    grep -qF "$text" "$dir/out" || {
        cat "$dir/out"
        echo "FAILED: '$text' is not in the tour"
        exit 1
    }
done
# a program that fails at the second step, with the device running
cat >"$dir/spdm" <<END
#!/bin/sh
[ "\$1" = attest ] && exit 9
[ "\$1" = respond ] && echo \$\$ >"$dir/pid"
exec "$SPDM" "\$@"
END
chmod +x "$dir/spdm"
if SPDM=$dir/spdm TMPDIR=$dir scripts/demo.sh >"$dir/out" 2>&1; then
    echo "FAILED: the tour does not notice a failure"
    exit 1
fi
left=$(find "$dir" -name 'assay-demo-*')
[ -z "$left" ] || {
    echo "FAILED: left behind: $left"
    exit 1
}
tries=50 # it needs a moment to end
while kill -0 "$(cat "$dir/pid")" 2>/dev/null; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || {
        echo "FAILED: the device is still running"
        exit 1
    }
    sleep 0.1
done
