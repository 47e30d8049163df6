#!/usr/bin/env bash
# germline.sh BUILD_DIR OUT_DIR: `aceso genomics germline` beside bwa mem | samtools markdup | freebayes on the same reads,
# one thread each: CPU seconds of both, and both call sets against the truth by `aceso genomics compare`.
# Writes OUT_DIR/genomics-germline.md, and docs/benchmarks/genomics-germline.md unless KEEP_DOCS is set.
#   DATA (../shared/data/genomics/sim5mb), WORK (a folder below /tmp), TRUTH_SAMPLE (HG002): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${DATA:-$root/../shared/data/genomics/sim5mb} work=${WORK:-/tmp/aceso-bench-germline}
aceso=$build/bin/aceso page=$out/genomics-germline.md
source "$root/tools/bench.sh"
source "$root/tools/call_by_peers.sh"
[[ -s $data/truth.vcf.gz ]] || { echo "skipped: $data has no truth.vcf.gz" >&2; exit 0; }
data=$(realpath "$data")

mkdir -p "$work"
cd "$work"
[[ -s reads/reads_2.fq.gz ]] || { say "making reads"; bash "$data/make_reads.sh" "$work/reads" >/dev/null; }
peer_reference "$data/ref.fa.gz"
peer_alignments reads/reads_1.fq.gz reads/reads_2.fq.gz
peer_calls freebayes
reads=(--reads reads/reads_1.fq.gz --reads2 reads/reads_2.fq.gz --reference reference.fa.gz --threads 1)
say "aceso"
seconds index "$aceso" genomics index --reference reference.fa.gz
seconds calls "$aceso" genomics germline "${reads[@]}" --variants ours.vcf.gz --json
seconds align "$aceso" genomics align "${reads[@]}" --alignments ours.bam --json
samtools quickcheck ours.bam
"$aceso" genomics germline "${reads[@]}" --variants bounded.vcf.gz --memory 1G --json >bounded.json
cmp <(zcat ours.vcf.gz) <(zcat bounded.vcf.gz)

# scores NAME CALLS: precision, recall and F1 of both kinds
scores() {
  "$aceso" genomics compare --truth "$data/truth.vcf.gz" --calls "$2" --regions "$data/confident.bed" \
    --reference reference.fa.gz --min-quality 20 --json >"$1.json"
  python3 - "$1.json" <<'END'
import json, sys
metrics = json.load(open(sys.argv[1]))["metrics"]
for kind in ("snp", "indel"):
    m = metrics[kind]
    print(f'{m["tp"]}/{m["fp"]}/{m["fn"]} | {m["f1"]:.4f}', end=" | " if kind == "snp" else "\n")
END
}

ours=$(cpu calls.time) theirs=$(cpu bwa.time markdup.time freebayes.time)
: >"$page"
tell "# From reads to variants"
tell
tell "$(date -u +%F), $(processor), one thread each, $("$aceso" --version | head -n 1), $(bwa 2>&1 | sed -n 's/^Version: /bwa /p'), $(samtools --version | head -n 1), freebayes $(freebayes --version | sed 's/version: *//'), load $(load). $(zcat reads/reads_1.fq.gz | awk 'END { print NR / 4 }') pairs of 2 x 150 bases, simulated from real variants (HG002) on GRCh38 chr20:1-5,000,000. CPU seconds, user and system."
tell
tell "| | Aceso | bwa mem + samtools markdup + freebayes | ratio |"
tell "|---|---|---|---|"
tell "| reads to variants | $ours | $theirs ($(cpu bwa.time) + $(cpu markdup.time) + $(cpu freebayes.time)) | $(ratio "$ours" "$theirs") |"
align_ours=$(cpu align.time) align_theirs=$(cpu bwa.time markdup.time)
tell "| reads to sorted, marked BAM | $align_ours | $align_theirs | $(ratio "$align_ours" "$align_theirs") |"
tell
tell "| calls of quality 20 or more | SNP TP/FP/FN | SNP F1 | indel TP/FP/FN | indel F1 |"
tell "|---|---|---|---|---|"
tell "| Aceso | $(scores ours ours.vcf.gz) |"
tell "| freebayes | $(scores peer freebayes.vcf.gz) |"
tell
tell "Index of the reference: $(cpu index.time) CPU seconds, once. Peak memory with \`--memory 1G\`: $(sed -n 's/.*"peak_rss_mb":\([0-9]*\).*/\1/p' bounded.json) MB, the same calls. Whole genome (620 million reads of 150 bases), projected from CPU seconds a read: $(awk -v a="$ours" -v r="$(zcat reads/reads_1.fq.gz | awk 'END { print NR / 2 }')" 'BEGIN { printf "%.1f", a / r * 620e6 / 3600 }') core-hours; an index that does not fit the cache will make it more."
tell
tell "The reads are simulated: real sequencers make errors that depend on the bases around, which this does not show. Command: \`./dev bench genomics-germline\`."
keep_page
