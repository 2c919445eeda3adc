#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# examples/attest.c does what it says, with a device that is trusted, one that is not, and none.
. tests/support/respond.sh

run 0 "$SPDM" keys --quiet --out "$dir/widget"
run 0 "$SPDM" keys --quiet --out "$dir/other"
start -l tcp://127.0.0.1:0 "$dir/widget/device.cfg"
run 0 "$BUILD_DIR/example_attest" "$dir/widget/root.pem" "$(cat "$dir/ports")"
says "$dir/out" "  1 mutable firmware" "trusted"
run 1 "$BUILD_DIR/example_attest" "$dir/other/root.pem" "$(cat "$dir/ports")"
says "$dir/out" "not trusted"
says "$dir/err" "CERTIFICATE: the certificate chain of slot 0 was refused"
kill "$responder"
ended 0
run 1 "$BUILD_DIR/example_attest" "$dir/widget/root.pem" "$(cat "$dir/ports")"
run 2 "$BUILD_DIR/example_attest"
# the reference that goes with the description of the examples
cp examples/device.cfg "$dir/widget/example.cfg"
sed -i 's/chain\.pem/chain.der/; s/root = "root\.pem";//' "$dir/widget/example.cfg"
echo firmware >"$dir/widget/firmware.bin"
echo "a key that is shared" >"$dir/widget/maintenance.psk"
cp "$dir/other/root.pem" "$dir/widget/requesters.pem"
start -l tcp://127.0.0.1:0 "$dir/widget/example.cfg"
run 0 "$SPDM" attest --trust "$dir/widget/root.pem" --reference examples/reference.json \
    "tcp://127.0.0.1:$(cat "$dir/ports")"
kill "$responder"
ended 0
finish
