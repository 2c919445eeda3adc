#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A guided tour that needs no hardware: a device is made, attested, tampered with, and refused.
# Everything happens in a directory of its own, which is removed at the end, whatever that end is.
set -eu
cd "$(dirname "$0")/.."
spdm=${SPDM:-$PWD/build/release/spdm}
if [ ! -x "$spdm" ]; then
    echo "demo.sh: $spdm is missing; run make" >&2
    exit 1
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/assay-demo-XXXXXX")
device=
finish() {
    [ -z "$device" ] || kill "$device" 2>/dev/null || true
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cd "$dir"

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi
say() {
    printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}
show() { # runs a command, and shows it as one would type it
    printf '$ %s\n' "$(printf '%s ' "$@" | sed "s,$spdm,spdm,; s, \$,,")"
    "$@"
}
wait_for() { # COMMAND...: until it is true, ten seconds at most, while the device is there
    tries=100
    until "$@"; do
        if [ $tries -eq 0 ] || ! kill -0 "$device" 2>/dev/null; then
            cat log >&2
            echo "demo.sh: waited in vain for: $*" >&2
            exit 1
        fi
        tries=$((tries - 1))
        sleep 0.1
    done
}
expect() { # EXIT COMMAND...: the exit code is part of the show
    expected=$1
    shift
    status=0
    show "$@" || status=$?
    echo "(exit code $status)"
    [ "$status" -eq "$expected" ] || {
        echo "demo.sh: exit code $expected was expected" >&2
        exit 1
    }
}

say "1. A device needs an identity: a root, an authority below it, and the device's own key and certificate."
show "$spdm" keys --out widget --device-info ACME:widget:0042

say "2. It runs firmware, which it measures. This file says what the device is:"
yes 'firmware 1.0.3' | head -c 4096 >widget/firmware.bin
cat >widget/widget.cfg <<'END'
name = "ACME widget";
slots = ( { chain = "chain.der"; key = "leaf.key"; } );
measurements = (
    { index = 1; type = "rom"; hex = "00010203"; form = "digest"; },
    { index = 2; type = "firmware"; file = "firmware.bin"; },
    { index = 3; type = "version"; text = "1.0.3"; },
    { index = 4; type = "svn"; number = 7; }
);
END
cat widget/widget.cfg

say "3. It answers on a port of this machine."
"$spdm" respond --listen tcp://127.0.0.1:0 --port-file port widget/widget.cfg >log 2>&1 &
device=$!
wait_for test -s port
target=tcp://127.0.0.1:$(cat port)
echo "$ spdm respond --listen $target widget/widget.cfg &"
cat log

say "4. Who is it, and what does it run? What it measures today is kept as the reference."
expect 0 "$spdm" attest --trust widget/root.pem --save-reference reference.json "$target"

say "5. The same device again: everything is as it was."
expect 0 "$spdm" attest --trust widget/root.pem --reference reference.json --quiet "$target"

say "6. Somebody changes one byte of its firmware, and it starts again."
printf '\377' | dd of=widget/firmware.bin bs=1 seek=1000 conv=notrunc 2>/dev/null
kill -HUP "$device"
wait_for grep -q "description read again" log

say "7. Its identity is still good, its signature too - but it is not what it was:"
expect 1 "$spdm" attest --trust widget/root.pem --reference reference.json "$target"

say "That is attestation. man spdm-attest tells the rest."
