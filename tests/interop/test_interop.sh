#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A quick part of tests/interop/run: each version, transport, role and kind of key once, and the refusals.
set -u
if [ -z "${PEER_DIR:-}" ]; then
    echo "skipped: PEER_DIR names no directory with the programs of a foreign SPDM implementation"
    exit 77
fi
command -v python3 >/dev/null || {
    echo "skipped: python3 is not installed"
    exit 77
}
exec tests/interop/run --only '^post-quantum/(r-)?ml-dsa-65$|^special/(r-)?(defaults|all-1|unsigned-1.0|slot-(1|fallback)|public-key|wrong-root$|flip-(meas|chall)|reference|killed-cert|everything-1.4|sm2)'
