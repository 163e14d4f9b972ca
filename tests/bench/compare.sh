#!/bin/sh
# Compares the process layer with ninja, GNU parallel and tee. compare.sh BENCH_PROCESS [COUNT [MB]]
set -eu

bench=$1
count=${2:-1000}
megabytes=${3:-1000}
jobs=4
folder=$(mktemp -d "${TMPDIR:-/tmp}/drctl-bench-XXXXXX")
trap 'rm -rf "$folder"' EXIT INT TERM

# Seconds that a command takes.
seconds() {
    start=$(date +%s.%N)
    "$@" >/dev/null 2>&1
    end=$(date +%s.%N)
    echo "$start $end" | awk '{printf "%.3f", $2 - $1}'
}

# The least of three measurements: the others saw more of the machine's other work.
best() {
    for _ in 1 2 3; do
        "$@"
    done | sort -n | head -n 1
}

ratio() {
    echo "$1 $2" | awk '{printf "%.2f", $1 / $2}'
}

write_ninja() {
    printf 'rule step\n  command = /bin/true\n  description = $out\n' >"$folder/build.ninja"
    seq "$count" | sed 's/.*/build step&: step/' >>"$folder/build.ninja"
}

with_ninja() {
    rm -f "$folder/.ninja_log" "$folder/.ninja_deps"
    seconds ninja -C "$folder" -j "$jobs"
    echo
}

with_parallel() {
    seconds sh -c "seq $count | parallel -j $jobs -n 1 /bin/true"
    echo
}

# A fresh folder each time, and none removed before the end: ext4 is slow to make files for some
# seconds after it has deleted many.
with_drctl() {
    "$bench" spawn "$count" "$jobs" "$(mktemp -d "$folder/tasks-XXXXXX")"
}

write_text() {
    awk -v lines=10000 'BEGIN {
        srand(7)
        for (i = 0; i < lines; i++) {
            printf "aws_instance.app[%d]: Still creating... [id=i-%08x, %dm%02ds elapsed]", \
                   i % 40, rand() * 4294967295, i / 60, i % 60
            printf " subnet=subnet-%08x\n", rand() * 4294967295
        }
    }' >"$folder/block"
    : >"$folder/text"
    while [ "$(stat -c %s "$folder/text")" -lt $((megabytes * 1000000)) ]; do
        cat "$folder/block" "$folder/block" "$folder/block" "$folder/block" >>"$folder/text"
    done
}

copy_with_parallel() {
    seconds sh -c "parallel --tag --linebuffer cat ::: $folder/text >$folder/copy"
    rm -f "$folder/copy"
    echo
}

copy_with_tee() {
    seconds sh -c "cat $folder/text | tee $folder/copy >/dev/null"
    rm -f "$folder/copy"
    echo
}

copy_with_drctl() {
    tasks=$(mktemp -d "$folder/tasks-XXXXXX")
    "$bench" copy "$1" "$tasks" cat "$folder/text"
    rm -rf "$tasks"
}

if [ "$count" -gt 0 ]; then
    write_ninja
    drctl=$(best with_drctl | cut -d ' ' -f 1)
    ninja=$(best with_ninja)
    echo "$count x /bin/true, $jobs side by side: drctl's processes $drctl s, ninja $ninja s:" \
        "$(ratio "$drctl" "$ninja") x"
    if command -v parallel >/dev/null; then
        parallel=$(best with_parallel)
        echo "  GNU parallel $parallel s: $(ratio "$drctl" "$parallel") x parallel"
    fi
fi

if [ "$megabytes" -gt 0 ]; then
    write_text
    for secrets in 0 5; do
        drctl=$(best copy_with_drctl "$secrets" | cut -d ' ' -f 1)
        echo "$megabytes MB of output, $secrets secrets: drctl $drctl s," \
            "$(ratio "$megabytes" "$drctl") MB/s"
    done
    tee=$(best copy_with_tee)
    echo "  tee $tee s: $(ratio "$tee" "$drctl") x tee's throughput"
    if command -v parallel >/dev/null; then
        parallel=$(best copy_with_parallel)
        echo "  parallel --tag --linebuffer $parallel s:" \
            "$(ratio "$parallel" "$drctl") x its throughput"
    fi
fi
