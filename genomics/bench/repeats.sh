#!/usr/bin/env bash
# repeats.sh BUILD_DIR OUT_DIR: the calls of `aceso genomics germline` with rates of repeats that it learns from the sample,
# and with standard ones, on reads whose runs of one base stutter more or less (true variants of HG002 on GRCh38 chr20).
# Writes OUT_DIR/genomics-repeats.md, and docs/benchmarks/genomics-repeats.md unless KEEP_DOCS is set.
#   DATA (../shared/data/genomics), WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${DATA:-$root/../shared/data/genomics} work=${WORK:-/tmp/aceso-bench-repeats}
aceso=$build/bin/aceso page=$out/genomics-repeats.md
source "$root/tools/bench.sh"
source "$root/tools/judge_calls.sh"
[[ -s $data/sim5mb/ref.fa.gz ]] || { echo "skipped: $data has no sim5mb" >&2; exit 0; }
data=$(realpath "$data/sim5mb")
mkdir -p "$work"
cd "$work"

# call HOW: calls the reads at hand with rates of repeats that are learnt or standard, and judges all calls, then those that
# passed.
call() {
  seconds "$1" "$aceso" genomics germline --reads sim_1.fq --reads2 sim_2.fq --reference ref.fa.gz --variants "$1.vcf.gz" \
    --repeat-errors "$1" --threads 1 --no-report --quiet
  judge "$title: $1, all calls" "$1.vcf.gz" "$data/truth.vcf.gz" "$data/confident.bed" ref.fa.gz --use-filtered
  judge "$1, those that passed" "$1.vcf.gz" "$data/truth.vcf.gz" "$data/confident.bed" ref.fa.gz
  cpu "$1.time" >>"cpu.$1"
  echo >>"cpu.$1"
}
# sample COVERAGE STUTTER SEED: four rows
sample() {
  "$aceso" genomics simulate --reference ref.fa.gz --variants "$data/truth.vcf.gz" --coverage "$1" --stutter-rate "$2" --seed "$3" \
    --duplicate-rate 0.05 --reads sim_1.fq --reads2 sim_2.fq --no-report --quiet >/dev/null 2>&1
  title="$1x, $(awk -v rate="$2" 'BEGIN { printf "%g", 500 * rate }') %"
  call standard
  call learn
}

cp -f "$data/ref.fa.gz" .
: >"$page"
rm -f cpu.*
tell "# Calls with learnt rates of repeats"
tell
tell "$(date -u +%F), $(processor), $("$aceso" --version | head -n 1), one thread, load $(load). True variants of HG002 on 5 Mb of GRCh38 chr20, simulated reads whose runs of one base lose or gain one; the per cent are those of a run of ten (a run of 15 errs twice as often). True calls, false calls, missed variants and F1; all calls have a quality of 3 or more, what passed was judged by the learnt filter."
tell
tell "| sample, rates of repeats | SNP TP/FP/FN | SNP F1 | indel TP/FP/FN | indel F1 |"
tell "|---|---|---|---|---|"
sample 30 0 11
sample 10 0 12
sample 30 0.003 13
sample 12 0.003 14
sample 30 0.01 15
sample 12 0.01 16
rm -f sim_?.fq
sum() { awk '{ s += $1 } END { printf "%.1f", s }' "$1"; }
tell
tell "CPU seconds of all samples from reads to calls: $(sum cpu.standard) with standard rates, $(sum cpu.learn) with learnt ones. The filter was trained on calls with standard rates (genomics/models/train.sh). Command: \`./dev bench genomics-repeats\`."
keep_page
