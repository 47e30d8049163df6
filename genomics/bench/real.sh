#!/usr/bin/env bash
# real.sh BUILD_DIR OUT_DIR: calls of `aceso genomics germline` on real reads of NA12878 (100 kb) beside freebayes and bcftools
# (bwa mem, samtools markdup for both), against GIAB's truth. Where its own confident regions are not known, a false call can be
# a true one that the truth leaves out; so those that another program calls too, the same change at the same place, are counted.
# Writes OUT_DIR/genomics-real.md, and docs/benchmarks/genomics-real.md unless KEEP_DOCS is set.
#   DATA (../shared/data/genomics/na12878_real), WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${DATA:-$root/../shared/data/genomics/na12878_real} work=${WORK:-/tmp/aceso-bench-real}
aceso=$build/bin/aceso page=$out/genomics-real.md
source "$root/tools/bench.sh"
source "$root/tools/call_by_peers.sh"
[[ -s $data/na12878.truth.vcf.gz ]] || { echo "skipped: $data has no na12878.truth.vcf.gz" >&2; exit 0; }
data=$(realpath "$data")

mkdir -p "$work"
cd "$work"
peer_reference "$data/ref.fa.gz"
reads=("$data/na12878_1.fq.gz" "$data/na12878_2.fq.gz")
peer_alignments "${reads[@]}"
peer_calls freebayes
peer_calls bcftools
say "aceso"
seconds aceso "$aceso" genomics germline --reads "${reads[0]}" --reads2 "${reads[1]}" --reference reference.fa.gz \
  --variants aceso.vcf.gz --threads 1 --no-report
# HG001's own confident regions, of which only these are at hand, on the contig of the reads.
awk -v OFS='\t' '{ print "chr20s", $2 - 9995000, $3 - 9995000 }' "$data"/native/*.bed >own.bed
for name in aceso freebayes bcftools; do
  bcftools norm -m -any -f reference.fa "$name.vcf.gz" 2>/dev/null | bcftools view -H -i 'QUAL >= 20' | cut -f 1,2,4,5 | sort >"$name.alleles"
done

# errors NAME REGIONS OUT: false and missed calls of quality 20 or more, of those that passed if there is a filter
errors() {
  "$aceso" genomics compare --truth "$data/na12878.truth.vcf.gz" --calls "$1.vcf.gz" --regions "$2" --reference reference.fa.gz \
    --min-quality 20 --errors "$3" --no-report --json --quiet >"$1.json"
}
# row NAME OTHER OTHER
row() {
  errors "$1" own.bed "$1.own.tsv"
  errors "$1" "$data/proxy_region.bed" "$1.proxy.tsv"
  sort -m "$2.alleles" "$3.alleles" | uniq >others.alleles
  python3 - "$1" <<'END'
import csv, json, subprocess, sys
name = sys.argv[1]
rows = lambda path: list(csv.DictReader(open(path), delimiter="\t"))
others = {tuple(line.rstrip("\n").split("\t")) for line in open("others.alleles")}
false_calls = [r for r in rows(name + ".proxy.tsv") if r["decision"] == "FP"]

# The calls' number is their ID, which bcftools norm keeps when it takes alleles apart and moves them left.
lines = [f'{r["contig"]}\t{r["position"]}\t{i}\t{r["reference"]}\t{r["alternatives"]}\t.\t.\t.' for i, r in enumerate(false_calls)]
header = [f"##contig=<ID={l.split()[0]},length={l.split()[1]}>" for l in open("reference.fa.fai")]
text = "\n".join(["##fileformat=VCFv4.2", *header, "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO", *lines, ""])
norm = subprocess.run(["bcftools", "norm", "-m", "-any", "-f", "reference.fa", "-"], input=text, capture_output=True, text=True, check=True)
alone = set()
for contig, position, number, reference, other, *_ in (l.split("\t") for l in norm.stdout.splitlines() if l[0] != "#"):
    if (contig, position, reference, other) not in others:
        alone.add(int(number))

metrics = json.load(open(name + ".json"))["metrics"]
parts = [name]
for kind in ("snp", "indel"):
    m = metrics[kind]
    shared = sum(r["type"] == kind and i not in alone for i, r in enumerate(false_calls))
    own = [r["decision"] for r in rows(name + ".own.tsv") if r["type"] == kind]
    parts += [f'{m["tp"]}/{m["fp"]}/{m["fn"]}', shared, f'{own.count("FP")}/{own.count("FN")}']
print("| " + " | ".join(map(str, parts)) + " |")
END
}

: >"$page"
tell "# Calls from real reads"
tell
tell "$(date -u +%F), $("$aceso" --version | head -n 1), $(bwa 2>&1 | sed -n 's/^Version: /bwa /p'), $(samtools --version | head -n 1), freebayes $(freebayes --version | sed 's/version: *//'), $(bcftools --version | head -n 1). $(zcat "${reads[0]}" | awk 'END { print NR / 4 }') pairs of 2 x 101 bases of NA12878, hg19 chr20:10.0-10.1 Mb; truth of GIAB (HG001 v3.3.2). TP/FP/FN in 96 kb where another sample's (HG002's) truth is confident; how many of the FP another of the three calls too, the same change at the same place (whatever the genotype); FP/FN in the $(awk '{ n += $3 - $2 } END { printf "%.1f", n / 1000 }' own.bed) kb of HG001's own confident regions that are at hand. Calls of quality 20 or more that passed."
tell
tell "| | SNP TP/FP/FN | of the FP called by others | own regions: FP/FN | indel TP/FP/FN | of the FP called by others | own regions: FP/FN |"
tell "|---|---|---|---|---|---|---|"
tell "$(row aceso freebayes bcftools)"
tell "$(row freebayes aceso bcftools)"
tell "$(row bcftools aceso freebayes)"
tell
tell "Nothing was fitted to these reads, but that Aceso got its limit of strand bias after two calls of theirs had been seen. Few variants: a difference of two or three says little. Command: \`./dev bench genomics-real\`."
keep_page
