#!/usr/bin/env bash
# train.sh BUILD_DIR OUT_DIR: `aceso proteins train` beside the same net in Debian's PyTorch, from the same
# first weights over the same batches, one thread each, in turns. The shape is ESM-2 8M's.
# Writes OUT_DIR/proteins-train.md, and docs/benchmarks/proteins-train.md unless KEEP_DOCS is set.
#   STEPS (200), TOKENS of a step (2048), PRECISIONS ("fp32 bf16"), WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
steps=${STEPS:-200} precisions=${PRECISIONS:-fp32 bf16} work=${WORK:-/tmp/aceso-bench-train}
aceso=$build/bin/aceso page=$out/proteins-train.md
source "$root/tools/bench.sh"
layers=6 hidden=320 heads=20 micro=1 tokens=${TOKENS:-2048} rate=4e-4 warmup=20
python3 -c 'import torch' 2>/dev/null || python3() { /usr/bin/python3 "$@"; }

# PyTorch as a careful user repairs it: kernels for this CPU, and no page faults on large results.
export OPENBLAS_CORETYPE
grep -q avx512 /proc/cpuinfo && OPENBLAS_CORETYPE=SKYLAKEX || OPENBLAS_CORETYPE=HASWELL
tune=glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=2000000000

mkdir -p "$work"
fasta=$work/proteins.fasta.gz
cp /usr/share/doc/mmseqs2/example-data/DB.fasta.gz "$fasta"
"$build/bin/training_batches_bench" "$fasta" "$work/batches.safetensors" $layers $hidden $heads "$steps" $micro $tokens 1

: >"$page"
tell "# proteins train beside PyTorch"
tell
tell "$(date -u +%F), $(processor), one thread each, $("$aceso" --version | head -n 1), PyTorch $(python3 -c 'import torch; print(torch.__version__)') (Debian's, OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE, malloc thresholds raised), load $(load). ESM-2 8M's shape, $steps steps of $micro x $tokens packed tokens of mmseqs2-examples; both sides have the same first weights and batches, PyTorch's padded to the longest sequence of a micro-batch. CPU seconds a step; Aceso's are those of the whole process, start and reading included."
tell
tell "| precision | PyTorch s/step | Aceso s/step | PyTorch / Aceso | loss at step $steps, PyTorch | Aceso | difference |"
tell "|---|---|---|---|---|---|---|"
for precision in $precisions; do
  GLIBC_TUNABLES=$tune OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python3 "$here/train_torch.py" "$work/batches.safetensors" $layers $heads "$precision" "$steps" $rate $warmup "$work/torch.json"
  "$aceso" proteins train --sequences "$fasta" --layers $layers --hidden $hidden --heads $heads --steps "$steps" --micro-batches $micro --micro-batch-tokens $tokens --learning-rate $rate --warmup-steps $warmup --held-out 0 --precision "$precision" --threads 1 --json >"$work/aceso.json"
  tell "$(python3 - "$work" "$precision" "$steps" <<'END'
import json, sys
work, precision, steps = sys.argv[1:]
torch = json.load(open(work + "/torch.json"))
ours = json.load(open(work + "/aceso.json"))
theirs = torch["cpu_seconds"] / torch["timed_steps"]
mine = ours["cpu_seconds"] / int(steps)
a, b = torch["losses"][-1], ours["metrics"]["loss"]
print(f"| {precision} | {theirs:.2f} | {mine:.2f} | {theirs / mine:.1f}x | {a:.4f} | {b:.4f} | {100 * abs(a - b) / a:.2f} % |")
END
)"
done
tell
tell "Command: \`./dev bench proteins-train\`."
keep_page
