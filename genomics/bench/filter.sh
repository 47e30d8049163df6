#!/usr/bin/env bash
# filter.sh BUILD_DIR OUT_DIR: the calls of `aceso genomics germline` without a filter, with limits of quality and strand
# bias, with the learnt filter that comes with the program, and with that filter and its net, on samples neither was
# trained on.
# Writes OUT_DIR/genomics-filter.md, and docs/benchmarks/genomics-filter.md unless KEEP_DOCS is set.
#   DATA (../shared/data/genomics), WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${DATA:-$root/../shared/data/genomics} work=${WORK:-/tmp/aceso-bench-filter}
aceso=$build/bin/aceso page=$out/genomics-filter.md
source "$root/tools/bench.sh"
source "$root/tools/judge_calls.sh"
[[ -s $data/sim5mb/ref.fa.gz ]] || { echo "skipped: $data has no sim5mb" >&2; exit 0; }
data=$(realpath "$data")
quiet() { "$aceso" "$@" --no-report --quiet >/dev/null 2>&1; }
mkdir -p "$work"
cd "$work"

# timed NAME COMMAND...: runs it and adds its CPU seconds to the file NAME
timed() {
  local TIMEFORMAT='%U %S'
  { time quiet "${@:2}"; } 2>&1 | awk '{ print $1 + $2 }' >>"$1"
}
# sample TITLE TRUTH REGIONS REFERENCE READS READS2: four rows
sample() {
  timed cpu.reads genomics germline --reads "$5" --reads2 "$6" --reference "$4" --variants limits.vcf.gz --hard-filter \
    --alignments sample.bam
  timed cpu.trees genomics germline --aligned sample.bam --reference "$4" --variants learnt.vcf.gz --net off
  timed cpu.net genomics germline --aligned sample.bam --reference "$4" --variants net.vcf.gz --net on
  { zcat net.vcf.gz | grep -v '^#' | grep -c ';NET=' || true; } >>asked
  judge "$1: all calls" limits.vcf.gz "$2" "$3" "$4" --use-filtered
  judge "limits" limits.vcf.gz "$2" "$3" "$4"
  judge "learnt" learnt.vcf.gz "$2" "$3" "$4"
  judge "learnt, with the net" net.vcf.gz "$2" "$3" "$4"
}
# simulated COVERAGE ARTIFACTS STUTTER SEED TITLE: a sample of GRCh38 chr20:1-5,000,000
simulated() {
  quiet genomics simulate --reference sim.fa.gz --coverage "$1" --artifact-rate "$2" --stutter-rate "$3" --seed "$4" \
    --indel-rate 0.0003 --reads sim_1.fq --reads2 sim_2.fq --truth sim.vcf.gz
  sample "$1x, $5" sim.vcf.gz sim.bed sim.fa.gz sim_1.fq sim_2.fq
}

cp -f "$data/sim5mb/ref.fa.gz" sim.fa.gz
cp -f "$data/sim5mb/confident.bed" sim.bed
: >"$page"
rm -f cpu.reads cpu.trees cpu.net asked
tell "# What the learnt filter does"
tell
tell "$(date -u +%F), $(processor), $("$aceso" --version | head -n 1). The filter and its net were trained on simulated samples of GRCh38 chr22:20-21 Mb (genomics/models/train.sh). True calls, false calls, missed variants and F1; all calls have a quality of 3 or more."
tell
tell "| sample, calls | SNP TP/FP/FN | SNP F1 | indel TP/FP/FN | indel F1 |"
tell "|---|---|---|---|---|"
simulated 30 0.0001 0.0005 901 "systematic errors"
simulated 12 0.0001 0.0005 902 "systematic errors"
simulated 30 0 0 903 "random errors only"
simulated 12 0.0003 0.001 904 "many systematic errors"
real=$data/na12878_real
if [[ -s $real/na12878_1.fq.gz ]]; then
  cp -f "$real/ref.fa.gz" real.fa.gz
  sample "NA12878, 52x, 100 kb of real reads" "$real/na12878.truth.vcf.gz" "$real/proxy_region.bed" real.fa.gz "$real/na12878_1.fq.gz" "$real/na12878_2.fq.gz"
fi
rm -f sim_?.fq sample.bam*
tell
tell "Samples of other chromosomes than the training's (chr20), and of a sequencer it never saw. Systematic errors: some contexts of 12 bases make reads of one strand err alike, and runs of one base stutter (\`genomics simulate --artifact-rate 0.0001 --stutter-rate 0.0005\`; many: three times and twice as often). The regions of NA12878 are indicative. Command: \`./dev bench genomics-filter\`."
sum() { awk '{ s += $1 } END { printf "%.1f", s }' "$1"; }
tell
tell "The net was asked about $(awk '{ s += $1 } END { print s }' asked) calls in all. CPU seconds of all samples: $(sum cpu.reads) from reads to calls; from aligned reads to calls $(sum cpu.trees) without the net, $(sum cpu.net) with it (\`--net on\`)."
keep_page
