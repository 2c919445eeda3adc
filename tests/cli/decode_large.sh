#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# `spdm decode` streams: a capture that is sixteen times as long takes no more memory. (Chains of more than 64 KiB are
# looked at by decode_explain.sh.)
set -u
: "${SPDM:?names the program to test}"
exec python3 tests/support/stream.py "$SPDM" tests/data/captures/default-full.pcap 1 16
