#!/usr/bin/env bash
# metrics.sh BUILD_DIR OUT_DIR: `aceso genomics metrics` beside Picard on the same alignments, one thread each: CPU seconds, and every
# figure of both side by side. Writes OUT_DIR/genomics-metrics.md, and docs/benchmarks/genomics-metrics.md unless KEEP_DOCS is set.
#   DATA (../shared/data/genomics/sim5mb), WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${DATA:-$root/../shared/data/genomics/sim5mb} work=${WORK:-/tmp/aceso-bench-metrics}
aceso=$build/bin/aceso page=$out/genomics-metrics.md
source "$root/tools/bench.sh"
[[ -s $data/ref.fa.gz ]] || { echo "skipped: $data has no ref.fa.gz" >&2; exit 0; }
data=$(realpath "$data")

mkdir -p "$work/picard" "$work/path"
cd "$work"
[[ -s reads/reads_2.fq.gz ]] || bash "$data/make_reads.sh" "$work/reads" >/dev/null
[[ -s reference.fa ]] || { cp "$data/ref.fa.gz" . && gunzip -c ref.fa.gz >reference.fa; }
samtools faidx reference.fa
samtools dict reference.fa -o reference.dict
[[ -s sample.bam ]] || "$aceso" genomics align --reads reads/reads_1.fq.gz --reads2 reads/reads_2.fq.gz \
  --reference reference.fa --alignments sample.bam --threads 1 --no-report --quiet >/dev/null

# Picard draws with R, which is not needed for figures.
printf '#!/bin/sh\nexit 0\n' >path/Rscript
chmod +x path/Rscript
export PATH=$work/path:$PATH
picard() { local name=$1; shift; seconds "$name" PicardCommandLine "$@" INPUT=sample.bam VALIDATION_STRINGENCY=SILENT QUIET=true VERBOSITY=ERROR; }
picard wgs CollectWgsMetrics OUTPUT=picard/wgs_metrics.txt REFERENCE_SEQUENCE=reference.fa
picard alignment CollectAlignmentSummaryMetrics OUTPUT=picard/alignment_summary_metrics.txt REFERENCE_SEQUENCE=reference.fa
picard insert CollectInsertSizeMetrics OUTPUT=picard/insert_size_metrics.txt HISTOGRAM_FILE=picard/insert.pdf
picard gc CollectGcBiasMetrics OUTPUT=picard/gc_bias_detail_metrics.txt SUMMARY_OUTPUT=picard/gc_bias_summary_metrics.txt \
  CHART_OUTPUT=picard/gc.pdf REFERENCE_SEQUENCE=reference.fa
seconds ours "$aceso" genomics metrics --alignments sample.bam --reference reference.fa --folder ours --threads 1 --json --no-report

theirs=$(cpu wgs.time alignment.time insert.time gc.time) ours=$(cpu ours.time)
: >"$page"
tell "# Metrics of aligned reads"
tell
tell "$(date -u +%F), $(processor), one thread, $("$aceso" --version | head -n 1), Picard $(dpkg-query -W -f='${Version}' picard-tools) (Debian), load $(load). $(samtools view -c sample.bam) records, 30x of 5 million bases of chromosome 20, simulated. CPU seconds, user and system; Picard's hold four starts of Java and its compiler's threads."
tell
tell "| | CPU seconds |"
tell "|---|---|"
tell "| Picard: CollectWgsMetrics, CollectAlignmentSummaryMetrics, CollectInsertSizeMetrics, CollectGcBiasMetrics | $theirs ($(cpu wgs.time) + $(cpu alignment.time) + $(cpu insert.time) + $(cpu gc.time)) |"
tell "| \`aceso genomics metrics\`: these, duplicates and qualities in one pass | $ours |"
tell "| ratio | $(ratio "$ours" "$theirs") |"
tell
tell "Peak memory: $(sed -n 's/.*"peak_rss_mb":\([0-9]*\).*/\1/p' ours.log) MB."
tell
python3 "$root/genomics/bench/compare_metrics.py" ours picard | tee -a "$page"
tell
tell "HET_SNP_SENSITIVITY is computed here and sampled there. Command: \`./dev bench genomics-metrics\`."
keep_page
