#!/usr/bin/env bash
# depth.sh BUILD_DIR OUT_DIR: calls of `aceso genomics germline` beside freebayes and bcftools on few reads (bwa mem, samtools
# markdup for both), simulated by ART from real variants of HG002. The best F1 at any limit of quality, which each set of calls
# chooses for itself, and the counts there.
# Writes OUT_DIR/genomics-depth.md, and docs/benchmarks/genomics-depth.md unless KEEP_DOCS is set.
#   DEPTHS ("10 20": even numbers, in multiples of the genome), DATA (../shared/data/genomics/sim5mb), WORK (a folder below
#   /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${DATA:-$root/../shared/data/genomics/sim5mb} work=${WORK:-/tmp/aceso-bench-depth} depths=${DEPTHS:-10 20}
aceso=$build/bin/aceso page=$out/genomics-depth.md
source "$root/tools/bench.sh"
source "$root/tools/call_by_peers.sh"
[[ -s $data/truth.vcf.gz ]] || { echo "skipped: $data has no truth.vcf.gz" >&2; exit 0; }
data=$(realpath "$data")

mkdir -p "$work"
cd "$work"
peer_reference "$data/ref.fa.gz"

# best CALLS: counts and F1 of both kinds where F1 is best
best() {
  "$aceso" genomics compare --truth "$data/truth.vcf.gz" --calls "$1" --regions "$data/confident.bed" --reference reference.fa.gz \
    --use-filtered --roc roc.tsv --no-report --quiet >/dev/null
  python3 - roc.tsv <<'END'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1]), delimiter="\t"))
parts = []
for kind in ("snp", "indel"):
    best = max((r for r in rows if r["type"] == kind), key=lambda r: float(r["f1"]))
    parts.append(f'{best["tp"]}/{best["fp"]}/{best["fn"]} | {float(best["f1"]):.4f} | {float(best["score"]):.4g}')
print(" | ".join(parts))
END
}

: >"$page"
tell "# Calls from few reads"
tell
tell "$(date -u +%F), $(processor), one thread each, $("$aceso" --version | head -n 1), $(bwa 2>&1 | sed -n 's/^Version: /bwa /p'), $(samtools --version | head -n 1), freebayes $(freebayes --version | sed 's/version: *//'), $(bcftools --version | head -n 1), load $(load). Pairs of 2 x 150 bases, simulated from real variants (HG002) on GRCh38 chr20:1-5,000,000. For each program and kind the counts at the limit of quality where its F1 is best; CPU seconds from reads to variants."
tell
tell "| | SNP TP/FP/FN | SNP F1 | at quality | indel TP/FP/FN | indel F1 | at quality | CPU seconds |"
tell "|---|---|---|---|---|---|---|---|"
for depth in $depths; do
  reads=reads-$depth
  [[ -s $reads/reads_2.fq.gz ]] || { say "making reads of ${depth}x"; COV=$((depth / 2)) bash "$data/make_reads.sh" "$work/$reads" >/dev/null; }
  peer_alignments "$reads/reads_1.fq.gz" "$reads/reads_2.fq.gz"
  peer_calls freebayes
  peer_calls bcftools
  say "aceso"
  seconds aceso "$aceso" genomics germline --reads "$reads/reads_1.fq.gz" --reads2 "$reads/reads_2.fq.gz" --reference reference.fa.gz \
    --variants aceso.vcf.gz --threads 1 --no-report
  tell "| ${depth}x: Aceso | $(best aceso.vcf.gz) | $(cpu aceso.time) |"
  tell "| freebayes | $(best freebayes.vcf.gz) | $(cpu bwa.time markdup.time freebayes.time) |"
  tell "| bcftools | $(best bcftools.vcf.gz) | $(cpu bwa.time markdup.time bcftools.time) |"
done
tell
tell "All calls are ranked by QUAL, whatever their filter says. Command: \`./dev bench genomics-depth\`."
keep_page
