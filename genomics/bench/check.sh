#!/usr/bin/env bash
# check.sh BUILD_DIR OUT_DIR: `aceso genomics check` beside Picard's ValidateSamFile on a BAM and beside `bcftools view` on a VCF, one thread
# each: CPU seconds; and which files of htslib's own tests it, samtools and bcftools accept. Writes OUT_DIR/genomics-check.md, and
# docs/benchmarks/genomics-check.md unless KEEP_DOCS is set.
#   DATA (../shared/data/genomics/sim5mb), WORK (a folder below /tmp), HTSLIB_TESTS (/usr/share/htslib-test/test): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${DATA:-$root/../shared/data/genomics/sim5mb} work=${WORK:-/tmp/aceso-bench-check}
theirs_folder=${HTSLIB_TESTS:-/usr/share/htslib-test/test}
aceso=$build/bin/aceso page=$out/genomics-check.md
source "$root/tools/bench.sh"
[[ -s $data/ref.fa.gz ]] || { echo "skipped: $data has no ref.fa.gz" >&2; exit 0; }
data=$(realpath "$data")

mkdir -p "$work"
cd "$work"
[[ -s reads/reads_2.fq.gz ]] || bash "$data/make_reads.sh" "$work/reads" >/dev/null
[[ -s reference.fa ]] || gunzip -c "$data/ref.fa.gz" >reference.fa
samtools faidx reference.fa
samtools dict reference.fa -o reference.dict
[[ -s sample.vcf ]] || "$aceso" genomics germline --reads reads/reads_1.fq.gz --reads2 reads/reads_2.fq.gz --reference reference.fa \
  --alignments sample.bam --variants sample.vcf --gvcf sample.g.vcf --threads 1 --no-report --quiet >/dev/null

check() { local name=$1; shift; seconds "$name" "$aceso" genomics check "$@" --threads 1 --json --no-report; }
seconds picard PicardCommandLine ValidateSamFile INPUT=sample.bam REFERENCE_SEQUENCE=reference.fa MODE=SUMMARY QUIET=true VERBOSITY=ERROR
check ours_bam --input sample.bam --reference reference.fa
seconds bcftools bcftools view --no-version -o /dev/null sample.g.vcf
check ours_vcf --input sample.g.vcf --reference reference.fa

: >"$page"
tell "# Checks of files"
tell
tell "$(date -u +%F), $(processor), one thread, $("$aceso" --version | head -n 1), Picard $(dpkg-query -W -f='${Version}' picard-tools), bcftools $(bcftools --version | sed -n '1s/.* //p') (Debian), load $(load). $(samtools view -c sample.bam) reads and $(grep -vc '^#' sample.g.vcf) lines of gVCF, simulated. CPU seconds, user and system; Picard's hold a start of Java. bcftools only parses."
tell
tell "| | theirs | \`aceso genomics check\` | ratio |"
tell "|---|---|---|---|"
tell "| BAM with its reference: Picard ValidateSamFile | $(cpu picard.time) | $(cpu ours_bam.time) | $(ratio "$(cpu ours_bam.time)" "$(cpu picard.time)") |"
tell "| gVCF with its reference: bcftools view | $(cpu bcftools.time) | $(cpu ours_vcf.time) | $(ratio "$(cpu ours_vcf.time)" "$(cpu bcftools.time)") |"
tell
tell "Peak memory: $(sed -n 's/.*"peak_rss_mb":\([0-9]*\).*/\1/p' ours_bam.log) MB and $(sed -n 's/.*"peak_rss_mb":\([0-9]*\).*/\1/p' ours_vcf.log) MB, the reference among it. Both files have no error."
tell

# peer FILE: what samtools or bcftools make of it.
peer() {
  case $1 in
    *.vcf | *.bcf | *.vcf.gz) bcftools view -o /dev/null "$1" ;;
    *) samtools view -o /dev/null "$1" ;;
  esac >/dev/null 2>&1
}
if [[ -d $theirs_folder ]]; then
  both=0 neither=0 rows=()
  for file in "$theirs_folder"/*.{sam,bam,cram,vcf,bcf,vcf.gz}; do
    [[ -f $file ]] || continue
    code=0 found=refused
    "$aceso" genomics check --input "$file" --no-report --quiet --threads 1 >/dev/null 2>found.log || code=$?
    peer "$file" && found=accepted
    if [[ $code == 0 && $found == accepted ]]; then
      both=$((both + 1))
    elif [[ $code == 3 && $found == refused ]]; then
      neither=$((neither + 1))
    else
      reason=$(sed -n 's/^error: //p' found.log | head -n 1)
      rows+=("| ${file##*/} | $([[ $code == 0 ]] && echo accepted || echo "exit $code") | $found | $(sed 's/|/\\|/g' <<<"${reason#"$file: "}" | cut -c 1-140) |")
    fi
  done
  tell "Of the files of htslib's tests (Debian's htslib-test) both accept $both and both refuse $neither. The others:"
  tell
  tell "| file | \`genomics check\` | samtools, bcftools | why |"
  tell "|---|---|---|---|"
  ((${#rows[@]} == 0)) || tell "${rows[@]}"
  tell
fi
tell "Command: \`./dev bench genomics-check\`."
keep_page
