#!/usr/bin/env bash
# start.sh BUILD OUT [ROUNDS]: how long the hub takes from the command to its first answer, and what it needs
# when idle. Peer: a static Python HTTP server, the least that a server on Debian costs.
set -euo pipefail
aceso=$1/bin/aceso out=$2 rounds=${3:-10}
results=$(dirname "$0")/../../docs/benchmarks/hub-start.md

now_ms() { date +%s%3N; }
median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }
rss_mb() { awk '/^VmRSS/ {printf "%.1f", $2 * 1024 / 1e6}' "/proc/$1/status"; }

hub_round() {  # DATA: prints "milliseconds-to-ready megabytes"
  local begin pid ready ms
  rm -f "$out/ready"
  mkfifo "$out/ready"
  begin=$(now_ms)
  "$aceso" hub up --data "$1" --port 0 --json >"$out/ready" 2>/dev/null &
  pid=$!
  read -r ready <"$out/ready"
  ms=$(($(now_ms) - begin))
  sleep 2
  echo "$ms $(rss_mb "$pid")"
  kill "$pid"
  wait "$pid" || true
}

peer_round() {  # prints the same for python3 -m http.server
  local begin pid ms
  begin=$(now_ms)
  python3 -m http.server 18799 --bind 127.0.0.1 --directory "$out" >/dev/null 2>&1 &
  pid=$!
  until curl -s -o /dev/null http://127.0.0.1:18799/; do sleep 0.005; done
  ms=$(($(now_ms) - begin))
  echo "$ms $(rss_mb "$pid")"
  kill "$pid"
  wait "$pid" || true
}

rm -rf "$out"
mkdir -p "$out"
hub_round "$out/data" >"$out/first"
for ((i = 0; i < rounds; i++)); do
  hub_round "$out/data" >>"$out/hub"
  peer_round >>"$out/peer"
done
hub_ms=$(cut -d' ' -f1 "$out/hub" | median) hub_mb=$(cut -d' ' -f2 "$out/hub" | median)
peer_ms=$(cut -d' ' -f1 "$out/peer" | median) peer_mb=$(cut -d' ' -f2 "$out/peer" | median)
{
  echo "# hub-start: from the command to the first answer, and idle memory"
  echo
  echo "Made by \`./dev bench hub-start\` on $(date -u +%F), $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1), $(nproc) threads; $("$aceso" version), $(python3 --version). Median of $rounds."
  echo
  echo "| | start to ready | resident when idle |"
  echo "| --- | --- | --- |"
  echo "| aceso hub up, first start on a new folder | $(cut -d' ' -f1 "$out/first") ms | $(cut -d' ' -f2 "$out/first") MB |"
  echo "| aceso hub up | $hub_ms ms | $hub_mb MB |"
  echo "| python3 -m http.server | $peer_ms ms | $peer_mb MB |"
  awk -v a="$hub_ms" -v b="$peer_ms" -v c="$hub_mb" -v d="$peer_mb" 'BEGIN {printf "| ratio | %.2f | %.2f |\n", a / b, c / d}'
  echo
  echo "Bars: start to ready <= 500 ms, idle <= 60 MB."
} | tee "$results"
