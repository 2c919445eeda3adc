#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Device descriptions: every mistake is an error with file and line, and nothing listens then.
. tests/support/respond.sh

make_chain p256 EC -pkeyopt ec_paramgen_curve:P-256
make_chain p384 EC -pkeyopt ec_paramgen_curve:P-384
openssl pkey -in "$dir/p256.key" -pubout -out "$dir/p256.pub" 2>/dev/null
openssl x509 -in "$dir/p256-root.pem" -outform DER -out "$dir/root.der"
openssl x509 -in "$dir/p256-leaf.pem" -outform DER -out "$dir/leaf.der"
cat "$dir/root.der" "$dir/leaf.der" >"$dir/p256.der"
cat "$dir/p256-leaf.pem" "$dir/p256-root.pem" >"$dir/leaf-first.pem"
cat "$dir/p256-root.pem" "$dir/p384-leaf.pem" >"$dir/mixed.pem"
echo "not a certificate" >"$dir/text"
: >"$dir/empty"
head -c 70000 /dev/zero >"$dir/large"
mkdir "$dir/roots" "$dir/no-roots"
cp "$dir/p384-root.pem" "$dir/roots"
slot='slots = ( { chain = "p256.pem"; key = "p256.key"; } );'

# good DESCRIPTION [TEXT...]: is served, and announced with these words
good() {
    description=$1
    shift
    printf '%s\n' "$description" >"$dir/device.cfg"
    start --listen tcp://127.0.0.1:0 "$dir/device.cfg"
    kill "$responder"
    ended 0
    says "$dir/log" "listening on tcp://127.0.0.1:" "$@"
}
# wrong LINE TEXT DESCRIPTION
wrong() {
    printf '%s\n' "$3" >"$dir/device.cfg"
    rm -f "$dir/ports"
    run 2 "$SPDM" respond --listen tcp://127.0.0.1:0 --port-file "$dir/ports" "$dir/device.cfg"
    says "$dir/err" "$dir/device.cfg${1:+:$1}: " "$2"
    [ ! -e "$dir/ports" ] || bad "listened in spite of: $2"
}

good "$slot" "slot 0 (EC P-256), 0 measurements, 4 sessions, SPDM 1.4, 1.3, 1.2, 1.1, 1.0"
good 'name = "widget"; versions = ["1.2", "1.0"]; slots = ( { slot = 2; chain = "p256.der"; key = "p256.key"; } );' \
    "serving widget: slot 2 (EC P-256), 0 measurements, 4 sessions, SPDM 1.2, 1.0"
good 'slots = ( { chain = "leaf-first.pem"; key = "p256.key"; }, { slot = 5; }, { chain = "p384.pem"; root = "p384-root.pem"; key = "p384.key"; } );' \
    "slot 0 (EC P-256), slot 6 (EC P-384)"
good 'slots = ( { chain = "p256-leaf.pem"; root = "root.der"; key = "p256.key"; } );' "slot 0 (EC P-256)"
good 'public_key: { file = "p256.pub"; key = "p256.key"; };' "public key (EC P-256)"
good 'measurements = ( { text = "x"; } );' "1 measurement,"
good "$slot"' measurements = ( { index = 9; file = "large"; }, { index = 1; hex = "00 11:22"; }, { index = 254; number = 3; type = "svn"; tcb = true; } );' \
    "3 measurements"
good "$slot"' algorithms: { hashes = ["SHA_256", "sha-384"]; signatures = "ECDSA_P256"; measurement_hash = "SHA_512"; };'
good "$slot"' sizes: { data_transfer_size = 42; send_size = 100000; max_message_size = 1000000; }; timing: { ct_exponent = 31; rdt_exponent = 3; rdtm = 2; answer_delay_ms = 5; };'
good "$slot"' capabilities = ["CERT_CAP", "CHAL"];'
good "$slot"' errata = ["big-endian-nonce", "drop-bad-records"];'
good "$slot"' capabilities = ["CERT", "KEY_EX", "MAC", "HANDSHAKE_IN_THE_CLEAR_CAP"]; algorithms: { exchanges = "ffdhe2048"; aeads = ["AES_128_GCM"]; };'
good "$slot"' sessions: { count = 0; psks = ( { text = "x"; } ); };' "no sessions"
good "$slot"' sessions: { count = 1024; heartbeat = 255; random = 32; secured_versions = "1.3"; };' "1024 sessions"
good 'measurements = ( { text = "x"; } ); sessions: { psks = ( { hint = ""; file = "large"; }, { hint_hex = "00"; hex = "00"; }, { text = "any"; } ); };' \
    "4 sessions (by 3 pre-shared keys)"
