#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Runs a command that builds a preset, with an OpenSSL that has post-quantum algorithms: the system's if it is new enough,
# else a private one (scripts/openssl35.sh). ASSAY_PQC=required makes every test fail that would otherwise be content
# without them.
# Usage: scripts/pqc.sh PRESET COMMAND...
set -eu
cd "$(dirname "$0")/.."
preset=$1
shift

modules=$(pkg-config --variable=modulesdir libcrypto 2>/dev/null || true)
prefix=$(scripts/openssl35.sh)
if [ -n "$prefix" ]; then
    export PKG_CONFIG_PATH="$prefix/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
    # providers of the system, for instance of a TPM, go on working
    [ -z "$modules" ] || export OPENSSL_MODULES="${OPENSSL_MODULES:-$modules}"
    # what was configured with another library is configured again
    grep -qsF "$prefix/lib/libcrypto.so" "build/$preset/CMakeCache.txt" ||
        rm -rf "build/$preset/CMakeCache.txt" "build/$preset/CMakeFiles"
fi
export ASSAY_PQC=required
exec "$@"
