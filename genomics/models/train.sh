#!/usr/bin/env bash
# train.sh BUILD_DIR: trains germline-filter.json and germline-net.model.tar again (seed 1), from simulated samples of Debian's piece of chromosome 22
# (package hisat2): several depths, variants of dbSNP and drawn ones, with and without systematic errors.
# Gaps in repeats are weighed by standard rates, so that the filter does not depend on what a sample teaches the caller.
# Needs the training plugin. MODEL and NET may name other outputs, THREADS how many.
set -euo pipefail
aceso=$(realpath "${1:?BUILD_DIR}")/bin/aceso
here=$(cd "$(dirname "$0")" && pwd) data=/usr/share/doc/hisat2/examples/reference
work=$(mktemp -d)
[[ -n ${KEEP:-} ]] || trap 'rm -r "$work"' EXIT
cp "$data/22_20-21M.fa" "$work/reference.fa"
calls=() truths=() pileups=() seed=100
for coverage in 8 12 20 30 45; do
  for source in drawn dbsnp; do
    for errors in "0 0" "0.00005 0.0002" "0.0003 0.001"; do
      read -r artifact stutter <<<"$errors"
      seed=$((seed + 1)) name=$work/$coverage-$source-$artifact
      from=(--snp-rate 0.002 --indel-rate 0.0006)
      [[ $source == dbsnp ]] && from=(--variants "$data/22_20-21M.snp")
      "$aceso" genomics simulate --reference "$work/reference.fa" "${from[@]}" --coverage "$coverage" --seed "$seed" \
        --artifact-rate "$artifact" --stutter-rate "$stutter" --duplicate-rate 0.05 \
        --reads "$name.1.fq" --reads2 "$name.2.fq" --truth "$name.truth.vcf.gz" --no-report --quiet >/dev/null
      "$aceso" genomics germline --reads "$name.1.fq" --reads2 "$name.2.fq" --reference "$work/reference.fa" --hard-filter --repeat-errors standard \
        --variants "$name.vcf.gz" --pileups "$name.safetensors" --threads "${THREADS:-2}" --no-report --quiet >/dev/null
      rm "$name".?.fq
      calls+=("$name.vcf.gz") truths+=("$name.truth.vcf.gz") pileups+=("$name.safetensors")
    done
  done
done
"$aceso" genomics train-filter --calls "${calls[@]}" --truth "${truths[@]}" --reference "$work/reference.fa" \
  --model "${MODEL:-$here/germline-filter.json}" --pileups "${pileups[@]}" --net "${NET:-$here/germline-net.model.tar}" \
  --share 1 --threads "${THREADS:-2}" --no-report
