#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The dissector for Wireshark beside `spdm decode`: recorded conversations as links of a user's type, and what
# `spdm attest --pcap` writes, over TCP, in MCTP and in PCI DOE. Every field is compared.
. tests/support/respond.sh
plugin=${BUILD_DIR:?}/wireshark/spdm.lua
data=tests/data/captures
port=

command -v tshark >/dev/null || {
    echo "no tshark: the dissector was not tried"
    exit 77
}
[ -f "$plugin" ] || {
    echo "no dissector in this build"
    exit 77
}
chmod 755 "$dir"
cp "$plugin" "$dir/spdm.lua"
dissect() { # OPTION...: as root, tshark runs no Lua without saying so
    set -- tshark -X "lua_script:$dir/spdm.lua" ${port:+-d "tcp.port==$port,spdm_tcp"} "$@"
    [ "$(id -u)" -ne 0 ] || set -- setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
    HOME=$dir "$@" 2>"$dir/err"
    ! grep -q "Lua" "$dir/err" || bad "$(cat "$dir/err")"
}
# compare NAME CAPTURE: what both say
compare() {
    cp "$2" "$dir/cap"
    chmod 644 "$dir/cap"
    "$SPDM" decode -j --no-verify "$dir/cap" >"$dir/json"
    dissect -r "$dir/cap" -T pdml >"$dir/pdml"
    tests/support/dissected.py "$dir/json" "$dir/pdml" >"$dir/out" || {
        bad "$1"
        cat "$dir/out"
    }
}
# the same packets as a link of type 147, the first of the user's
as_user() {
    cp "$1" "$dir/user"
    printf '\223\000' | dd of="$dir/user" bs=1 seek=20 conv=notrunc 2>/dev/null
}

for name in ver-1.0 ver-1.1 ver-1.2 ver-1.3 default-full pci-doe-default mut-auth-W_ENCAP psk-only-with-context \
    alg-rsapss3072-ffdhe3072 pqc-mldsa65-mlkem768 endpoint-info-sig mel csr-setcert key-pair-info; do
    as_user $data/$name.pcap
    compare $name "$dir/user"
done

# ---- display filters ----
shown() { # N FILTER: so many packets pass
    n=$(dissect -r "$dir/cap" -Y "$2" | wc -l)
    [ "$n" -eq "$1" ] || bad "-Y '$2' shows $n packets, not $1"
}
as_user $data/alg-p256-sha256-aes128.pcap
compare alg-p256-sha256-aes128 "$dir/user"
shown 1 'spdm.code == 0x84'
shown 1 'spdm.code == 0x03 && !(spdm.code == 0xeb)'
shown 2 'spdm.version == 0x10'
shown 20 'spdm.session == 0xffffffff'
shown 1 'spdm.base_hash_sel == 1'
shown 1 'spdm.index == 0xfd'
shown 0 '_ws.malformed || spdm.short'

# ---- damaged messages: told, and no error of the script ----
tests/support/damaged.py "$dir/cap" 3000 >"$dir/damaged"
dissect -r "$dir/damaged" -V >"$dir/tree"
[ "$(grep -c '^Frame ' "$dir/tree")" -eq 3000 ] || bad "packets are missing"
! grep -i "lua error" "$dir/tree" || bad "damaged messages"
grep -q "The message is shorter than its fields" "$dir/tree" || bad "nobody tells of messages cut short"

# ---- what we write ----
make_identity good
echo 'slots = ( { chain = "good.pem"; key = "good.key"; } ); measurements = ( { index = 1; text = "one"; } );' >"$dir/device.cfg"
start -q -l tcp://127.0.0.1:0 -l emu+mctp://127.0.0.1:0 -l emu+doe://127.0.0.1:0 -l emu+none://127.0.0.1:0 \
    "$dir/device.cfg"
port=$(sed -n 1p "$dir/ports") # tests have no port of their own; 4194 goes without -d
{
    echo "tcp://127.0.0.1:$port"
    echo "emu+mctp://127.0.0.1:$(sed -n 2p "$dir/ports")"
    echo "emu+doe://127.0.0.1:$(sed -n 3p "$dir/ports")"
    echo "emu+none://127.0.0.1:$(sed -n 4p "$dir/ports")"
} >"$dir/targets"
while read -r target; do
    rm -f "$dir/own"
    run 0 "$SPDM" attest -q --trust "$dir/good-root.pem" --challenge --pcap "$dir/own" "$target"
    compare "$target" "$dir/own"
done <"$dir/targets"
finish
