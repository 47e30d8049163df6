#!/usr/bin/env bash
# convolutional.sh BUILD_DIR OUT_DIR: convolutional nets of this engine beside Debian's PyTorch, with the
# same random weights and images, one thread each. Ends without a page if PyTorch is not there.
# Writes OUT_DIR/nn-convolutional.md, and docs/benchmarks/nn-convolutional.md unless KEEP_DOCS is set.
#   NETS ("unet2d segresnet3d pileup"), ROUNDS (2), SECONDS_EACH (3), WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
nets=${NETS:-unet2d segresnet3d pileup} rounds=${ROUNDS:-2} each=${SECONDS_EACH:-3}
work=${WORK:-/tmp/aceso-bench-convolutional}
page=$out/nn-convolutional.md
source "$root/tools/bench.sh"
python3 -c 'import torch' 2>/dev/null || python3() { /usr/bin/python3 "$@"; }
python3 -c 'import torch' 2>/dev/null || { echo "python3-torch is missing; nothing is compared" >&2; exit 0; }
[[ -x $build/bin/convolutional_bench ]] || { echo "expected $build/bin/convolutional_bench; configure with -DACESO_BENCH=ON" >&2; exit 1; }
peer() { python3 "$here/convolutional_torch.py" "$@"; }
least() { awk -v a="$1" -v b="$2" 'BEGIN { print a == "" || b < a ? b : a }'; }
declare -A what=([unet2d]="U-Net, 32 to 256 channels, batch norm, one image of 256 x 256"
  [segresnet3d]="SegResNet, 16 to 64 channels, group norm, one volume of 64 x 64 x 64"
  [pileup]="residual classifier, 32 to 128 channels, 128 images of 8 x 55 x 33")

# PyTorch as a careful user repairs it: kernels for this CPU, and no page faults on large results.
export OPENBLAS_CORETYPE
grep -q avx512 /proc/cpuinfo && OPENBLAS_CORETYPE=SKYLAKEX || OPENBLAS_CORETYPE=HASWELL
export GLIBC_TUNABLES=glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=2000000000
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

: >"$page"
tell "# Convolutional nets beside PyTorch"
tell
tell "$(date -u +%F), $(processor) ($(grep -oE -m 1 'avx512_bf16|avx512_vnni|avx_vnni|amx_bf16|amx_int8' /proc/cpuinfo | sort -u | paste -sd ' ')), one thread each, PyTorch $(python3 -c 'import torch; print(torch.__version__)') (Debian's, OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE, malloc thresholds raised), load $(load). Random weights and images; CPU seconds of a pass, the best of all passes in $rounds rounds in turns of $each seconds, without the first pass of each."
tell
tell "| net | precision | PyTorch s | Aceso s | Aceso to PyTorch fp32 | to PyTorch bf16 | largest difference from PyTorch fp32, to the RMS |"
tell "|---|---|---|---|---|---|---|"
for name in $nets; do
  folder=$work/$name
  mkdir -p "$folder"
  peer make "$folder" "$name"
  declare -A ours=() torch=()
  for _ in $(seq "$rounds"); do
    for precision in fp32 bf16; do
      torch[$precision]=$(least "${torch[$precision]:-}" "$(peer run "$folder" "$precision" "$each" "$folder/torch-$precision.safetensors")")
      ours[$precision]=$(least "${ours[$precision]:-}" "$("$build/bin/convolutional_bench" "$folder" "$precision" "$each" "$folder/ours-$precision.safetensors")")
    done
  done
  for precision in fp32 bf16; do
    difference=$(peer compare "$folder/torch-fp32.safetensors" "$folder/ours-$precision.safetensors")
    tell "$(awk -v n="${what[$name]}" -v p="$precision" -v o="${ours[$precision]}" -v t="${torch[$precision]}" -v f="${torch[fp32]}" -v b="${torch[bf16]}" -v d="$difference" 'BEGIN { printf "| %s | %s | %.3f | %.3f | %.1fx | %.1fx | %s |", n, p, t, o, f / o, b / o, d }')"
  done
done
tell
tell "Command: \`./dev bench nn-convolutional\`."
keep_page
