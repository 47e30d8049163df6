#!/usr/bin/env bash
# picard.sh BUILD_DIR OUT_DIR: files of `aceso genomics align` before Picard's eyes, on simulated reads with duplicates. ValidateSamFile must
# find no error in any kind of output, and MarkDuplicates must count the same duplicates, optical ones included. Fails if they differ.
# Writes OUT_DIR/genomics-picard.md, and docs/benchmarks/genomics-picard.md unless KEEP_DOCS is set.
#   REFERENCE (../shared/data/genomics/sim5mb/ref.fa.gz), COVERAGE (5), WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
reference=${REFERENCE:-$root/../shared/data/genomics/sim5mb/ref.fa.gz} work=${WORK:-/tmp/aceso-bench-picard}
aceso=$build/bin/aceso page=$out/genomics-picard.md
source "$root/tools/bench.sh"
command -v PicardCommandLine >/dev/null || { echo "skipped: PicardCommandLine is not installed (Debian package picard-tools)" >&2; exit 0; }
[[ -s $reference ]] || { echo "skipped: there is no $reference" >&2; exit 0; }
reference=$(realpath "$reference")
mkdir -p "$work" "$out"
cd "$work"
: >"$page"
picard() { PicardCommandLine "$@" QUIET=true VERBOSITY=ERROR 2>picard.log || { [[ $1 == ValidateSamFile ]] || { cat picard.log >&2; exit 1; }; }; }

case $reference in *.gz) gunzip -c "$reference" >reference.fa ;; *) cp -f "$reference" reference.fa ;; esac
samtools faidx reference.fa
samtools dict reference.fa -o reference.dict
"$aceso" genomics simulate --reference reference.fa --reads sim_1.fq.gz --reads2 sim_2.fq.gz --coverage "${COVERAGE:-5}" \
  --duplicate-rate 0.1 --no-report --quiet >/dev/null
python3 "$root/genomics/bench/name_clusters.py" sim_1.fq.gz sim_2.fq.gz reads_1.fq reads_2.fq
align() {
  local file=$1
  shift
  "$aceso" genomics align --reads reads_1.fq --reads2 reads_2.fq --reference reference.fa --alignments "$file" --json --no-report "$@" \
    >"${file%.*}.json"
}

tell "# Aligned reads before Picard's eyes" "" "$(date -u +%F), $("$aceso" --version | head -n 1), Picard $(dpkg-query -W -f='${Version}' picard-tools) (Debian). Reads of \`genomics simulate\` at ${COVERAGE:-5}x with copies of a tenth of the fragments, two fifths of which stand within 110 pixels of another." ""
align plain.bam
align secondary.bam --secondary 5
align recalibrated.bam --recalibrate --original-qualities
align tagged.bam --tag-duplicates
align all.cram --recalibrate --secondary 5 --tag-duplicates
"$aceso" genomics align --reads reads_1.fq --reference reference.fa --alignments single.bam --no-report --quiet >/dev/null
tell "| file | errors of ValidateSamFile |" "| --- | --- |"
failed=0
for file in plain.bam secondary.bam recalibrated.bam tagged.bam single.bam all.cram; do
  picard ValidateSamFile INPUT=$file REFERENCE_SEQUENCE=reference.fa MODE=SUMMARY >validation.txt || true
  # Of CRAM Picard warns that NM is missing: htslib makes it anew when it reads, htsjdk does not.
  if grep -q '^No errors found' validation.txt || { grep -q '^WARNING:' validation.txt && ! grep -q '^ERROR:' validation.txt; }; then
    tell "| $file | none$(awk '/^WARNING:/ { printf " (%s: %s)", $1, $2 }' validation.txt) |"
  else
    tell "| $file | $(awk '/^ERROR:/ { printf "%s: %s ", $1, $2 }' validation.txt) |"
    cat validation.txt picard.log >&2
    failed=1
  fi
done

# Duplicates: Picard marks the same alignments anew.
picard MarkDuplicates INPUT=tagged.bam OUTPUT=marked.bam METRICS_FILE=marked.txt TAGGING_POLICY=All ASSUME_SORT_ORDER=coordinate >/dev/null
"$aceso" genomics metrics --alignments tagged.bam --reference reference.fa --folder metrics --no-report --quiet >/dev/null
fields() { awk -F'\t' '/^LIBRARY/ { for (i = 1; i <= NF; ++i) name[i] = $i; getline; for (i = 2; i <= NF; ++i) print name[i], $i; exit }' "$1"; }
tell "" "| duplicates | Picard | aceso |" "| --- | --- | --- |"
while read -r name theirs; do
  ours=$(fields metrics/duplication_metrics.txt | awk -v name="$name" '$1 == name { print $2 }')
  tell "| $name | $theirs | $ours |"
  # Picard's MarkDuplicates counts no secondary alignments of sorted files apart; shares are rounded.
  [[ $name == PERCENT_DUPLICATION || $name == ESTIMATED_LIBRARY_SIZE || $theirs == "$ours" ]] || failed=1
done < <(fields marked.txt)
for kind in SQ LB; do
  tell "| records with DT:Z:$kind | $(samtools view -F 0x900 marked.bam | grep -c "DT:Z:$kind") | $(samtools view -F 0x900 tagged.bam | grep -c "DT:Z:$kind") |"
done
tell "" "Command: \`./dev bench genomics-picard\`."
keep_page
exit $failed