good "$slot"' requesters: { trust = "p256-root.pem"; };' "requesters: encapsulated, required"
good "$slot"' requesters: { trust = ["p256-root.pem", "roots"]; authentication = ["basic", "digests"]; required = false; };' \
    "requesters: basic, digests"
good "$slot"' requesters: { chain = "leaf-first.pem"; slot = 3; };' "requesters: known, required"
good "$slot"' requesters: { public_key = "p256.pub"; authentication = "known"; };' "requesters: known, required"
good "$slot"' requesters: { trust = "roots"; authentication = "basic"; };' "requesters: basic"
good "$slot"' requesters: { authentication = "none"; };' "SPDM 1.4"

# the example shows every setting there is, and is right
sed -n 's/^ *{"\([a-z_]*\)", .*read.*/\1/p; s/.*{"\([a-z_]*\)", \(spdm_device\|read\)_[a-z_]*, .*/\1/p' port/device_*.c | sort -u >"$dir/settings"
[ "$(wc -l <"$dir/settings")" -ge 30 ] || bad "only $(wc -l <"$dir/settings") settings found in the sources"
while read -r setting; do
    grep -q "\<$setting\>" examples/device.cfg || bad "examples/device.cfg does not show $setting"
done <"$dir/settings"
mkdir "$dir/example"
cp examples/device.cfg "$dir/example/device.cfg"
cp "$dir/p384.pem" "$dir/example/chain.pem"
cp "$dir/p384-root.pem" "$dir/example/root.pem"
cp "$dir/p384.key" "$dir/example/leaf.key"
cp "$dir/large" "$dir/example/firmware.bin"
cp "$dir/large" "$dir/example/maintenance.psk"
cp "$dir/p256-root.pem" "$dir/example/requesters.pem"
start --listen tcp://127.0.0.1:0 "$dir/example/device.cfg"
kill "$responder"
ended 0
says "$dir/log" "serving example widget: slot 0 (EC P-384), 2 key pairs, 4 measurements, 4 sessions (by key exchange or 3 pre-shared keys)," "requesters: basic, encapsulated, required, SPDM 1.4"

rm "$dir/device.cfg"
run 2 "$SPDM" respond "$dir/device.cfg"
says "$dir/err" "cannot read the device description"
run 2 "$SPDM" respond "$dir"
says "$dir/err" "cannot read the device description"

# the form
state='provisioning: { state = "given"; };'
pairs='key_pairs = ( { key = "p256.key"; }, { algorithms = ["ECDSA_P384"]; capabilities = ["generate", "erase"]; } );'
good "$slot $state" "1 key pair,"
good "slots = ( { chain = \"p256.pem\"; key_pair = 1; } ); $pairs $state" "2 key pairs,"
good "slots = ( { key = \"p256.key\"; }, { slot = 3; } ); $state" "1 key pair,"
good "banks = ( { algorithm = \"ECDSA_P256\"; slots = ( { chain = \"p256.pem\"; key = \"p256.key\"; } ); }, { algorithms = [\"ECDSA_P384\"]; slots = ( { slot = 0; }, { slot = 1; } ); protected = [1]; slot_size = 1000; } ); $state" \
    "2 banks of slots, 1 key pair,"
good "$slot provisioning: { state = \"given\"; reset = true; allow = [\"certificates\"]; trusted_place = true; };"
good "$slot"' log: { entries = ( { text = "x"; } ); }; endpoint: { classes = ( ); }; events: { };'
good "$slot"' measurements = ( { index = 253; type = "structured-manifest"; body = "TCG"; vendor = "0102"; hex = ""; } );'
good "$slot"' vendor_defined = ( { body = 3; vendor = "0100"; } ); app_data = ( { request = "01"; answer = "02"; } );'
wrong 1 "without the group provisioning none can come" 'slots = ( { key = "p256.key"; } );'
wrong 1 "needs state, the directory that keeps what the device is given" "$slot provisioning: { };"
wrong 1 'allow "all": known are csr, certificates, key-pairs, banks' "$slot provisioning: { state = \"given\"; allow = \"all\"; };"
wrong 1 "key pair 1 needs a key, or algorithms it can be of" "$slot key_pairs = ( { } );"
wrong 1 'capability "sing": known are generate' "$slot key_pairs = ( { key = \"p256.key\"; capabilities = \"sing\"; } );"
wrong 1 '"MD5" is no signature algorithm' "$slot key_pairs = ( { algorithms = \"MD5\"; } );"
wrong "" "the key of slot 0 is none of the key pairs" "$slot key_pairs = ( { key = \"p384.key\"; } );"
wrong 1 "slots are described in them, and not beside" "$slot banks = ( );"
wrong 1 "banks 0 and 1 have the same algorithm" \
    'banks = ( { algorithm = "ECDSA_P256"; slots = ( ); }, { algorithm = "ECDSA_P256"; slots = ( ); } );'
