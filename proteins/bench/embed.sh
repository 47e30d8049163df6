#!/usr/bin/env bash
# embed.sh BUILD_DIR OUT_DIR: `aceso proteins embed` beside ESM-2 in Debian's PyTorch, with the same
# random weights on the same proteins of mmseqs2-examples, one thread each.
# Writes OUT_DIR/proteins-embed.md, and docs/benchmarks/proteins-embed.md unless KEEP_DOCS is set.
#   SEQUENCES (64), SHAPES ("8m 35m 150m"), WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
sequences=${SEQUENCES:-64} shapes=${SHAPES:-8m 35m 150m} work=${WORK:-/tmp/aceso-bench-embed}
aceso=$build/bin/aceso page=$out/proteins-embed.md
peer() { python3 "$here/esm_torch.py" "$@"; }
python3 -c 'import torch' 2>/dev/null || python3() { /usr/bin/python3 "$@"; }
tell() { printf '%s\n' "$*" | tee -a "$page"; }
field() { python3 -c 'import json,sys; print(eval("json.load(sys.stdin)" + sys.argv[1]))' "$1"; }
declare -A shape=([8m]="320 6 20" [35m]="480 12 20" [150m]="640 30 20")

# PyTorch as a careful user repairs it: kernels for this CPU, and no page faults on large results.
export OPENBLAS_CORETYPE
grep -q avx512 /proc/cpuinfo && OPENBLAS_CORETYPE=SKYLAKEX || OPENBLAS_CORETYPE=HASWELL
export GLIBC_TUNABLES=glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=2000000000
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

mkdir -p "$work"
fasta=$work/proteins.fasta
# Every 300th protein of up to 1000 residues: all kinds of lengths, the same ones each time.
zcat /usr/share/doc/mmseqs2/example-data/DB.fasta.gz | awk -v most="$sequences" '
  function flush() { if (name != "" && length(s) <= 1000 && length(s) >= 20 && ++n % 150 == 0 && made++ < most) print name "\n" s }
  /^>/ { flush(); name = $1; s = ""; next } { gsub(/[^A-Za-z]/, ""); s = s $0 } END { flush() }' >"$fasta"

: >"$page"
tell "# proteins embed beside PyTorch"
tell
tell "$(date -u +%F), $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), one thread each, $("$aceso" --version | head -n 1), PyTorch $(python3 -c 'import torch; print(torch.__version__)') (Debian's, OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE, malloc thresholds raised; one sequence at a time, so without padding), load $(cut -d' ' -f1 /proc/loadavg). Random weights, $(grep -c '>' "$fasta") proteins of mmseqs2-examples with $(awk '!/^>/ { n += length($0) } END { print n }' "$fasta") residues. Both speeds leave out loading the weights; PyTorch is measured by CPU seconds, Aceso by the clock, which never flatters it."
tell
tell "| ESM-2 shape | precision | PyTorch residues/s | Aceso residues/s | ratio | largest difference of means | smallest cosine |"
tell "|---|---|---|---|---|---|---|"
for name in $shapes; do
  folder=$work/esm-$name model=$work/model-$name
  # shellcheck disable=SC2086  # three numbers
  [[ -s $folder/pytorch_model.bin ]] || peer make "$folder" ${shape[$name]}
  [[ -d $model ]] || "$aceso" models import --from hf --weights "$folder" --output "$model" >/dev/null
  for precision in fp32 bf16; do
    peer embed "$folder" "$fasta" "$precision" "$work/torch-$precision.json"
    ours=$("$aceso" proteins embed --model "$model" --sequences "$fasta" --output "$work/ours.safetensors" --precision "$precision" --threads 1 --json | field "['metrics']['residues_per_second']")
    theirs=$(field "['residues'] / 1" <"$work/torch-$precision.json")
    seconds=$(field "['cpu_seconds']" <"$work/torch-$precision.json")
    reference=$work/torch-fp32.json
    read -r difference cosine < <(peer compare "$reference" "$work/ours.safetensors")
    tell "$(awk -v n="$name" -v p="$precision" -v o="$ours" -v r="$theirs" -v s="$seconds" -v d="$difference" -v c="$cosine" 'BEGIN { printf "| %s | %s | %.0f | %.0f | %.1fx | %s | %s |", n, p, r / s, o, o * s / r, d, c }')"
  done
done
tell
tell "Difference and cosine are against PyTorch's fp32. Command: \`./dev bench proteins-embed\`."
[[ -n ${KEEP_DOCS:-} ]] || cp "$page" "$root/docs/benchmarks/"
