#!/usr/bin/env bash
# embed.sh BUILD_DIR OUT_DIR: `aceso proteins embed` beside ESM-2 in Debian's PyTorch, with the same
# random weights on the same proteins of mmseqs2-examples, one thread each.
# Writes OUT_DIR/proteins-embed.md, and docs/benchmarks/proteins-embed.md unless KEEP_DOCS is set.
#   SEQUENCES (64; 256 for a longer run), SHAPES ("8m 35m 150m 35m-outliers"), ROUNDS (2),
#   WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
sequences=${SEQUENCES:-64} shapes=${SHAPES:-8m 35m 150m 35m-outliers} rounds=${ROUNDS:-2}
work=${WORK:-/tmp/aceso-bench-embed}
aceso=$build/bin/aceso page=$out/proteins-embed.md
source "$root/tools/bench.sh"
peer() { python3 "$here/esm_torch.py" "$@"; }
python3 -c 'import torch' 2>/dev/null || python3() { /usr/bin/python3 "$@"; }
field() { python3 -c 'import json,sys; print(eval("json.load(sys.stdin)" + sys.argv[1]))' "$1"; }
declare -A shape=([8m]="320 6 20" [35m]="480 12 20" [150m]="640 30 20"
  [35m-outliers]="480 12 20 outliers")

# PyTorch as a careful user repairs it: kernels for this CPU, and no page faults on large results.
export OPENBLAS_CORETYPE
grep -q avx512 /proc/cpuinfo && OPENBLAS_CORETYPE=SKYLAKEX || OPENBLAS_CORETYPE=HASWELL
export GLIBC_TUNABLES=glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=2000000000
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

mkdir -p "$work"
fasta=$work/proteins.fasta
# Proteins of up to 1000 residues from all over the file: all kinds of lengths, the same ones each time.
zcat /usr/share/doc/mmseqs2/example-data/DB.fasta.gz | awk -v most="$sequences" '
  BEGIN { step = most > 64 ? int(9600 / most) : 150 }
  function flush() { if (name != "" && length(s) <= 1000 && length(s) >= 20 && ++n % step == 0 && made++ < most) print name "\n" s }
  /^>/ { flush(); name = $1; s = ""; next } { gsub(/[^A-Za-z]/, ""); s = s $0 } END { flush() }' >"$fasta"
residues=$(awk '!/^>/ { n += length($0) } END { print n }' "$fasta")
printf '>short\nMKTAYIAKQRQISFVKSHFS\n' >"$work/short.fasta"

# CPU seconds of embedding a FASTA file with a model in a precision, by one thread.
ours_seconds() {
  python3 -c '
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime)' "$aceso" proteins embed --model "$1" --sequences "$2" \
    --output "$work/ours-$3.safetensors" --precision "$3" --threads 1
}
# The smaller of two numbers, of which the first may be missing.
least() { awk -v a="$1" -v b="$2" 'BEGIN { print a == "" || b < a ? b : a }'; }

: >"$page"
tell "# proteins embed beside PyTorch"
tell
tell "$(date -u +%F), $(processor) ($(grep -oE -m 1 'avx512_bf16|avx512_vnni|avx_vnni|amx_bf16|amx_int8' /proc/cpuinfo | sort -u | paste -sd ' ')), one thread each, $("$aceso" --version | head -n 1), PyTorch $(python3 -c 'import torch; print(torch.__version__)') (Debian's, OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE, malloc thresholds raised; one sequence at a time, so without padding), load $(load). Random weights, $(grep -c '>' "$fasta") proteins of mmseqs2-examples with $residues residues. CPU seconds of both, the best of $rounds rounds in turns, without loading the weights (ours: less the best of a run on one short sequence)."
tell
tell "| ESM-2 shape | precision | PyTorch residues/s | Aceso residues/s | Aceso to PyTorch fp32 | to PyTorch bf16 | error of means, relative RMS | smallest cosine |"
tell "|---|---|---|---|---|---|---|---|"
for name in $shapes; do
  folder=$work/esm-$name model=$work/model-$name
  # shellcheck disable=SC2086  # three numbers, or a word more
  [[ -s $folder/pytorch_model.bin ]] || peer make "$folder" ${shape[$name]}
  [[ -d $model ]] || "$aceso" models import --from hf --weights "$folder" --output "$model" >/dev/null
  declare -A ours=() start=() torch=()
  for _ in $(seq "$rounds"); do
    for precision in fp32 bf16 int8; do
      if [[ $precision != int8 ]]; then
        peer embed "$folder" "$fasta" "$precision" "$work/torch-$precision.json"
        torch[$precision]=$(least "${torch[$precision]:-}" "$(field "['cpu_seconds']" <"$work/torch-$precision.json")")
      fi
      start[$precision]=$(least "${start[$precision]:-}" "$(ours_seconds "$model" "$work/short.fasta" "$precision")")
      ours[$precision]=$(least "${ours[$precision]:-}" "$(ours_seconds "$model" "$fasta" "$precision")")
    done
  done
  for precision in fp32 bf16 int8; do
    read -r rms cosine < <(peer compare "$work/torch-fp32.json" "$work/ours-$precision.safetensors")
    tell "$(awk -v n="$name" -v p="$precision" -v o="${ours[$precision]}" -v s="${start[$precision]}" -v t="${torch[$precision]:-0}" -v f="${torch[fp32]}" -v b="${torch[bf16]}" -v r="$residues" -v e="$rms" -v c="$cosine" 'BEGIN { o -= s; printf "| %s | %s | %s | %.0f | %.1fx | %.1fx | %s | %s |", n, p, t ? sprintf("%.0f", r / t) : "", r / o, f / o, b / o, e, c }')"
  done
done
tell
tell "Error and cosine are against PyTorch's fp32. The outliers are channels of every norm with 20 times the others' gain, which is hard on int8. Command: \`./dev bench proteins-embed\`."
keep_page
