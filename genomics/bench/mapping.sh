#!/usr/bin/env bash
# mapping.sh BUILD_DIR OUT_DIR: places of reads by `aceso genomics align` beside bwa mem: simulated reads, whose true places are known, of
# a piece of chromosome 20 and of two genomes of copies. Writes OUT_DIR/genomics-mapping.md, and docs/benchmarks/ unless KEEP_DOCS is set.
#   DATA (../shared/data/genomics/sim5mb), WORK (a folder below /tmp), COVERAGE (5): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${DATA:-$root/../shared/data/genomics/sim5mb} work=${WORK:-/tmp/aceso-bench-mapping} coverage=${COVERAGE:-5}
aceso=$build/bin/aceso page=$out/genomics-mapping.md
source "$root/tools/bench.sh"

# compare LABEL REFERENCE LENGTH
compare() {
  local name reads ours theirs
  name=$(basename "$2" .fa)-$3
  "$aceso" genomics simulate --reference "$2" --coverage "$coverage" --length "$3" --reads "$name.1.fq" --reads2 "$name.2.fq" \
    --seed 5 --threads 1 --no-report --quiet >/dev/null
  seconds "$name.ours" "$aceso" genomics align --reads "$name.1.fq" --reads2 "$name.2.fq" --reference "$2" \
    --alignments "$name.ours.bam" --threads 1 --no-report --quiet
  seconds "$name.bwa" bwa mem -t 1 -o "$name.bwa.sam" "$2" "$name.1.fq" "$name.2.fq"
  reads=$(($(wc -l <"$name.1.fq") / 2)) ours=$(cpu "$name.ours.time") theirs=$(cpu "$name.bwa.time")
  tell "## $1, $reads reads of $3 bases in pairs"
  tell
  tell "CPU seconds: ours with sorting, duplicates and compression $ours, bwa mem alone $theirs ($(ratio "$ours" "$theirs"))."
  tell
  python3 "$root/genomics/bench/score_mapping.py" "aceso=$name.ours.bam" "bwa=$name.bwa.sam" | tee -a "$page"
  tell
}

mkdir -p "$work"
cd "$work"
: >"$page"
tell "# Places of reads"
tell
tell "$(date -u +%F), $(processor), one thread, $("$aceso" --version | head -n 1), bwa $(dpkg-query -W -f='${Version}' bwa) (Debian), load $(load). Reads of \`genomics simulate\` at ${coverage}x, seed 5, with its errors and a sample's variants; a read is wrong if it begins more than 100 bases from where it was made. All reads are simulated."
tell
for genome in 1 9; do
  [[ -s repeats-$genome.fa ]] || python3 "$root/genomics/bench/make_repeats.py" 5000000 "$genome" >"repeats-$genome.fa"
done
[[ ! -s $data/ref.fa.gz || -s chr20.fa ]] || gunzip -c "$data/ref.fa.gz" >chr20.fa
for reference in chr20.fa repeats-1.fa repeats-9.fa; do
  [[ -s $reference ]] || { echo "skipped: $data has no ref.fa.gz" >&2; continue; }
  [[ -s $reference.bwt ]] || bwa index "$reference" 2>/dev/null
  "$aceso" genomics index --reference "$reference" --threads 1 --no-report --quiet >/dev/null
  label="5 million bases of chromosome 20"
  [[ $reference == chr20.fa ]] || label="Random genome $(basename "${reference#*-}" .fa), two fifths of it copies of 94 to 99.8 %"
  for length in 150 100; do compare "$label" "$reference" "$length"; done
done
tell "A mapping quality of 20 promises that at most one read in a hundred is wrong, and 30 one in a thousand. Command: \`./dev bench genomics-mapping\`."
keep_page
