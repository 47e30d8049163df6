#!/usr/bin/env bash
# train.sh BUILD_DIR OUT_DIR: `aceso proteins train` beside the same net in PyTorch (Debian's, or what python3 has), from
# the same first weights over the same batches, one thread each, in turns. The shape is ESM-2 8M's.
# Writes OUT_DIR/proteins-train.md, and docs/benchmarks/proteins-train.md unless KEEP_DOCS is set.
# With DEVICE=cuda both train on the first GPU, the page is proteins-train-cuda.md, and seconds are those on the wall; it
# needs a training plugin built on a LibTorch for CUDA (ACESO_TORCH), and is skipped where PyTorch finds no GPU.
#   STEPS (200), TOKENS of a step (2048), PRECISIONS ("fp32 bf16"), SHAPE ("6 320 20": layers, hidden, heads), FASTA (of
#   mmseqs2-examples), WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
steps=${STEPS:-200} precisions=${PRECISIONS:-fp32 bf16} work=${WORK:-/tmp/aceso-bench-train}
device=${DEVICE:-cpu} name=proteins-train
[[ $device == cpu ]] || name=$name-$device
aceso=$build/bin/aceso page=$out/$name.md
source "$root/tools/bench.sh"
read -r layers hidden heads <<<"${SHAPE:-6 320 20}"
micro=1 tokens=${TOKENS:-2048} rate=4e-4 warmup=20
python3 -c 'import torch' 2>/dev/null || python3() { /usr/bin/python3 "$@"; }
where="$(processor), one thread each"
if [[ $device == cuda ]]; then
  gpu=$(python3 "$here/train_torch.py" gpu 2>/dev/null) || { echo "skipped, nothing is compared: PyTorch finds no GPU" >&2; exit 0; }
  where="$gpu and $(processor), one thread each"
fi

# PyTorch as a careful user repairs it: kernels for this CPU, and no page faults on large results.
export OPENBLAS_CORETYPE
grep -q avx512 /proc/cpuinfo && OPENBLAS_CORETYPE=SKYLAKEX || OPENBLAS_CORETYPE=HASWELL
tune=glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=2000000000

mkdir -p "$work"
source=${FASTA:-/usr/share/doc/mmseqs2/example-data/DB.fasta.gz}
fasta=$work/${source##*/}
cp "$source" "$fasta"

# train STEPS: what `proteins train` reports.
train() {
  "$aceso" proteins train --sequences "$fasta" --layers $layers --hidden $hidden --heads $heads --steps "$1" --micro-batches $micro --micro-batch-tokens $tokens --learning-rate $rate --warmup-steps $warmup --held-out 0 --device "$device" --precision "$precision" --threads 1 --json
}
"$build/bin/training_batches_bench" "$fasta" "$work/batches.safetensors" $layers $hidden $heads "$steps" $micro $tokens 1

: >"$page"
tell "# proteins train beside PyTorch"
tell
tell "$(date -u +%F), $where, $("$aceso" --version | head -n 1), PyTorch $(python3 -c 'import torch; print(torch.__version__)') (OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE, malloc thresholds raised), load $(load). $layers layers of $hidden numbers and $heads heads, $steps steps of $micro x $tokens packed tokens of mmseqs2-examples; both sides have the same first weights and batches, PyTorch's padded to the longest sequence of a micro-batch. $(if [[ $device == cpu ]]; then echo "CPU seconds a step; Aceso's are those of the whole process, start and reading included."; else echo "Seconds a step by the clock on the wall, after the first quarter of the steps; Aceso's are what the whole command took longer than one of a quarter of the steps."; fi)"
tell
tell "| precision | PyTorch s/step | Aceso s/step | PyTorch / Aceso | loss at step $steps, PyTorch | Aceso | difference |"
tell "|---|---|---|---|---|---|---|"
for precision in $precisions; do
  GLIBC_TUNABLES=$tune OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python3 "$here/train_torch.py" "$work/batches.safetensors" $layers $heads "$precision" "$steps" $rate $warmup "$work/torch.json" "$device"
  train "$steps" >"$work/aceso.json"
  if [[ $device != cpu ]]; then train $((steps / 4)) >"$work/quarter.json"; fi
  tell "$(python3 - "$work" "$device" "$precision" "$steps" <<'END'
import json, sys
work, device, precision, steps = sys.argv[1:]
steps = int(steps)
torch = json.load(open(work + "/torch.json"))
ours = json.load(open(work + "/aceso.json"))
theirs = torch["seconds"] / torch["timed_steps"]
if device == "cpu":
    mine = ours["cpu_seconds"] / steps
else:
    mine = (ours["seconds"] - json.load(open(work + "/quarter.json"))["seconds"]) / (steps - steps // 4)
a, b = torch["losses"][-1], ours["metrics"]["loss"]
print(f"| {precision} | {theirs:.3g} | {mine:.3g} | {theirs / mine:.1f}x | {a:.4f} | {b:.4f} | {100 * abs(a - b) / a:.2f} % |")
END
)"
done
tell
tell "Command: \`$([[ $device == cpu ]] || echo "DEVICE=$device ")./dev bench proteins-train\`."
keep_page
