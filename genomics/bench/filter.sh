#!/usr/bin/env bash
# filter.sh BUILD_DIR OUT_DIR: the calls of `aceso genomics germline` without a filter, with limits of quality and strand
# bias, and with the learnt filter that comes with the program, on samples it was not trained on.
# Writes OUT_DIR/genomics-filter.md, and docs/benchmarks/genomics-filter.md unless KEEP_DOCS is set.
#   DATA (../shared/data/genomics), WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${DATA:-$root/../shared/data/genomics} work=${WORK:-/tmp/aceso-bench-filter}
aceso=$build/bin/aceso page=$out/genomics-filter.md
[[ -s $data/sim5mb/ref.fa.gz ]] || { echo "skipped: $data has no sim5mb" >&2; exit 0; }
data=$(realpath "$data")
tell() { printf '%s\n' "$*" | tee -a "$page"; }
quiet() { "$aceso" "$@" --no-report --quiet >/dev/null 2>&1; }
mkdir -p "$work"
cd "$work"

# judge TITLE CALLS TRUTH REGIONS REFERENCE [OPTION]: one row
judge() {
  "$aceso" genomics compare --truth "$3" --calls "$2" --regions "$4" --reference "$5" "${@:6}" --json --no-report --quiet 2>/dev/null >judged.json
  tell "| $1 | $(python3 - <<'END'
import json
metrics = json.load(open("judged.json"))["metrics"]
print(" | ".join(f'{m["tp"]}/{m["fp"]}/{m["fn"]} | {m["f1"]:.4f}' for m in (metrics["snp"], metrics["indel"])))
END
) |"
}
# sample TITLE TRUTH REGIONS REFERENCE READS READS2: three rows
sample() {
  quiet genomics germline --reads "$5" --reads2 "$6" --reference "$4" --variants limits.vcf.gz --hard-filter
  quiet genomics germline --reads "$5" --reads2 "$6" --reference "$4" --variants learnt.vcf.gz
  judge "$1: all calls" limits.vcf.gz "$2" "$3" "$4" --use-filtered
  judge "limits" limits.vcf.gz "$2" "$3" "$4"
  judge "learnt" learnt.vcf.gz "$2" "$3" "$4"
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
tell "# What the learnt filter does"
tell
tell "$(date -u +%F), $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), $("$aceso" --version | head -n 1). The filter was trained on simulated samples of GRCh38 chr22:20-21 Mb (genomics/models/train.sh). True calls, false calls, missed variants and F1; all calls have a quality of 3 or more."
tell
tell "| sample, calls | SNP TP/FP/FN | SNP F1 | indel TP/FP/FN | indel F1 |"
tell "|---|---|---|---|---|"
simulated 30 0.0001 0.0005 901 "systematic errors"
simulated 12 0.0001 0.0005 902 "systematic errors"
simulated 30 0 0 903 "random errors only"
real=$data/na12878_real
if [[ -s $real/na12878_1.fq.gz ]]; then
  cp -f "$real/ref.fa.gz" real.fa.gz
  sample "NA12878, 52x, 100 kb of real reads" "$real/na12878.truth.vcf.gz" "$real/proxy_region.bed" real.fa.gz "$real/na12878_1.fq.gz" "$real/na12878_2.fq.gz"
fi
rm -f sim_?.fq
tell
tell "Samples of other chromosomes than the training's (chr20), and of a sequencer it never saw. Systematic errors: some contexts of 12 bases make reads of one strand err alike, and runs of one base stutter (\`genomics simulate --artifact-rate 0.0001 --stutter-rate 0.0005\`). The regions of NA12878 are indicative. Command: \`./dev bench genomics-filter\`."
[[ -n ${KEEP_DOCS:-} ]] || cp "$page" "$root/docs/benchmarks/"
