#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Shows what the program can do, on the release build.
set -eu
cd "$(dirname "$0")/.."
spdm=build/release/spdm
if [ ! -x "$spdm" ]; then
    echo "demo.sh: the program spdm is not built in this tree yet"
    exit 0
fi
exec "$spdm" --help
