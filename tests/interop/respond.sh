#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# DMTF's spdm_requester_emu attests `spdm respond`: each SPDM version, each kind of key, each transport of the
# emulator, and hash algorithms pairwise. PEER_DIR is the directory with its programs and sample keys; without it the
# test is skipped. FULL=1 runs every combination.
if [ ! -x "${PEER_DIR:-}/spdm_requester_emu" ]; then
    echo "PEER_DIR does not name a directory with spdm_requester_emu"
    exit 77
fi
PEER_DIR=$(cd "$PEER_DIR" && pwd)
. tests/support/respond.sh

runs=0
# pair TRANSPORT SCHEME VERSION HASH ASYM DIRECTORY
pair() {
    runs=$((runs + 1))
    cat >"$dir/device.cfg" <<END
slots = ( { chain = "$PEER_DIR/$6/bundle_responder.certchain.der"; key = "$PEER_DIR/$6/end_responder.key"; } );
algorithms: { hashes = "$4"; signatures = "$(echo "$5" | sed s/EDDSA_/ED/)"; measurement_hash = "$4"; };
measurements = (
    { index = 1; text = "firmware"; }, { index = 2; type = "version"; text = "1.0"; },
    { index = 3; type = "svn"; number = 7; }, { index = 4; type = "hardware-config"; hex = "0011"; form = "digest"; }
);
END
    start --once --listen "$2://127.0.0.1:0" "$dir/device.cfg"
    (cd "$PEER_DIR" && exec timeout 60 ./spdm_requester_emu --trans "$1" --port "$(cat "$dir/ports")" --ver "$3" \
        --hash "$4" --asym "$5" --meas_hash "$4" --exe_conn DIGEST,CERT,CHAL,MEAS --exe_session APP) >"$dir/peer" 2>&1
    status=$?
    wait_until grep -q "stopping" "$dir/log" || kill "$responder"
    ended 0
    # The emulator also ends with 0 after a wrong option: count the signatures that it asked for and took.
    grep -q ", [5-9] signatures, SPDM $3: " "$dir/log" || status=none
    [ "$status" = 0 ] || {
        bad "$1, SPDM $3, $4, $5: $status"
        tail -3 "$dir/peer"
        cat "$dir/log"
    }
}

# Edwards curves came with 1.2. An emulator on OpenSSL before 3.2 has no way to give Ed448 its context string and takes
# no signature that has one; PEER_ED448=1 says that this one can.
edwards='EDDSA_25519:ed25519'
[ -z "${PEER_ED448:-}" ] || edwards="$edwards EDDSA_448:ed448"
keys='ECDSA_P256:ecp256 ECDSA_P384:ecp384 ECDSA_P521:ecp521 RSASSA_2048:rsa2048 RSAPSS_2048:rsa2048
    RSASSA_3072:rsa3072 RSAPSS_3072:rsa3072 RSASSA_4096:rsa4096 RSAPSS_4096:rsa4096'
transports='MCTP:emu+mctp PCI_DOE:emu+doe TCP:emu+tcp'
hashes='SHA_256 SHA_384 SHA_512'
[ -z "${FULL:-}" ] || hashes="$hashes SHA3_256 SHA3_384 SHA3_512"

if [ -n "${FULL:-}" ]; then
    for transport in $transports; do
        for version in 1.0 1.1 1.2 1.3 1.4; do
            case $version in
            1.0 | 1.1) more= ;;
            *) more=$edwards ;;
            esac
            for key in $keys $more; do
                for hash in $hashes; do
                    pair "${transport%:*}" "${transport#*:}" $version "$hash" "${key%:*}" "${key#*:}"
                done
            done
        done
    done
else
    # every version with every key, the transports and hashes taking turns
    for version in 1.0 1.1 1.2 1.3 1.4; do
        case $version in
        1.0 | 1.1) more= ;;
        *) more=$edwards ;;
        esac
        for key in $keys $more; do
            # shellcheck disable=SC2086 # lists
            { set -- $transports && shift $((runs % 3)) && transport=$1; }
            # shellcheck disable=SC2086
            { set -- $hashes && shift $((runs / 3 % 3)) && hash=$1; }
            pair "${transport%:*}" "${transport#*:}" $version "$hash" "${key%:*}" "${key#*:}"
        done
    done
fi
echo "$runs runs"
finish
