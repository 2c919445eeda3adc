#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# A software TPM on a socket in a directory of its own, with keys at persistent handles:
#   0x81000001 P-256, 0x81000002 P-384 (where the TPM has it), 0x81000003 RSA 2048
# Usage: swtpm.sh start DIR | swtpm.sh stop DIR. Exit status 77: a program or the provider is missing.
set -eu
action=$1
cd "$2"

if [ "$action" = stop ]; then
    [ -s pid ] && kill "$(cat pid)"
    exit 0
fi

for program in swtpm tpm2_createprimary tpm2_create tpm2_load tpm2_evictcontrol tpm2_flushcontext openssl; do
    if ! command -v $program >/dev/null; then
        echo "skipped: there is no $program here"
        exit 77
    fi
done
modules=$(openssl version -m | sed 's/.*"\(.*\)"/\1/')
if [ ! -e "$modules/tpm2.so" ]; then
    echo "skipped: OpenSSL has no tpm2 provider here"
    exit 77
fi

mkdir state
swtpm socket --tpm2 --tpmstate "dir=$PWD/state" --server "type=unixio,path=$PWD/tpm" \
    --ctrl "type=unixio,path=$PWD/tpm.ctrl" \
    --flags not-need-init,startup-clear --daemon --pid "file=$PWD/pid" >log 2>&1
export TPM2TOOLS_TCTI="swtpm:path=$PWD/tpm"

quietly() { # a small TPM has room for three objects
    "$@" >>log 2>&1
    tpm2_flushcontext -t >>log 2>&1
}

make_key() { # type handle
    quietly tpm2_create -Q -C primary -G "$1" -u pub -r priv \
        -a 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign'
    quietly tpm2_load -Q -C primary -u pub -r priv -c key
    quietly tpm2_evictcontrol -Q -C o -c key "$2"
    rm -f pub priv key
}

if ! { quietly tpm2_createprimary -Q -C o -G ecc256 -c primary && make_key ecc256 0x81000001; }; then
    cat log
    kill "$(cat pid)"
    exit 1
fi
(make_key ecc384 0x81000002) || echo "this TPM has no P-384"
make_key rsa2048 0x81000003
