#!/usr/bin/env bash
# reads.sh BUILD_DIR OUT_DIR: `aceso genomics reads` beside fastp on the same pairs, in turns.
# Writes OUT_DIR/genomics-reads.md, and docs/benchmarks/genomics-reads.md unless KEEP_DOCS is set.
#   PAIRS (1000000), ROUNDS (3), WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=${2:?OUT_DIR}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
pairs=${PAIRS:-1000000} rounds=${ROUNDS:-3} work=${WORK:-/tmp/aceso-bench-reads}
aceso=$build/bin/aceso
mkdir -p "$out" "$work"
out=$(realpath "$out")
page=$out/genomics-reads.md
cd "$work"

say() { printf '%s\n' "$*" >&2; }
tell() { printf '%s\n' "$*" >>"$page"; }

# Real reads teach the generator their qualities, and are compared too.
real=$root/../shared/data/genomics/na12878_real
rna=/usr/lib/R/site-library/ShortRead/extdata/E-MTAB-1147
unpacked() { [[ -s $2 ]] || zcat "$1" >"$2"; }
model1=- model2=- reference=-
if [[ -s $real/na12878_1.fq.gz ]]; then
  unpacked "$real/na12878_1.fq.gz" real_1.fq; unpacked "$real/na12878_2.fq.gz" real_2.fq
  model1=real_1.fq model2=real_2.fq
elif [[ -s $rna/ERR127302_1_subset.fastq.gz ]]; then
  unpacked "$rna/ERR127302_1_subset.fastq.gz" real_1.fq; unpacked "$rna/ERR127302_2_subset.fastq.gz" real_2.fq
  model1=real_1.fq model2=real_2.fq
fi
if [[ -s $root/../shared/data/genomics/sim5mb/ref.fa.gz ]]; then
  unpacked "$root/../shared/data/genomics/sim5mb/ref.fa.gz" ref.fa
  reference=ref.fa
fi
if [[ $(cat made 2>/dev/null) != "$pairs $model1 $reference" ]]; then
  say "making $pairs pairs"
  "$build/bin/make_pairs_bench" "$pairs" sim_1.fq sim_2.fq "$reference" "$model1" "$model2"
  gzip -6 -f sim_1.fq & gzip -6 -f sim_2.fq; wait
  echo "$pairs $model1 $reference" >made
fi

run() {  # TOOL THREADS ROUND: one line "cpu wall rss" into TOOL.THREADS.ROUND
  local tool=$1 threads=$2 round=$3 words
  if [[ $tool == fastp ]]; then
    words=(fastp -i sim_1.fq.gz -I sim_2.fq.gz -o fastp_1.fq.gz -O fastp_2.fq.gz -j fastp.json -h fastp.html -w "$threads")
  else
    words=("$aceso" genomics reads --reads sim_1.fq.gz --reads2 sim_2.fq.gz --output aceso_1.fq.gz --output2 aceso_2.fq.gz
      --report aceso.html --report-json aceso.json --threads "$threads")
  fi
  say "$tool, $threads threads, round $round"
  /usr/bin/time -f '%U %S %e %M' -o time.txt "${words[@]}" >"$tool.log" 2>&1 || { cat "$tool.log" >&2; exit 1; }
  tail -1 time.txt | awk '{printf "%.2f %.2f %.0f\n", $1 + $2, $3, $4 / 1000}' >"$tool.$threads.$round"
  [[ $tool == fastp ]] || sha256sum aceso_1.fq.gz aceso_2.fq.gz | cut -d' ' -f1 >"bytes.$threads.$round"
}

rm -f fastp.[0-9]* aceso.[0-9]* bytes.*
for ((round = 1; round <= rounds; ++round)); do
  for threads in 1 2; do
    run fastp "$threads" "$round"
    run aceso "$threads" "$round"
  done
done
run aceso 4 1
same=$(cat bytes.* | sort -u | wc -l)