wrong 1 "CSR needs SET_CERT (R-CAPR-21)" "$slot $state capabilities = [\"CERT\", \"CSR\"];"
wrong 1 "SET_CERT needs the group provisioning" "$slot capabilities = [\"CERT\", \"SET_CERT\"];"
wrong 1 "MULTI_KEY needs GET_KEY_PAIR_INFO (R-CAPR-27)" "$slot capabilities = [\"CERT\", \"MULTI_KEY\"];"
wrong 1 "SLOT_MGMT needs the setting banks" "$slot capabilities = [\"CERT\", \"SLOT_MGMT\"];"
wrong 1 "MEL needs the group log" "$slot capabilities = [\"CERT\", \"MEL\"];"
wrong 1 "EVENT needs ENCAP" "$slot events: {}; capabilities = [\"CERT\", \"KEY_EX\", \"MAC\", \"EVENT\"];"
wrong 1 "reset is of no use" "$slot provisioning: { state = \"given\"; reset = true; allow = []; };"
wrong 1 "a VendorID is not as long as its body has them" "$slot endpoint: { classes = ( { body = \"PCI-SIG\"; vendor = \"01\"; } ); };"
wrong 1 'body "ACME": DMTF' "$slot endpoint: { classes = ( { body = \"ACME\"; } ); };"
wrong 1 "this is no measurement extension log" "$slot log: { file = \"text\"; };"
wrong 1 'event "rain": measurement-changed' "$slot events: { types = \"rain\"; };"
wrong 1 "an answer to application data needs request and answer" "$slot app_data = ( { request = \"01\"; } );"
wrong 1 "body is for structured manifests only" "$slot measurements = ( { body = \"TCG\"; text = \"x\"; } );"

wrong 2 "syntax error" "slots = ("
wrong 1 "there is no errata switch \"ocp\"; known are resynch-out-of-order, unequal-sizes, " "errata = [\"unequal-sizes\", \"ocp\"]; $slot"
wrong 2 "syntax error" "$slot
versions = ;"
wrong 2 'there is no setting "version" here; known are name, versions' "$slot
version = \"1.2\";"
wrong 1 'there is no setting "file" here; known are slot, chain, root' 'slots = ( { file = "p256.pem"; } );'
wrong 1 "slots must be a list of groups" 'slots = { chain = "p256.pem"; };'
wrong 1 "must be a group of settings" 'slots = ( "p256.pem" );'
wrong 1 "name must be a text in quotes" 'name = 5;'
wrong "" "neither an identity" 'name = "x";'
wrong "" "neither an identity" ''

