#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Installs the Debian packages that are missing, and nothing when none is.
# Usage: scripts/install-deps.sh [build] [test] [check]     (default: build)
set -eu

packages() { # purpose -> lines "package  why"
    case $1 in
    build) cat <<'LIST' ;;
build-essential     C compiler and linker
cmake               build system
ninja-build         build system
pkg-config          finds the libraries below
libssl-dev          crypto port: OpenSSL
libuv1-dev          event loop of the service
libpcap-dev         reading and writing captures
libjansson-dev      JSON output
libconfig-dev       configuration files
LIST
    test) cat <<'LIST' ;;
libcmocka-dev       unit tests
jq                  reading JSON reports in tests
openssl             certificates for tests
python3             tests of formats
python3-jsonschema  JSON against its schema in tests
swtpm               software TPM for tests
swtpm-tools         software TPM for tests
tshark              the dissector in tests
tpm2-openssl        keys in a TPM
tpm2-tools          keys in a TPM
LIST
    check) cat <<'LIST' ;;
clang               second compiler, fuzzing
clang-tidy          static analysis
clang-tools         clang-query, for the pointer arithmetic gate
clang-format        layout
libclang-rt-14-dev  sanitizers and libFuzzer for clang
cppcheck            static analysis
universal-ctags     function lengths and parameters
python3             the gates that read source text
binutils            nm, objdump
gcc-arm-none-eabi   code size and stack on Cortex-M33
libcmocka-dev       compiling the tests with both compilers
mandoc              manual pages
shellcheck          shell scripts
valgrind            instruction counts
git                 list of files
LIST
    *)
        echo "install-deps.sh: unknown purpose '$1' (build, test or check)" >&2
        exit 2
        ;;
    esac
}

if ! command -v dpkg-query >/dev/null; then
    echo "install-deps.sh: not a Debian system; nothing installed" >&2
    exit 0
fi

[ $# -gt 0 ] || set -- build
wanted=$(for purpose; do packages "$purpose"; done)
names=$(echo "$wanted" | awk '!seen[$1]++ {print $1}')
# shellcheck disable=SC2086 # one word per package
present=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $names 2>/dev/null | sed -n 's/^installed //p')
missing=$(echo "$names" | grep -vxF -e "$present" || true)
[ -n "$missing" ] || exit 0

echo "Missing Debian packages:"
for name in $missing; do
    echo "$wanted" | awk -v name="$name" '$1 == name {print "  " $0; exit}'
done

if [ "$(id -u)" -eq 0 ]; then
    root=""
elif command -v sudo >/dev/null; then
    root="sudo"
else
    echo "install-deps.sh: neither root nor sudo; as root, run:" >&2
    echo "apt-get install --no-install-recommends $(echo "$missing" | tr '\n' ' ')" >&2
    exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { # quiet unless it fails
    echo "+ ${root:+$root }apt-get $*"
    # shellcheck disable=SC2086 # empty or one word
    $root env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >"$log" 2>&1 </dev/null || {
        cat "$log" >&2
        echo "install-deps.sh: apt-get $1 failed" >&2
        exit 1
    }
}
apt update
# shellcheck disable=SC2086 # one word per package
apt install -y --no-install-recommends $missing
