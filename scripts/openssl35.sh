#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Prints the directory of a libcrypto that has ML-DSA, SLH-DSA and ML-KEM: nothing if the system's own is OpenSSL 3.5 or
# later, else that of a private copy, built from the source package of a later Debian release the first time and kept
# in the user's cache. What it does goes to standard error; exit status 1 if there is no such library to be had.
#
# The package comes from where apt gets this machine's own Debian packages, and apt checks its signature. No setting of
# the machine is changed: lists and files are the script's own. Built is libcrypto alone, shared, so that a provider the
# system brings (a TPM's) works with it; what SPDM has no use for is left out.
set -eu

release=trixie
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/assay
prefix=$cache/openssl-3.5
stamp=$prefix/made-by # how it was made: this file's checksum
leave_out="apps tests docs module legacy engine dynamic-engine tls dtls quic srp ssl-trace comp cmp cms ct ts ocsp http sock
    aria bf blake2 camellia cast des dsa gost idea md4 mdc2 rc2 rc4 rmd160 scrypt seed siphash whirlpool"

say() {
    echo "openssl35.sh: $*" >&2
}
fail() {
    say "$*"
    exit 1
}

if pkg-config --atleast-version=3.5 libcrypto 2>/dev/null; then
    say "the system's libcrypto $(pkg-config --modversion libcrypto) has everything"
    exit 0
fi

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
made_by=$(sha256sum "$here/openssl35.sh" | cut -c 1-64)
if [ -e "$prefix/lib/libcrypto.so" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$made_by" ]; then
    echo "$prefix"
    exit 0
fi

work=$(mktemp -d "$cache/build-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
cd "$work"

# The roots of the archives that have this machine's own release, by whatever name: they have the later ones too.
roots() {
    # shellcheck disable=SC1091 # every Debian system has it
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
        awk -v release="$codename" '($1 == release || $1 ~ /^((old)*stable|testing|unstable|sid)$/) && !seen[$2]++ {print $2}'
}
own() { # PROGRAM ARGUMENT...
    program=$1
    shift
    "$program" -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts="$work/none" \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@" </dev/null
}
# The newest version that can be had: an archive in the middle of an update names versions that it does not have yet.
fetch() { # ROOT
    echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $1 $release main" >sources.list
    mkdir -p none lists/partial cache/archives/partial
    own apt-get update || return 1
    for version in $(own apt-cache showsrc openssl | sed -n 's/^Version: //p' | sort -Vru); do
        rm -f openssl_*
        own apt-get source --download-only "openssl=$version" && return 0
    done
    return 1
}
# Nothing can be fetched: what an earlier script made will do, else this is the end.
give_up() {
    [ -e "$prefix/lib/libcrypto.so" ] || fail "the source package of OpenSSL in Debian $release cannot be fetched"
    say "the source package cannot be fetched; going on with the copy made before"
    echo "$prefix"
    exit 0
}

command -v dpkg-source >/dev/null || fail "no dpkg-source here: scripts/install-deps.sh build"
say "this system has OpenSSL $(pkg-config --modversion libcrypto 2>/dev/null || echo none); fetching the source of a later one"
there=
for root in $(roots); do
    if fetch "$root" >fetch.log 2>&1; then
        there=yes
        break
    fi
    cat fetch.log >&2
    rm -rf lists cache openssl_*
done
[ -n "$there" ] || give_up

dpkg-source --no-check -x openssl_*.dsc source >unpack.log 2>&1 || { cat unpack.log >&2; fail "cannot unpack the source"; }
version=$(sed -n 's/^Version: *//p' openssl_*.dsc | cut -d - -f 1)
say "building libcrypto $version"
(
    cd source
    options=
    for part in $leave_out; do options="$options no-$part"; done
    # shellcheck disable=SC2086 # one word per option
    CC="${CMAKE_C_COMPILER_LAUNCHER:+$CMAKE_C_COMPILER_LAUNCHER }gcc" ./Configure $options --prefix="$prefix" --libdir=lib
    make -j "$(nproc)" build_generated
    make -j "$(nproc)" libcrypto.so
) >build.log 2>&1 || { tail -n 40 build.log >&2; fail "libcrypto $version cannot be built"; }

mkdir -p made/lib/pkgconfig made/include
cp -R source/include/openssl made/include/
cp source/libcrypto.so.3 made/lib/
ln -s libcrypto.so.3 made/lib/libcrypto.so
cat >made/lib/pkgconfig/libcrypto.pc <<END
Name: libcrypto
Description: OpenSSL's libcrypto, a private copy
Version: $version
Cflags: -I$prefix/include
Libs: -L$prefix/lib -lcrypto
END
echo "$made_by" >made/made-by
rm -rf "$prefix"
mv made "$prefix"
echo "$prefix"
