#!/usr/bin/env bash
# house.sh BUILD OUT: how long a full release build takes without a compiler cache, and how long a command
# that needs no work. Peer of the latter: Python's start.
set -euo pipefail
aceso=$1/bin/aceso out=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
page=$root/docs/benchmarks/house.md

rm -rf "$out/clean"
/usr/bin/time -f '%e %U %S' -o "$out/time" bash -c '
  cmake -S "$0" -B "$1" -G Ninja -DCMAKE_BUILD_TYPE=Release -DACESO_TESTS=OFF -DACESO_BENCH=ON -DACESO_CCACHE= &&
  cmake --build "$1" -j "$(nproc)"' "$root" "$out/clean" >"$out/build.log"
read -r wall user system <"$out/time"

start_ms() {  # COMMAND…: milliseconds a start takes, mean of 50
  local begin
  begin=$(date +%s%N)
  for ((i = 0; i < 50; i++)); do "$@" >/dev/null; done
  echo $((($(date +%s%N) - begin) / 50000)) | awk '{printf "%.1f", $1 / 1000}'
}
ours=$(start_ms "$aceso" apps) peer=$(start_ms python3 -c pass)

{
  echo "# cli-house: a full build, and the start of a command"
  echo
  echo "Made by \`./dev bench cli-house\` on $(date -u +%F), $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), $(nproc) threads, load $(cut -d' ' -f1 /proc/loadavg); $("$aceso" version), $(c++ --version | head -1), $(python3 --version)."
  echo
  echo "| what | wall | CPU |"
  echo "| --- | --- | --- |"
  echo "| full release build with console and benchmarks, no compiler cache | $wall s | $(awk -v u="$user" -v s="$system" 'BEGIN {print u + s}') s |"
  echo "| \`aceso apps\` | $ours ms | |"
  echo "| \`python3 -c pass\` | $peer ms | |"
  awk -v a="$ours" -v b="$peer" 'BEGIN {printf "| ratio of the starts | %.2f | |\n", a / b}'
  echo
  echo "Bar: full build <= 5 minutes on 2 threads."
} | tee "$page"