# values
wrong 1 'there is no SPDM version "1.5"; known are 1.0' 'versions = ["1.2", "1.5"];'
wrong 1 "version 1.2 is listed twice" 'versions = ["1.2", "1.2"];'
wrong 1 "versions must be a text in quotes, or a list" 'versions = 1.2;'
wrong 1 "versions must be a text in quotes, or a list" 'versions = [];'
wrong 1 'there is no hash algorithm "SHA_1"' 'algorithms: { hashes = ["SHA_1"]; };'
wrong 1 'there is no hash algorithm "ECDSA_P256"' 'algorithms: { hashes = ["ECDSA_P256"]; };'
wrong 1 'there is no signature algorithm "SHA_256"' 'algorithms: { signatures = ["SHA_256"]; };'
wrong 1 'measurement_hash "md5"' 'algorithms: { measurement_hash = "md5"; };'
wrong 1 'the capability "CACHE" is none that can be served; these can: CERT, CHAL, ' 'capabilities = ["CERT", "CACHE"];'
wrong 1 "CERT needs a slot" 'capabilities = ["CERT"]; measurements = ( { text = "x"; } );'
wrong 2 "PUB_KEY_ID needs the setting public_key" "$slot
capabilities = [\"PUB_KEY_ID\"];"
wrong 2 "CERT and PUB_KEY_ID exclude each other" "$slot"' public_key: { file = "p256.pub"; key = "p256.key"; };
capabilities = ["CERT", "PUB_KEY_ID"];'
wrong 2 "CHAL and MEAS_SIG need an identity" "$slot
capabilities = [\"CHAL\"];"
wrong 2 "MEAS_SIG and MEAS_NO_SIG exclude" "$slot measurements = ( { text = \"x\"; } );
capabilities = [\"CERT\", \"MEAS_SIG\", \"MEAS_NO_SIG\"];"
wrong 2 "need measurements" "$slot
capabilities = [\"CERT\", \"MEAS_SIG\"];"
wrong 1 "data_transfer_size is 41, 42 to" 'sizes: { data_transfer_size = 41; };'
wrong 1 "data_transfer_size must be a number" 'sizes: { data_transfer_size = -1; };'
wrong 1 "max_message_size is 41, 42 to" 'sizes: { max_message_size = 41; };'
wrong 1 "max_message_size is 1048576, 42 to 1048560 allowed" 'sizes: { max_message_size = 1048576; };'
wrong 1 "ct_exponent is 32, 0 to 31 allowed" 'timing: { ct_exponent = 32; };'
wrong 1 "rdtm is 1, 2 to 255 allowed" 'timing: { rdtm = 1; };'

# sessions
wrong 2 "KEY_EX needs an identity" 'measurements = ( { text = "x"; } );
capabilities = ["MEAS_NO_SIG", "KEY_EX", "MAC"];'
wrong 2 "KEY_EX and PSK need MAC" "$slot
capabilities = [\"CERT\", \"KEY_EX\", \"ENCRYPT\"];"
wrong 2 "MAC, ENCRYPT, HBEAT and KEY_UPD need sessions" "$slot
capabilities = [\"CERT\", \"HBEAT\"];"
wrong 2 "HANDSHAKE_IN_THE_CLEAR needs KEY_EX" "$slot"' sessions: { psks = ( { text = "x"; } ); };
capabilities = ["CERT", "PSK", "MAC", "HANDSHAKE_IN_THE_CLEAR"];'
wrong 2 "PSK and PSK_WITH_CONTEXT exclude each other" "$slot"' sessions: { psks = ( { text = "x"; } ); };
capabilities = ["CERT", "PSK", "PSK_WITH_CONTEXT", "MAC"];'
wrong 2 "PSK needs the setting psks in sessions" "$slot
capabilities = [\"CERT\", \"PSK\", \"MAC\"];"
wrong 2 "psks are of no use" "$slot"' capabilities = ["CERT", "KEY_EX", "MAC"];
sessions: { psks = ( { text = "x"; } ); };'
wrong 2 "their count is 0" "$slot"' sessions: { count = 0; };
capabilities = ["CERT", "KEY_EX", "MAC"];'
wrong 2 "exchanges are of no use" "$slot"' capabilities = ["CERT"]; algorithms: {
exchanges = ["SECP384R1"]; };'
wrong 2 "aeads are of no use" "$slot"' sessions: { count = 0; }; algorithms: {
aeads = ["AES_128_GCM"]; };'
wrong 2 "requester_signatures are of no use" "$slot"' algorithms: {
requester_signatures = ["ECDSA_P384"]; };'
wrong 1 'there is no key exchange algorithm "SHA_256"' 'algorithms: { exchanges = ["SHA_256"]; };'
wrong 1 'there is no AEAD algorithm "SECP384R1"; names are as in AES_256_GCM' 'algorithms: { aeads = ["SECP384R1"]; };'
wrong 1 "DHE_SM2 is not supported by this OpenSSL" 'algorithms: { exchanges = ["DHE_SM2"]; };'
wrong 1 "count is 1025, 0 to 1024 allowed" 'sessions: { count = 1025; };'
wrong 1 "heartbeat is 256, 0 to 255 allowed" 'sessions: { heartbeat = 256; };'
wrong 1 "random is 33, 0 to 32 allowed" 'sessions: { random = 33; };'
wrong 1 'there is no version "1.4" of secured messages' 'sessions: { secured_versions = ["1.4"]; };'
wrong 1 "psks must be a list of groups" 'sessions: { psks = ["x"]; };'
wrong 1 'there is no setting "key" here; known are hint, hint_hex, file, text, hex' 'sessions: { psks = ( { key = "x"; } ); };'
wrong 1 "needs exactly one of file, text, hex" 'sessions: { psks = ( { hint = "x"; } ); };'
wrong 1 "needs exactly one of file, text, hex" 'sessions: { psks = ( { text = "x"; hex = "00"; } ); };'
wrong 1 "the pre-shared key is empty" 'sessions: { psks = ( { file = "empty"; } ); };'
wrong 1 "no-such.psk: No such file" 'sessions: { psks = ( { file = "no-such.psk"; } ); };'
wrong 1 '"zz": pairs of hexadecimal digits' 'sessions: { psks = ( { hex = "zz"; } ); };'
wrong 1 '"z": pairs of hexadecimal digits' 'sessions: { psks = ( { hint_hex = "z"; text = "x"; } ); };'
wrong 1 "hint and hint_hex say the same twice" 'sessions: { psks = ( { hint = "x"; hint_hex = "00"; text = "x"; } ); };'
wrong 2 "two pre-shared keys have this hint" 'sessions: { psks = ( { hint = "A"; text = "x"; },
{ hint_hex = "41"; text = "y"; } ); };'
wrong 2 "two pre-shared keys without a hint" 'sessions: { psks = ( { text = "x"; },
{ text = "y"; } ); };'

