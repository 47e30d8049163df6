#!/usr/bin/env bash
# merge.sh BUILD_DIR OUT_DIR: `aceso genomics merge` beside samtools merge on the same alignments, one thread each, in turns: CPU seconds,
# memory, and whether the records are the same in the same order. Writes OUT_DIR/genomics-merge.md, and docs/benchmarks/genomics-merge.md
# unless KEEP_DOCS is set.
#   DATA (../shared/data/genomics/sim5mb), WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${DATA:-$root/../shared/data/genomics/sim5mb} work=${WORK:-/tmp/aceso-bench-merge}
aceso=$build/bin/aceso page=$out/genomics-merge.md
source "$root/tools/bench.sh"
[[ -s $data/ref.fa.gz ]] || { echo "skipped: $data has no ref.fa.gz" >&2; exit 0; }
data=$(realpath "$data")

mkdir -p "$work/many"
cd "$work"
[[ -s reads/reads_2.fq.gz ]] || bash "$data/make_reads.sh" "$work/reads" >/dev/null
[[ -s reference.fa ]] || gunzip -c "$data/ref.fa.gz" >reference.fa
samtools faidx reference.fa

# Four parts of the reads, one behind the other, as the lanes of a flow cell are.
if [[ ! -s part3.bam ]]; then
  lines=$(($(zcat reads/reads_1.fq.gz | wc -l) / 16 * 4 + 4))
  for mate in 1 2; do zcat "reads/reads_$mate.fq.gz" | split -l "$lines" -d -a 1 - "mate$mate."; done
  for part in 0 1 2 3; do
    "$aceso" genomics align --reads "mate1.$part" --reads2 "mate2.$part" --reference reference.fa --alignments "part$part.bam" \
      --threads 1 --no-report --quiet >/dev/null
  done
fi
# And a thousand small files: each a thousand records.
if [[ ! -s many/999.bam ]]; then
  samtools view -h part0.bam | awk "NR <= 1010" | samtools view -b -o many/0.bam
  for ((i = 1; i < 1000; ++i)); do cp many/0.bam "many/$i.bam"; done
fi

rows=()
row() {  # WHAT ENDING FILES...
  local ending=$2 index=bai genome=()
  [[ $ending == cram ]] && index=crai genome=(--reference reference.fa)
  seconds ours "$aceso" genomics merge --aligned "${@:3}" --alignments "ours.$ending" "${genome[@]}" --threads 1 --json --no-report
  seconds theirs samtools merge -c -p -f -l 5 "${genome[@]}" --write-index -o "theirs.$ending##idx##theirs.$ending.$index" "${@:3}"
  cmp <(samtools view -T reference.fa "ours.$ending") <(samtools view -T reference.fa "theirs.$ending")
  rows+=("| $1 | $(cpu theirs.time) | $(cpu ours.time) | $(ratio "$(cpu ours.time)" "$(cpu theirs.time)") | $(sed -n 's/.*"peak_rss_mb":\([0-9]*\).*/\1/p' ours.log) MB |")
}
row "four BAM to BAM" bam part?.bam
records=$(samtools view -c ours.bam)
row "four BAM to CRAM" cram part?.bam
row "a thousand small BAM to BAM" bam many/*.bam

: >"$page"
tell "# Merging aligned reads"
tell
tell "$(date -u +%F), $(processor), one thread, $("$aceso" --version | head -n 1), $(samtools --version | head -n 1), load $(load). Four files of together $records records, and a thousand of a thousand each. CPU seconds, user and system, with the index."
tell
tell "| | samtools merge | \`aceso genomics merge\` | ratio | its memory |"
tell "|---|---|---|---|---|"
for line in "${rows[@]}"; do tell "$line"; done
tell
tell "The records of both are the same, in the same order (compared by the script)."
tell
tell "Command: \`./dev bench genomics-merge\`."
keep_page
