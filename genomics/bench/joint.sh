#!/usr/bin/env bash
# joint.sh BUILD_DIR OUT_DIR: `aceso genomics joint` on gVCFs of `genomics germline`: a simulated family of four at 10x, each sample's
# calls beside those made of it alone; and a real trio, its Mendelian violations beside bcftools' and freebayes'.
# Writes OUT_DIR/genomics-joint.md, and docs/benchmarks/genomics-joint.md unless KEEP_DOCS is set.
#   DATA (../shared/data/genomics), WORK (a folder below /tmp), BASES (2000000), COVERAGE (10), SEED (11): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${DATA:-$root/../shared/data/genomics} work=${WORK:-/tmp/aceso-bench-joint}
bases=${BASES:-2000000} coverage=${COVERAGE:-10} seed=${SEED:-11}
aceso=$build/bin/aceso page=$out/genomics-joint.md
source "$root/tools/bench.sh"
[[ -s $data/sim5mb/ref.fa.gz && -d $data/trio_10kb ]] || { echo "skipped: $data has no sim5mb and trio_10kb" >&2; exit 0; }
data=$(realpath "$data")
say() { printf '%s\n' "$*" >&2; }
run() { "$aceso" genomics "$@" --quiet --no-report >/dev/null; }
# metric NAME JSON: a member of metrics, by a path with dots
metric() { python3 -c 'import functools, json, sys
print(functools.reduce(lambda m, k: m[int(k) if k.isdigit() else k], sys.argv[1].split("."), json.load(open(sys.argv[2]))["metrics"]))' "$@"; }
# germline FOLDER SAMPLE REFERENCE
germline() {
  run germline --reads "$1/$2_1.fq.gz" --reads2 "$1/$2_2.fq.gz" --reference "$3" --sample "$2" --threads 1 \
    --variants "$1/$2.vcf.gz" --gvcf "$1/$2.g.vcf.gz"
}
# score TRUTH CALLS SAMPLE: counts and F1 of both kinds
score() {
  "$aceso" genomics compare --truth "$1" --calls "$2" --sample "$3" --reference family/ref.fa --json --no-report >score.json
  printf '%s/%s/%s | %.4f | %s/%s/%s | %.4f' "$(metric snp.tp score.json)" "$(metric snp.fp score.json)" "$(metric snp.fn score.json)" \
    "$(metric snp.f1 score.json)" "$(metric indel.tp score.json)" "$(metric indel.fp score.json)" "$(metric indel.fn score.json)" "$(metric indel.f1 score.json)"
}

mkdir -p "$work/family" "$work/trio"
cd "$work"
say "family: reads"
gzip -dc "$data/sim5mb/ref.fa.gz" | awk -v bases="$bases" '
  /^>/ { if (NR > 1) exit; print ">part"; next }
  { if (n >= bases) exit; print; n += length($0) }' >family/ref.fa || true
run simulate --reference family/ref.fa --coverage 0.01 --snp-rate 0.0012 --indel-rate 0.00018 --heterozygous 1 --seed "$seed" \
  --reads family/none.fq.gz --truth family/pool.vcf.gz
python3 "$root/genomics/bench/make_family.py" family/pool.vcf.gz family "$seed"
family=(father mother child1 child2)
for i in "${!family[@]}"; do
  s=${family[$i]}
  run simulate --reference family/ref.fa --variants "family/$s.vcf" --coverage "$coverage" --seed $((seed + i)) --sample "$s" \
    --reads "family/${s}_1.fq.gz" --reads2 "family/${s}_2.fq.gz" --truth "family/$s.truth.vcf.gz"
  say "family: $s"
  germline family "$s" family/ref.fa
done
printf 'F child1 father mother 0 0\nF child2 father mother 0 0\n' >family/family.ped
gvcfs=()
for s in "${family[@]}"; do gvcfs+=("family/$s.g.vcf.gz"); done
"$aceso" genomics joint --gvcfs "${gvcfs[@]}" --pedigree family/family.ped --variants family/joint.vcf.gz --threads 1 --json --no-report >family.json

say "trio"
gzip -dc "$data/trio_10kb/hs37d5.chr20.fa.gz" >trio/ref.fa
samtools faidx trio/ref.fa
trio=(HG001 NA12891 NA12892)
gvcfs=()
for s in "${trio[@]}"; do
  samtools collate -Ou "$data/trio_10kb/$s".*.bam trio/tmp | samtools fastq -N -1 "trio/${s}_1.fq.gz" -2 "trio/${s}_2.fq.gz" -0 /dev/null -s /dev/null - 2>/dev/null
  germline trio "$s" trio/ref.fa
  gvcfs+=("trio/$s.g.vcf.gz")
done
printf 'F HG001 NA12891 NA12892 0 0\n' >trio/trio.ped
"$aceso" genomics joint --gvcfs "${gvcfs[@]}" --pedigree trio/trio.ped --variants trio/joint.vcf.gz --json --no-report >trio.json
bcftools mpileup -f trio/ref.fa "$data"/trio_10kb/*.bam 2>/dev/null | bcftools call -mv 2>/dev/null | bcftools view -i 'QUAL>=20' -Oz -o trio/bcftools.vcf.gz
freebayes -f trio/ref.fa -r 20:9990000-10020000 "$data"/trio_10kb/*.bam 2>/dev/null | bcftools view -i 'QUAL>=20' -Oz -o trio/freebayes.vcf.gz
bcftools view -f PASS trio/joint.vcf.gz -Oz -o trio/passed.vcf.gz
# violations FILE: sound | violations, as bcftools counts them
violations() { bcftools +mendelian "$1" -t NA12892,NA12891,HG001 -m c 2>/dev/null | awk '!/^#/ { print $1 " | " $2 " | " $3 }'; }

: >"$page"
tell "# Joint genotyping"
tell
tell "$(date -u +%F), $("$aceso" --version | head -n 1), $(bcftools --version | head -n 1), freebayes $(freebayes --version | sed 's/version: *//')."
tell
tell "## A simulated family at ${coverage}x"
tell
tell "$bases bases of GRCh38 chr20, parents and two children, \`genomics germline --gvcf\` each, \`genomics joint\` of all four ($(metric sites.passed family.json) sites that passed, $(sed -n 's/.*"cpu_seconds":\([0-9.]*\).*/\1/p' family.json) CPU seconds). Each sample by \`genomics compare\`."
tell
tell "| sample | calls | SNP TP/FP/FN | SNP F1 | indel TP/FP/FN | indel F1 |"
tell "|---|---|---|---|---|---|"
for s in "${family[@]}"; do
  tell "| $s | alone | $(score "family/$s.truth.vcf.gz" "family/$s.vcf.gz" "$s") |"
  tell "| $s | joint | $(score "family/$s.truth.vcf.gz" family/joint.vcf.gz "$s") |"
done
tell
tell "Mendelian violations of the children: $(metric trios.0.violations family.json) of $(metric trios.0.sites family.json) and $(metric trios.1.violations family.json) of $(metric trios.1.sites family.json) sites; where all three genotypes have GQ 20, $(metric trios.0.sure_violations family.json) of $(metric trios.0.sure_sites family.json) and $(metric trios.1.sure_violations family.json) of $(metric trios.1.sure_sites family.json)."
tell
tell "## A real trio"
tell
tell "HG001 and her parents, 10 kb of chromosome 20 at 27 to 38x. Violations as \`bcftools +mendelian\` counts them; bcftools and freebayes call the three BAM files as they are (bwa), sites of quality 20 or more."
tell
tell "| calls | sound sites | violations | not all known |"
tell "|---|---|---|---|"
tell "| Aceso: germline and joint | $(violations trio/passed.vcf.gz) |"
tell "| bcftools mpileup, call | $(violations trio/bcftools.vcf.gz) |"
tell "| freebayes | $(violations trio/freebayes.vcf.gz) |"
tell
tell "Ten kilobases are few: one violation more or less is chance. Simulated reads have no errors that depend on the bases around. Command: \`./dev bench genomics-joint\`."
keep_page
