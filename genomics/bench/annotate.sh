#!/usr/bin/env bash
# annotate.sh BUILD_DIR OUT_DIR: `aceso genomics annotate` beside `bcftools csq -l` and `bcftools annotate` on a random genome with
# genes of several exons on both strands, and with phased variants beside `bcftools csq -p r`: how many consequences agree, and CPU seconds of both, one thread each.
# Writes OUT_DIR/genomics-annotate.md, and docs/benchmarks/genomics-annotate.md unless KEEP_DOCS is set.
#   WORK (a folder below /tmp), GENES (6000), SEED (1): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=${WORK:-/tmp/aceso-bench-annotate} genes=${GENES:-6000} seed=${SEED:-1}
aceso=$build/bin/aceso page=$out/genomics-annotate.md
source "$root/tools/bench.sh"
command -v bcftools samtools bgzip >/dev/null || { echo "skipped: bcftools, samtools and bgzip are needed" >&2; exit 0; }

mkdir -p "$work"
cd "$work"
python3 "$root/genomics/bench/make_genes.py" . "$genes" "$seed"
samtools faidx genome.fa
bgzip -c variants.vcf >variants.vcf.gz && bcftools index -f variants.vcf.gz
# A track that knows half of the variants, with a field.
awk -F'\t' -v OFS='\t' '
  /^##contig/ { print; print "##INFO=<ID=AF,Number=A,Type=Float,Description=\"frequency\">"; next }
  /^#/ { print; next }
  NR % 2 { $3 = "rs" NR; $8 = "AF=0." NR % 9; print }' variants.vcf | bgzip >track.vcf.gz
bcftools index -f track.vcf.gz
# csq takes gaps for moved to the left: of "AA>A" it deletes another base than the line says, and tells another protein.
bcftools norm -f genome.fa variants.vcf -o normal.vcf 2>/dev/null

annotate() { "$aceso" genomics annotate --threads 1 --no-report --quiet --variants "$@"; }
seconds ours annotate normal.vcf --reference genome.fa --genes genes.gff3 --output ours.vcf
seconds csq bcftools csq -l -B 20 -f genome.fa -g genes.gff3 normal.vcf -o csq.vcf
python3 "$root/genomics/bench/phase_variants.py" normal.vcf "$seed" >phased.vcf
seconds ours_phased annotate phased.vcf --reference genome.fa --genes genes.gff3 --output ours_phased.vcf
seconds csq_phased bcftools csq -p r -B 20 -f genome.fa -g genes.gff3 phased.vcf -o csq_phased.vcf
seconds ours_track annotate variants.vcf.gz --tracks track.vcf.gz --columns ID,AF --output ours_track.vcf
seconds theirs_track bcftools annotate -a track.vcf.gz -c ID,INFO/AF variants.vcf.gz -o theirs_track.vcf
for who in ours theirs; do bcftools query -f '%POS %REF %ALT %ID %AF\n' "${who}_track.vcf" | awk '$4 != "."' | sort >"$who.known"; done

: >"$page"
tell "# Annotating variants"
tell
tell "$(date -u +%F), $(processor), one thread each, $("$aceso" --version | head -n 1), $(bcftools --version | head -n 1), load $(load). $genes random genes of 2 to 6 exons on both strands, $(grep -vc '^#' variants.vcf) random variants (substitutions of one and several bases, gaps, moved left by \`bcftools norm\`). CPU seconds, user and system."
tell
tell "| | Aceso | bcftools |"
tell "|---|---|---|"
tell "| consequences (\`bcftools csq -l\`) | $(cpu ours.time) | $(cpu csq.time) |"
tell "| haplotypes of two samples, $(grep -vc '^#' phased.vcf) variants (\`bcftools csq -p r\`) | $(cpu ours_phased.time) | $(cpu csq_phased.time) |"
tell "| a track of known variants (\`bcftools annotate\`) | $(cpu ours_track.time) | $(cpu theirs_track.time) |"
tell
python3 "$root/genomics/bench/compare_csq.py" ours.vcf csq.vcf genome.fa genes.gff3 | tee -a "$page"
tell
tell "With the variants on haplotypes:"
tell
python3 "$root/genomics/bench/compare_haplotypes.py" ours_phased.vcf csq_phased.vcf genome.fa genes.gff3 | tee -a "$page"
tell
tell "Of the track $(comm -12 ours.known theirs.known | wc -l) alleles are known to both with the same identifier and frequency, $(comm -23 ours.known theirs.known | wc -l) to Aceso alone (gaps that the track writes otherwise), $(comm -13 ours.known theirs.known | wc -l) to bcftools annotate alone. Command: \`./dev bench genomics-annotate\`."
keep_page
