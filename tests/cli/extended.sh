#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Hash-extended measurements: a device makes them from its log, `spdm info` makes them again, and a third computation,
# with Python's hashlib, decides who is right.
. tests/support/respond.sh

run 0 "$SPDM" keys -q -a ecdsa-p256 -o "$dir/w"
head -c 300 /dev/urandom >"$dir/w/rom.bin"
given=$(printf 'the digest of an entry' | sha384sum | cut -d' ' -f1)
log="log: { entries = ( { measurement = 5; type = \"rom\"; file = \"rom.bin\"; }, { measurement = 6; text = \"loader\"; },
    { measurement = 5; text = \"kernel\"; }, { measurement = 5; digest = \"$given\"; },
    { measurement = 6; type = \"svn\"; number = 258; } ); };"
describe() { # LINE...
    printf '%s\n' 'slots = ( { chain = "chain.der"; key = "leaf.key"; } );' "$@" >"$dir/w/device.cfg"
}
begin() {
    start -l tcp://127.0.0.1:0 "$@" "$dir/w/device.cfg"
    target=tcp://127.0.0.1:$(sed -n 1p "$dir/ports")
}
end() {
    kill "$responder"
    ended 0
}
# expected HASH ENTRY...: zeros, extended by entries: file:NAME, text:TEXT, hex:RAW, digest:HEX
expected() {
    python3 - "$@" <<'EOF'
import hashlib, sys
new = lambda data: hashlib.new(sys.argv[1], data).digest()
value = bytes(hashlib.new(sys.argv[1]).digest_size)
for entry in sys.argv[2:]:
    kind, text = entry.split(":", 1)
    if kind == "digest": digest = bytes.fromhex(text)
    else: digest = new({"file": lambda: open(text, "rb").read(), "text": text.encode, "hex": lambda: bytes.fromhex(text)}[kind]())
    value = new(value + digest)
print(value.hex())
EOF
}
five=$(expected sha384 "file:$dir/w/rom.bin" text:kernel "digest:$given")
six=$(expected sha384 text:loader hex:0201000000000000)
zeros=$(printf '%096d' 0)

# A device makes them, in the open and in a session
describe 'measurements = ( { index = 5; type = "hash-extend"; }, { index = 6; type = "hash-extend"; },
    { index = 7; type = "hash-extend"; }, { index = 8; text = "not extended"; } );' "$log"
begin
for how in "" --session; do
    # shellcheck disable=SC2086 # no word or one
    run 0 "$SPDM" info $how --trust "$dir/w/root.pem" --hash SHA_384 "$target"
    says "$dir/out" "hash-extend" "$five" "$six" "measurement 5: the log agrees (3 entries)" \
        "measurement 6: the log agrees (2 entries)" "measurement 7: the log agrees (0 entries)"
    silent "measurement 8:"
done
run 0 "$SPDM" info --json "$target"
member '[.measurements[].value][0:3]' "[\"$five\",\"$six\",\"$zeros\"]"
member '[.log.extended[] | [.measurement, .entries, .agrees]]' '[[5,3,true],[6,2,true],[7,0,true]]'
member '.log.extended[0].value' "$five"
end

# Another hash, and no digest among the entries
describe 'algorithms: { measurement_hash = "SHA3_512"; };' 'measurements = ( { type = "hash-extend"; } );' \
    'log: { entries = ( { text = "one"; }, { text = ""; }, { text = "one"; } ); };'
begin
run 0 "$SPDM" info --json "$target"
member '.measurements[0].value' "$(expected sha3_512 text:one text: text:one)"
member '.log.extended[0].agrees' true

# What the log has now is what is measured now
sed -i 's/"one"; }, { text = ""/"two"; }, { text = ""/' "$dir/w/device.cfg"
kill -HUP "$responder"
wait_until grep -q "read again" "$dir/log"
run 0 "$SPDM" info --json "$target"
member '.measurements[0].value' "$(expected sha3_512 text:two text: text:one)"
member '.log.extended[0].agrees' true
end

# A log that says something else than was measured, and one that cannot be followed
describe "measurements = ( { index = 5; type = \"hash-extend\"; digest = \"$six\"; } );" "$log"
begin
run 0 "$SPDM" info "$target"
says "$dir/out" "measurement 5: the log does not agree, 3 of its entries make $five"
run 0 "$SPDM" info --json "$target"
member '[.log.extended[0].agrees, .log.extended[0].value]' "[false,\"$five\"]"
end
describe "measurements = ( { index = 5; type = \"hash-extend\"; } );" "$log"
begin --tamper 'MEASUREMENT_EXTENSION_LOG.MEL=04'
run 0 "$SPDM" info "$target"
says "$dir/out" "measurement 5: the log cannot be followed"
end
sed -i "s/$given/${given%??}/" "$dir/w/device.cfg"
sed -i 's/index = 5; type = "hash-extend"/index = 5; type = "hash-extend"; digest = "'"$five"'"/' "$dir/w/device.cfg"
begin
run 0 "$SPDM" info "$target"
says "$dir/out" "measurement 5: the log cannot be followed"
end

# What cannot be described
wrong() { # TEXT LINE...
    text=$1
    shift
    describe "$@"
    run 2 "$SPDM" respond -l tcp://127.0.0.1:0 "$dir/w/device.cfg"
    says "$dir/err" "$text"
}
wrong "device.cfg:2: measurement 1 needs exactly one of file, hex, text, number, digest, or a log that extends it" \
    'measurements = ( { type = "hash-extend"; } );'
wrong "device.cfg:2: measurement 1: an entry of the log is a digest, but not one of SHA_256" \
    'measurements = ( { type = "hash-extend"; } );' 'algorithms: { measurement_hash = "SHA_256"; };' \
    "log: { entries = ( { digest = \"$given\"; } ); };"
wrong "measurement 1 is made from the log, and has no form but digest" \
    'measurements = ( { type = "hash-extend"; form = "raw"; } );' "$log"
wrong "measurement 1 is a digest, but measurement_hash is raw" 'measurements = ( { type = "hash-extend"; } );' \
    'algorithms: { measurement_hash = "raw"; };' "$log"
finish
