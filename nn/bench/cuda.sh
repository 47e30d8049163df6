#!/usr/bin/env bash
# cuda.sh BUILD_DIR OUT_DIR: transformers of ESM-2's shapes on the first GPU beside the CPU engine (one thread), and
# beside PyTorch if there is one with CUDA, with the same random weights and sequences. Without a GPU it says so, and
# ends without a page.
# Writes OUT_DIR/nn-cuda.md, and docs/benchmarks/nn-cuda.md unless KEEP_DOCS is set.
#   SHAPES ("8m 35m 150m"), TOKENS (32768), CPU_TOKENS (4096), SECONDS_EACH (5), WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
shapes=${SHAPES:-8m 35m 150m} tokens=${TOKENS:-32768} cpu_tokens=${CPU_TOKENS:-4096} each=${SECONDS_EACH:-5}
work=${WORK:-/tmp/aceso-bench-cuda}
page=$out/nn-cuda.md
source "$root/tools/bench.sh"
ours=$build/bin/cuda_bench
[[ -x $ours ]] || { echo "expected $ours; configure with -DACESO_BENCH=ON" >&2; exit 1; }
mkdir -p "$work"
gpu=$("$ours" device 2>"$work/device.log") || { echo "skipped, nothing is compared: $(cat "$work/device.log")" >&2; exit 0; }
peer() { python3 "$here/cuda_torch.py" "$@"; }
torch=$(peer device 2>/dev/null) || torch=
declare -A shape=([8m]="320 6 20" [35m]="480 12 20" [150m]="640 30 20")

: >"$page"
tell "# Transformers on a GPU"
tell
tell "$(date -u +%F), $gpu, and $(processor) with one thread, load $(load)${torch:+, PyTorch $torch (padded batches of about one length)}. ESM-2's shapes with random weights, $tokens tokens in sequences of 50 to 800 at once (the first $cpu_tokens for the CPU, which is compared in these). Tokens per second by the clock on the wall, copies from and to the host included; the fastest of the passes in $each seconds, without the first."
tell
tell "| shape | precision | CPU tokens/s | GPU tokens/s | GPU to CPU | PyTorch on the GPU | GPU to PyTorch | largest difference from the CPU's fp32, to the RMS |"
tell "|---|---|---|---|---|---|---|---|"
for name in $shapes; do
  folder=$work/$name
  # shellcheck disable=SC2086  # three numbers
  "$ours" make "$folder" ${shape[$name]} "$tokens"
  for precision in fp32 bf16; do
    cpu=$("$ours" run "$folder" cpu "$precision" "$each" "$folder/cpu-$precision.safetensors" "$cpu_tokens")
    cuda=$("$ours" run "$folder" cuda "$precision" "$each" "$folder/cuda-$precision.safetensors")
    theirs=
    [[ -z $torch ]] || theirs=$(peer run "$folder" "$precision" "$each")
    difference=$("$ours" compare "$folder/cpu-fp32.safetensors" "$folder/cuda-$precision.safetensors")
    tell "$(awk -v n="$name" -v p="$precision" -v c="$cpu" -v g="$cuda" -v t="$theirs" -v d="$difference" 'BEGIN { printf "| %s | %s | %s | %s | %.1fx | %s | %s | %s |", n, p, c, g, g / c, t, t ? sprintf("%.2fx", g / t) : "", d }')"
  done
done
tell
tell "Command: \`./dev bench nn-cuda\`."
keep_page
