#!/usr/bin/env bash
# Every measurement of README.md that wants a quiet machine, in about ten minutes; prints rows for its tables:
#     benchmarks/all.sh "$(command -v python)" | tee rows.md
set -uo pipefail
cd "$(dirname "$0")/.."
python=${1:-python}
unset OMP_NUM_THREADS
export PYTHONPATH=$PWD HF_HUB_OFFLINE=1

measure() { # seconds at most, command
    local limit=$1 start=$SECONDS
    shift
    printf '\n`python %s`\n\n' "$*"
    timeout --kill-after=5 "$limit" "$python" "$@" || printf 'ended with status %s\n' $?
    printf '\n(%s s in all, load %s)\n' $((SECONDS - start)) "$(cut -d' ' -f1 /proc/loadavg)"
}

printf '%s, %s cores, %s, load %s\n' "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)" "$(nproc)" \
    "$(date -u '+%-d %B %Y, %H:%M UTC')" "$(cut -d' ' -f1 /proc/loadavg)"
"$python" -c 'import torch; print("torch", torch.__version__)'
measure 80 benchmarks/startup.py --rounds 3
measure 110 benchmarks/sweep.py --jobs 4 --long-jobs 4 --epochs 2 model.depths=[3,3,3] data.resolution=32 data.in_channels=3
measure 165 benchmarks/throughput.py --rounds 3 --steps 12
measure 75 benchmarks/depthwise.py rows --rounds 3
measure 50 benchmarks/depthwise.py layers --rounds 3
measure 75 benchmarks/depthwise.py rows main_3_convnext --compile --rounds 5