# requesters
wrong 1 "requesters needs trust, chain or public_key" "$slot requesters: { };"
wrong 1 'authentication "tls": none, basic, known, encapsulated or digests expected' "$slot"' requesters: { authentication = "tls"; };'
wrong 1 "known, encapsulated and digests exclude each other" "$slot"' requesters: { authentication = ["known", "digests"]; };'
wrong 1 "authentication is none, and something else" "$slot"' requesters: { authentication = ["none", "basic"]; };'
wrong 1 "need trust: the roots of requesters" "$slot"' requesters: { authentication = "basic"; };'
wrong 1 "known needs the chain or the public_key" "$slot"' requesters: { authentication = "known"; trust = "roots"; };'
wrong 1 "chain and public_key exclude each other" "$slot"' requesters: { chain = "p256.pem"; public_key = "p256.pub"; };'
wrong 1 "are for the authentication known" "$slot"' requesters: { chain = "p256.pem"; trust = "roots"; };'
wrong 1 "required needs the authentication known" "$slot"' requesters: { trust = "roots"; authentication = "basic"; required = true; };'
wrong 1 "required must be true or false" "$slot"' requesters: { required = 1; };'
wrong 1 "slot is 8, 0 to 7 allowed" "$slot"' requesters: { slot = 8; };'
wrong 1 "trust: " "$slot"' requesters: { trust = "no-such"; };'
wrong 1 "trust: " "$slot"' requesters: { trust = "no-roots"; };'
wrong 1 "trust: " "$slot"' requesters: { trust = "text"; };'
wrong 1 "no-such.pem: No such file" "$slot"' requesters: { chain = "no-such.pem"; };'
wrong 1 "p256.key: there is no block" "$slot"' requesters: { public_key = "p256.key"; };'
wrong 2 "MUT_AUTH needs the setting requesters" "$slot
capabilities = [\"CERT\", \"CHAL\", \"MUT_AUTH\", \"ENCAP\"];"
wrong 2 "MUT_AUTH needs ENCAP" "$slot"' requesters: { trust = "roots"; };
capabilities = ["CERT", "CHAL", "KEY_EX", "MAC", "MUT_AUTH"];'
wrong 2 "requesters cannot be asked" "$slot"' capabilities = ["CERT"];
requesters: { trust = "roots"; };'
wrong 2 "by KEY_EX, which is not among the capabilities" "$slot"' capabilities = ["CERT", "MUT_AUTH", "ENCAP"];
requesters: { trust = "roots"; };'
wrong 2 "basic authentication needs CHAL" "$slot"' capabilities = ["CERT", "MUT_AUTH", "ENCAP"];
requesters: { trust = "roots"; authentication = "basic"; };'

# identity
wrong 1 "slot is 8, 0 to 7 allowed" 'slots = ( { slot = 8; } );'
wrong 1 "slot 0 is described twice" 'slots = ( { slot = 0; }, { slot = 0; } );'
wrong 1 "there are 8 slots only" 'slots = ( { slot = 7; }, { } );'
wrong 1 "slot 0 has a chain but no key" 'slots = ( { chain = "p256.pem"; } );'
wrong 1 "slot 0 has no chain" 'slots = ( { key = "p256.key"; } );'
wrong 1 "no-such.pem: No such file" 'slots = ( { chain = "no-such.pem"; key = "p256.key"; } );'
wrong 1 "text: this is neither PEM nor DER" 'slots = ( { chain = "text"; key = "p256.key"; } );'
wrong 1 "empty: the file is empty" 'slots = ( { chain = "empty"; key = "p256.key"; } );'
wrong 1 ".: Is a directory" 'slots = ( { chain = "."; key = "p256.key"; } );'
wrong 1 'there is no block "BEGIN CERTIFICATE"' 'slots = ( { chain = "p256.key"; key = "p256.key"; } );'
wrong 1 'key "no-such.key":' 'slots = ( { chain = "p256.pem"; key = "no-such.key"; } );'
wrong 1 'key "p256.pem":' 'slots = ( { chain = "p256.pem"; key = "p256.pem"; } );'
wrong 2 "(EC P-384) is not the one of the certificate" 'slots = ( { chain = "p256.pem";
key = "p384.key"; } );'
wrong 1 "the key has no uri" 'slots = ( { chain = "p256.pem"; key: { }; } );'
wrong 1 "does not begin with a root certificate" 'slots = ( { chain = "p256-leaf.pem"; key = "p256.key"; } );'
wrong 1 "was not issued by the root" 'slots = ( { chain = "p256-leaf.pem"; root = "p384-root.pem"; key = "p256.key"; } );'
wrong 1 "exactly one certificate" 'slots = ( { chain = "p256.pem"; root = "p256.pem"; key = "p256.key"; } );'
wrong 1 'model "car": device, alias or generic expected' 'slots = ( { model = "car"; } );'
wrong 1 'usage "fun"' 'slots = ( { usage = ["fun"]; } );'
wrong 1 "key_pair is 0, 1 to 255 allowed" 'slots = ( { key_pair = 0; } );'
wrong 1 "public_key needs file and key" 'public_key: { file = "p256.pub"; };'
wrong 1 "(EC P-384) is not the one of the public key" 'public_key: { file = "p256.pub"; key = "p384.key"; };'

