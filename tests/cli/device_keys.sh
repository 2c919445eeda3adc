#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Keys of a device: those it was given are found wherever the description is named from, and after SIGHUP the key that
# is described now is the one that signs.
. tests/support/respond.sh

run 0 "$SPDM" keys -q -a ecdsa-p256 -o "$dir/w"
run 0 "$SPDM" keys -q -a ecdsa-p256 -o "$dir/v"
run 0 "$SPDM" keys -q -a ecdsa-p384 --keep-ca -o "$dir/ca"
case $SPDM in
/*) ;;
*) SPDM=$PWD/$SPDM ;;
esac
measured='measurements = ( { text = "firmware"; } );'
target() {
    target=tcp://127.0.0.1:$(sed -n 1p "$dir/ports")
}
# believed EXIT NAME: by a challenge and in a session, with the root of NAME
believed() {
    run "$1" "$SPDM" attest --trust "$dir/$2/root.pem" --challenge --session "$target"
}

# ---- a key that was made here, its description named by a relative path ----

echo "banks = ( { algorithm = \"ECDSA_P256\"; slots = ( { chain = \"chain.der\"; key = \"leaf.key\"; } ); },
    { algorithm = \"ECDSA_P384\"; slots = ( { slot = 0; } ); } ); $measured
key_pairs = ( { key = \"leaf.key\"; slots = [0]; }, { algorithms = [\"ECDSA_P384\"];
    capabilities = [\"generate\", \"erase\", \"associate\", \"usage\", \"algorithm\"]; } );
provisioning: { state = \"kept\"; trusted_place = true; };" >"$dir/w/device.cfg"
here=$PWD
for from in "$dir:w/device.cfg" "$dir/w:device.cfg" "$dir/w:../w/./device.cfg"; do
    cd "${from%%:*}" || exit 1
    start -l tcp://127.0.0.1:0 "${from#*:}"
    target
    if [ ! -e "$dir/w/kept/state" ]; then # made from here, and used from everywhere
        run 0 "$SPDM" provision --key-pair 2 --generate-key --key-algorithm ECDSA_P384 "$target"
        says "$dir/out" "2: made anew"
        run 0 "$SPDM" provision --ca "$dir/ca" --subject CN=made --bank 1 "$target"
        says "$dir/out" "slot 0 of the bank shows it"
    fi
    run 0 "$SPDM" attest --trust "$dir/ca/root.pem" --signature ECDSA_P384 "$target"
    says "$dir/out" "CN=made"
    kill "$responder"
    ended 0
    [ "$(find "$dir/w" -name 'key-*' | wc -l)" -eq 1 ] || bad "from $from: $(find "$dir/w" -name 'key-*')"
done
cd "$here" || exit 1
[ ! -e "$dir/w/w" ] || bad "something was made beside the state"

# ---- SIGHUP: another key in the description, another one in its file ----

cp "$dir/v/chain.der" "$dir/w/chain2.der"
cp "$dir/v/leaf.key" "$dir/w/leaf2.key"
described() {
    echo "slots = ( { chain = \"$1\"; key = \"$2\"; } ); $measured" >"$dir/w/device.cfg"
}
reload() { # COUNT: so often it has been read again by now
    kill -HUP "$responder"
    wait_until eval "[ \$(grep -c '$2' '$dir/log') -eq $1 ]"
}
described chain.der leaf.key
start -l tcp://127.0.0.1:0 "$dir/w/device.cfg"
target
believed 0 w
described chain2.der leaf2.key
reload 1 "read again"
believed 0 v
believed 1 w
cp "$dir/w/chain.der" "$dir/w/chain2.der"
cp "$dir/w/leaf.key" "$dir/w/leaf2.key"
reload 2 "read again"
believed 0 w
believed 1 v
cp "$dir/v/leaf.key" "$dir/w/leaf2.key"
reload 1 "not changed"
says "$dir/log" "leaf2.key\" (EC P-256) is not the one of the certificate"
believed 0 w
cp "$dir/v/chain.der" "$dir/w/chain2.der"
reload 3 "read again"
believed 0 v
says "$dir/out" "Verdict: trusted"
kill "$responder"
ended 0
finish
