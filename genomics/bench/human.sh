#!/usr/bin/env bash
# human.sh BUILD_DIR OUT_DIR: `aceso genomics index` and `align` with a genome of human size, whose index fits no cache: CPU seconds and
# memory of the index, microseconds a read, and how long a whole genome would take. The genome is made, not real (make_genome.py).
# Writes OUT_DIR/genomics-human.md, and docs/benchmarks/ unless KEEP_DOCS is set. Takes half an hour, 14 GB of disk and 11 GB of memory.
#   WORK (a folder below /tmp), COVERAGE (0.02): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=${WORK:-/tmp/aceso-bench-human} coverage=${COVERAGE:-0.02}
aceso=$build/bin/aceso page=$out/genomics-human.md
source "$root/tools/bench.sh"

mkdir -p "$work"
if [[ ! -s $work/human.fa.aceso ]]; then
  (($(awk '/^MemAvailable/ { print $2 }' /proc/meminfo) > 11000000)) || { echo "skipped: less than 11 GB of memory are free" >&2; exit 0; }
  (($(df --output=avail "$work" | tail -n 1) > 14000000)) || { echo "skipped: less than 14 GB are free in $work" >&2; exit 0; }
fi
cd "$work"
[[ -s human.fa ]] || { echo "making a genome" >&2; /usr/bin/python3 "$root/genomics/bench/make_genome.py" human.fa.part && mv human.fa.part human.fa; }
[[ -s index.time && -s human.fa.aceso ]] || seconds index "$aceso" genomics index --reference human.fa --threads 1 --no-report --json
[[ -s reads.2.fq ]] || "$aceso" genomics simulate --reference human.fa --coverage "$coverage" --length 150 --reads reads.1.fq \
  --reads2 reads.2.fq --seed 5 --threads 1 --no-report --quiet >/dev/null
# A fifth of the reads as well, so that what a run costs before its first read can be taken off.
lines=$(wc -l <reads.1.fq) few=$(($(wc -l <reads.1.fq) / 20 * 4))
for mate in 1 2; do head -n "$few" "reads.$mate.fq" >"few.$mate.fq"; done
for reads in few reads; do
  seconds "$reads" "$aceso" genomics align --reads "$reads.1.fq" --reads2 "$reads.2.fq" --reference human.fa --alignments "$reads.bam" \
    --threads 1 --no-report --json
done
each=$(awk -v a="$(cpu reads.time)" -v b="$(cpu few.time)" -v n="$(((lines - few) / 2))" 'BEGIN { printf "%.1f", 1e6 * (a - b) / n }')

: >"$page"
tell "# A genome of human size"
tell
tell "$(date -u +%F), $(processor), one thread, $("$aceso" --version | head -n 1), load $(load). A made genome with the contigs of GRCh38 ($(grep -vc '>' human.fa) lines of 100 bases), 45 % copies of 200 families of repeats; $((lines / 2)) reads of 150 bases in pairs, ${coverage}x, seed 5."
tell
tell "| | |"
tell "|---|---|"
tell "| index, CPU seconds, once | $(cpu index.time) |"
tell "| index, GB on disk | $(stat -c %s human.fa.aceso | awk '{ printf "%.1f", $1 / 1e9 }') |"
[[ -s index.log ]] && tell "| index, peak memory, MB | $(sed -n 's/.*"peak_rss_mb": *\([0-9]*\).*/\1/p' index.log) |"
tell "| align, CPU seconds: $((few / 2)) reads, $((lines / 2)) reads | $(cpu few.time), $(cpu reads.time) |"
tell "| align, microseconds a read, start taken off | $each |"
tell "| align, core-hours for 620 million reads (30x) | $(awk -v e="$each" 'BEGIN { printf "%.1f", e * 620e6 / 3.6e9 }') |"
tell
/usr/bin/python3 "$root/genomics/bench/score_mapping.py" "aceso=reads.bam" | tee -a "$page"
tell
tell "Reads and genome are made, and so few reads touch each page of the index once; a real run touches them again and again. Calling adds what [genomics-germline.md](genomics-germline.md) says. Command: \`./dev bench genomics-human\`."
keep_page
