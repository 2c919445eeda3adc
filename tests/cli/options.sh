#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The command line: help, version, typos, exit codes, completion; and that a wrong option never touches the network.
. tests/support/respond.sh

run 0 "$SPDM" --help
says "$dir/out" "Usage: spdm COMMAND" respond help "Exit codes"
run 0 "$SPDM" -h
run 0 "$SPDM" --version
says "$dir/out" "assay" "DSP0274"
run 2 "$SPDM"
says "$dir/err" "Usage: spdm COMMAND"
run 0 "$SPDM" help
run 0 "$SPDM" help respond
says "$dir/out" "Usage: spdm respond" "--listen TARGET" "--pcap-format wireshark|dmtf"
cp "$dir/out" "$dir/help"
run 0 "$SPDM" respond --help
cmp -s "$dir/out" "$dir/help" || bad "help respond and respond --help differ"
run 0 "$SPDM" respond --listen nonsense -h

# Wrong words: exit 2, a suggestion where there is one, and where to find help
run 2 "$SPDM" respnd
says "$dir/err" 'no command "respnd"' "did you mean respond?" "spdm --help"
run 2 "$SPDM" xyzzy
grep -q "did you mean" "$dir/err" && bad "a suggestion for xyzzy"
run 2 "$SPDM" --verison
run 2 "$SPDM" help respnd
run 2 "$SPDM" help respond more
says "$dir/err" 'unexpected argument "more"'
run 2 "$SPDM" completion fish
says "$dir/err" "bash only"
wrong() { # TEXT ARGUMENT...
    text=$1
    shift
    run 2 "$SPDM" respond "$@"
    says "$dir/err" "spdm respond: $text" "spdm respond --help"
    [ ! -s "$dir/out" ] || bad "an error wrote to stdout"
}
wrong "there is no option --lsten; did you mean --listen?" --lsten x device.cfg
wrong "there is no option --listn; did you mean --listen?" --listn=x device.cfg
wrong "there is no option --hlep; did you mean --help?" --hlep
wrong "there is no option --zzz" --zzz
wrong "there is no option -z" -z
wrong "--listen needs a value: TARGET" device.cfg --listen
wrong "--once takes no value" --once=1 device.cfg
wrong "--max-clients \"0\": expected a number from 1 to 100000" --max-clients 0 device.cfg
wrong "--max-clients \"x\": expected a number" --max-clients x device.cfg
wrong "--max-clients \"-1\": expected a number" --max-clients -1 device.cfg
wrong "--max-clients \"99999999999999999999\": expected a number" --max-clients 99999999999999999999 device.cfg
wrong "--idle \"5x\": expected a time as 500ms, 10s or 2m" --idle 5x device.cfg
wrong "--idle \"\": expected a time" --idle= device.cfg
wrong "--idle \"99999h\": expected a time" --idle 99999h device.cfg
wrong "--pcap-format \"wirshark\": expected one of wireshark, dmtf; did you mean wireshark?" --pcap-format wirshark d
wrong "DEVICE is missing" --once
wrong 'unexpected argument "b"' a b
wrong '--listen "localhost": a target is SCHEME://HOST' --listen localhost device.cfg
wrong '--listen "mctp://localhost": the scheme must be tcp, emu+mctp' --listen mctp://localhost device.cfg
wrong '--listen "tcp://0.0.0.0": other machines could reach this address; give --public' --listen tcp://0.0.0.0 d
wrong '--listen "tcp://no.such.host.invalid": other machines' -l tcp://no.such.host.invalid device.cfg

# No colour where there is no terminal
run 0 env TERM=xterm "$SPDM" help respond
grep -q "$(printf '\033')" "$dir/out" && bad "colour in a file"

# A wrong option touches no network: no socket is made
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
    for arguments in "respond --listen tcp://127.0.0.1:0 --zzz d" "respond --listen tcp://127.0.0.1:0" \
        "respond --listen tcp://127.0.0.1:0 --idle x d"; do
        # shellcheck disable=SC2086 # words
        ASAN_OPTIONS=detect_leaks=0 strace -f -e trace=socket,bind,connect,listen -o "$dir/strace" "$SPDM" $arguments \
            >/dev/null 2>&1
        grep -E "^[0-9]+ +(socket|bind|connect|listen)" "$dir/strace" && bad "spdm $arguments touched the network"
    done
fi

# The completion is a script that bash takes, and completes commands, options, choices and schemes
if command -v bash >/dev/null; then
    run 0 "$SPDM" completion bash
    cp "$dir/out" "$dir/completion"
    completes() { # EXPECTED WORD...
        expected=$1
        shift
        got=$(bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _spdm; echo "${COMPREPLY[*]}"' \
            "$dir/completion" "$@" 2>&1)
        [ "$got" = "$expected" ] || bad "completing '$*' gives '$got', '$expected' expected"
    }
    completes respond spdm resp
    completes --version spdm --v
    completes respond spdm help resp
    completes "--pcap --pcap-format" spdm respond --pc
    completes dmtf spdm respond --pcap-format d
    completes "emu+mctp://" spdm respond --listen emu+m
    completes "emu+mctp://" spdm respond -l emu+m
    completes "$dir/completion" spdm respond "$dir/compl"
    completes "" spdm respond --max-clients ""
fi
finish
