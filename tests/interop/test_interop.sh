#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A quick part of tests/interop/run: each version, transport, role and kind of key once, every way to open a session and
# to renew its keys, and the refusals.
set -u
if [ -z "${PEER_DIR:-}" ]; then
    echo "skipped: PEER_DIR names no directory with the programs of a foreign SPDM implementation"
    exit 77
fi
command -v python3 >/dev/null || {
    echo "skipped: python3 is not installed"
    exit 77
}
attest='special/(r-)?(defaults|all-1|unsigned-1.0|slot-(1|fallback)|public-key|wrong-root$|flip-(meas|chall)|reference|killed-cert|everything-1.4|sm2)'
open='key-(1.1|1.4|encrypted-1.2|mac-only-1.4)|psk-(1.3|no-context-1.4)|mut-(no-encap|encap|digests|basic)-1.[34]'
life='update-(one|all|by-responder-1.[24])|application|two-sessions|flip-(finish|record)'
service='key-(1.1|1.4|clear-1.2|mac-only-1.4)|psk-1.3|mut-(known|encap|digests)-1.4|mut-basic-1.3|update-by-us-1.4|flip-finish|echo'
large='large/(r-)?chunks-1.[24]|session-large/(r-)?large-1.([23]|4-all-sealed)'
programs='info-(1.3|session-1.4)|csr-1.3|store-session-1.3|whole-1.4|key-pair-1.3'
exec tests/interop/run --only "^($attest|post-quantum/(r-)?ml-dsa-65\$|sessions/(r-)?($open|$life)\$|service/($service)\$|programs/($programs)\$|($large)\$)"