# measurements
wrong 1 "measurements must be a list of groups" 'measurements = { text = "x"; };'
wrong 1 "index is 0, 1 to 254 allowed" 'measurements = ( { index = 0; text = "x"; } );'
wrong 1 "index is 255, 1 to 254 allowed" 'measurements = ( { index = 255; text = "x"; } );'
wrong 2 "measurement 1 is described twice" 'measurements = ( { index = 1; text = "x"; },
{ index = 1; text = "y"; } );'
wrong 1 "needs exactly one of file, hex, text, number, digest" 'measurements = ( { } );'
wrong 1 "needs exactly one of" 'measurements = ( { text = "x"; number = 0; } );'
wrong 1 'type "fw"' 'measurements = ( { text = "x"; type = "fw"; } );'
wrong 1 "type is 128, 0 to 127 allowed" 'measurements = ( { text = "x"; type = 128; } );'
wrong 1 'form "hash": raw or digest expected' 'measurements = ( { text = "x"; form = "hash"; } );'
wrong 1 '"1": pairs of hexadecimal digits' 'measurements = ( { hex = "00 1"; } );'
wrong 1 '"zz": pairs of hexadecimal digits' 'measurements = ( { hex = "00zz"; } );'
wrong 1 "tcb must be true or false" 'measurements = ( { text = "x"; tcb = 1; } );'
wrong 1 "has 70000 bytes, at most 65532 can be shown raw" 'measurements = ( { file = "large"; form = "raw"; } );'
wrong 1 "the digest of measurement 1 has 2 bytes, SHA_384 has 48" "$slot"' measurements = ( { digest = "0011"; } );'
wrong 1 "is a digest, but measurement_hash is raw" \
    "$slot"' algorithms: { measurement_hash = "raw"; }; measurements = ( { file = "text"; } );'
finish
