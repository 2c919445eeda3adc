# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=sh
#
# respond.sh - for shell tests: a directory, a device in it, `spdm respond` in the background, and checks.
# To be sourced. SPDM names the program.

set -u
: "${SPDM:?names the program to test}"
dir=$(mktemp -d "${TMPDIR:-/tmp}/assay-cli-XXXXXX")
responder=
failures=0
cleanup() {
    [ -z "$responder" ] || kill -9 "$responder" 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT

bad() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# run EXPECTED_EXIT COMMAND...: output in $dir/out and $dir/err
run() {
    expected=$1
    shift
    "$@" >"$dir/out" 2>"$dir/err" </dev/null
    status=$?
    if [ $status -ne "$expected" ]; then
        bad "$* ended with $status, $expected expected"
        cat "$dir/err"
    fi
}

# says FILE TEXT...: each text stands in it
says() {
    file=$1
    shift
    for text; do
        grep -qF -e "$text" "$file" || {
            bad "'$text' is not in the output:"
            cat "$file"
        }
    done
}

# A root, and a leaf of the kind that `openssl genpkey` takes: make_chain NAME ALGORITHM [OPTION...]
make_chain() {
    name=$1
    shift
    {
        openssl genpkey -algorithm "$@" -out "$dir/$name-root.key" &&
            openssl genpkey -algorithm "$@" -out "$dir/$name.key" &&
            openssl req -x509 -new -key "$dir/$name-root.key" -subj "/CN=$name root" -days 3650 \
                -out "$dir/$name-root.pem" &&
            openssl req -new -key "$dir/$name.key" -subj "/CN=$name device" -out "$dir/$name.csr" &&
            openssl x509 -req -in "$dir/$name.csr" -CA "$dir/$name-root.pem" -CAkey "$dir/$name-root.key" \
                -CAcreateserial -days 3650 -out "$dir/$name-leaf.pem" &&
            cat "$dir/$name-root.pem" "$dir/$name-leaf.pem" >"$dir/$name.pem"
    } >"$dir/openssl.log" 2>&1 || {
        cat "$dir/openssl.log"
        echo "cannot make a test identity with openssl"
        exit 1
    }
}

# A root and a leaf that SPDM accepts: make_identity NAME [OPTION OF openssl x509...]
make_identity() {
    name=$1
    shift
    make_chain "$name" EC -pkeyopt ec_paramgen_curve:P-384
    {
        printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n%s\n' \
            'subjectAltName=otherName:1.3.6.1.4.1.412.274.1;UTF8:ACME:WIDGET:1234567890' >"$dir/$name.ext"
        openssl x509 -req -in "$dir/$name.csr" -CA "$dir/$name-root.pem" -CAkey "$dir/$name-root.key" -CAcreateserial \
            -days 365 "$@" -extfile "$dir/$name.ext" -out "$dir/$name-leaf.pem" &&
            cat "$dir/$name-root.pem" "$dir/$name-leaf.pem" >"$dir/$name.pem"
    } >"$dir/openssl.log" 2>&1 || {
        cat "$dir/openssl.log"
        exit 1
    }
}

# wait_until COMMAND...: at most ten seconds
wait_until() {
    tries=100
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || {
            bad "waited in vain for: $*"
            return 1
        }
        sleep 0.1
    done
}

# start OPTION... DEVICE: in the background, log in $dir/log, ports in $dir/ports
start() {
    rm -f "$dir/ports"
    "$SPDM" respond --port-file "$dir/ports" "$@" >"$dir/log" 2>&1 &
    responder=$!
    wait_until test -s "$dir/ports" || cat "$dir/log"
}

# ended EXPECTED_EXIT: the responder has ended, or does soon
ended() {
    wait "$responder"
    status=$?
    responder=
    if [ $status -ne "$1" ]; then
        bad "the responder ended with $status, $1 expected"
        cat "$dir/log"
    fi
}

# driver DEVICE SETTING...: a device with everything that can be provisioned and told; its target is $mctp, log $dir/log
driver() {
    device=$1
    shift
    rm -f "$dir/log"
    "${BUILD_DIR:?}/interop_driver" responder emu+mctp://127.0.0.1:0 device="$device" clients=40 "$@" \
        >"$dir/log" 2>"$dir/trace" &
    responder=$!
    wait_until grep -q listening "$dir/log"
    # shellcheck disable=SC2034 # for who sources this
    mctp=emu+mctp://127.0.0.1:$(sed -n 's/^listening //p' "$dir/log")
}
stop() {
    kill "$responder"
    wait "$responder" 2>/dev/null
    responder=
}

# member FILTER VALUE: of the JSON in $dir/out
member() {
    got=$(jq -cr "$1" "$dir/out" 2>&1)
    [ "$got" = "$2" ] || bad "$1 is '$got', not '$2'"
}

# silent TEXT: is not in the output
silent() {
    ! grep -qF -e "$1" "$dir/out" || bad "'$1' is in the output"
}

finish() {
    [ "$failures" -eq 0 ] || {
        echo "$failures checks failed"
        exit 1
    }
    exit 0
}