median() { cut -d' ' -f"$3" "$1.$2".* | sort -n | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
size() { cat "$1"_1.fq.gz "$1"_2.fq.gz | wc -c; }
field() { grep -o "\"$2\":[0-9]*" "$1" | head -1 | grep -o '[0-9]*$'; }
rate() { tr -d '\n\t ' <"$1" | grep -o '"duplication":{"rate":[0-9.e-]*' | head -1 | sed 's/.*://' | cut -c1-7; }
of_tail() { tr -d '\n\t ' <"$1" | grep -o '"filtering_result":.*' >part.json; field part.json "$2"; }

cpu=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
: >"$page"
tell "# genomics reads beside fastp"
tell
tell "Measured by \`genomics/bench/reads.sh\` on $(date -u +%Y-%m-%d); ${cpu:-unknown CPU}, $(nproc) CPUs; $(fastp --version 2>&1), aceso $("$aceso" --version | head -1 | grep -o '[0-9][0-9.]*' | head -1)."
tell
tell "Input: $pairs pairs of 2 x 150 bases in gzip, made by \`make_pairs_bench\` (fixed seed): fragments of a reference with"
tell "lengths from 20 to 1,500 bases, so that some read through into their adapters; qualities and errors as in real reads; 8 %"
tell "duplicated fragments; 4 % bad reads; tails of G. Both programs ran with their defaults, each writing two gzip files and"
tell "a JSON and an HTML report. Figures are medians of $rounds rounds, taken in turns. CPU seconds are user and system time."
tell "Load average of the machine at the end: $(cut -d' ' -f1-3 /proc/loadavg); above the number of CPUs, wall times mean little."
tell
tell "| threads | figure | fastp | aceso | ratio |"
tell "| --- | --- | --- | --- | --- |"
for threads in 1 2; do
  for row in "1:CPU seconds" "2:wall seconds" "3:peak memory (MB)"; do
    a=$(median fastp "$threads" "${row%%:*}") b=$(median aceso "$threads" "${row%%:*}")
    tell "| $threads | ${row#*:} | $a | $b | $(awk "BEGIN {printf \"%.2f\", $b / $a}") |"
  done
done
a=$(size fastp) b=$(size aceso)
tell "| any | bytes written | $a | $b | $(awk "BEGIN {printf \"%.2f\", $b / $a}") |"
tell
tell "CPU seconds of each round: fastp $(for t in 1 2; do printf '%s threads %s; ' $t "$(cut -d' ' -f1 fastp.$t.* | paste -sd' ')"; done)aceso $(for t in 1 2; do printf '%s threads %s; ' $t "$(cut -d' ' -f1 aceso.$t.[1-9] | paste -sd' ')"; done)"
tell
tell "The bytes that aceso writes: $([[ $same == 2 ]] && echo "the same with 1, 2 and 4 threads in every round." || echo "NOT the same in every round.")"
tell
tell "| count | fastp | aceso |"
tell "| --- | --- | --- |"
for name in passed_filter_reads low_quality_reads too_many_N_reads too_short_reads too_long_reads adapter_trimmed_reads adapter_trimmed_bases; do
  tell "| $name | $(of_tail fastp.json $name) | $(of_tail aceso.json $name) |"
done
tell "| duplication rate | $(rate fastp.json) | $(rate aceso.json) |"
tell
tell "fastp looks duplicates up in a Bloom filter, in which distinct reads may collide; aceso counts exactly below 524,288"
tell "distinct pairs and estimates from a sample of them above. fastp measures fragment lengths on its first thread only;"
tell "aceso measures all pairs."
tell
tell "## Read by read"

compare() {  # TITLE FASTP_PREFIX ACESO_PREFIX
  local m
  for m in 1 2; do
    tell
    tell "$1, mates $m:"
    tell
    tell "| class | reads | examples |"
    tell "| --- | --- | --- |"
    "$build/bin/compare_reads_bench" fastp "$2_$m.fq.gz" aceso "$3_$m.fq.gz" >>"$page" || differ=1
  done
}
differ=0
compare "Simulated pairs" fastp aceso
if [[ -s $real/na12878_1.fq.gz ]]; then
  fastp -i "$real/na12878_1.fq.gz" -I "$real/na12878_2.fq.gz" -o rf_1.fq.gz -O rf_2.fq.gz -j rf.json -h rf.html >/dev/null 2>&1
  "$aceso" genomics reads --reads "$real/na12878_1.fq.gz" --reads2 "$real/na12878_2.fq.gz" --output ra_1.fq.gz --output2 ra_2.fq.gz >/dev/null 2>&1
  compare "Real pairs (NA12878, 2 x 101 bases)" rf ra
fi
tell
((differ)) || tell "No read differs."
[[ -n ${KEEP_DOCS:-} ]] || { mkdir -p "$root/docs/benchmarks"; cp "$page" "$root/docs/benchmarks/genomics-reads.md"; }
cat "$page"
