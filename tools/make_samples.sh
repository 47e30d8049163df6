#!/usr/bin/env bash
# make_samples.sh FOLDER ACESO: makes in FOLDER the small sample data that apps' samples name, of what is there:
# RDKit's compounds of the NCI, FOLDER/uniprot_20k.fasta.gz, FOLDER/chr22_20-21M.fa and .snp, and the demo models of
# this repository.
set -euo pipefail
folder=$1 aceso=$2
here=$(cd "$(dirname "$0")/.." && pwd)
nci=/usr/share/RDKit/Data/NCI/first_5K.smi

printf '# What a design should be like: see docs/howto/write-an-objective.md.\ntask: celecoxib_rediscovery\n' >"$folder/celecoxib.yaml"
printf '>ubiquitin human, UniProt P0CG48 residues 1-76\nMQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYNIQKESTLHLVLRLRGG\n' >"$folder/ubiquitin.fasta"
printf 'CC(=O)Oc1ccccc1C(=O)O aspirin\nCn1c(=O)c2c(ncn2C)n(C)c1=O caffeine\nCC(C)Cc1ccc(cc1)C(C)C(=O)O ibuprofen\n' >"$folder/three_drugs.smi"
cp "$here"/*/demo/*.model.tar "$folder/"
if [[ -f $nci ]]; then
  cp "$nci" "$folder/nci_5k.smi"
  sed 1000q "$nci" >"$folder/nci_1000.smi"
  { echo smiles,tpsa; sed '/^#/d; s/\r$//' "${nci%/*}/first_5k.tpsa.csv"; } >"$folder/nci_tpsa.csv"
fi

# The first 300 proteins of 40 to 400 usual residues, and their mean hydropathy (Kyte & Doolittle 1982).
if [[ -f $folder/uniprot_20k.fasta.gz ]]; then
  # awk ends early, and what feeds it must not mind.
  (gzip -dc "$folder/uniprot_20k.fasta.gz" 2>/dev/null || true) | awk -v fasta="$folder/proteins.fasta" -v table="$folder/hydropathy.csv" '
    BEGIN {
      split("A 1.8 R -4.5 N -3.5 D -3.5 C 2.5 Q -3.5 E -3.5 G -0.4 H -3.2 I 4.5 L 3.8 K -3.9 M 1.9 F 2.8 P -1.6 S -0.8 T -0.7 W -0.9 Y -1.3 V 4.2", list, " ")
      for (i = 1; i < 40; i += 2) scale[list[i]] = list[i + 1]
      print "id,sequence,hydropathy" >table
    }
    function flush(   sum, i) {
      if (count >= 300 || length(sequence) < 40 || length(sequence) > 400 || sequence !~ /^[ACDEFGHIKLMNPQRSTVWY]+$/ || name in seen) return
      seen[name]; count++
      for (i = 1; i <= length(sequence); i++) sum += scale[substr(sequence, i, 1)]
      printf ">%s\n%s\n", header, sequence >fasta
      printf "%s,%s,%.3f\n", name, sequence, sum / length(sequence) >table
    }
    /^>/ {
      flush(); if (count >= 300) exit
      sequence = ""; header = substr($0, 2); sub(/^[^|]*\|[^|]*\|/, "", header); sub(/ Split=[0-9]+ *$/, "", header)
      name = header; sub(/ .*/, "", name); next
    }
    { sequence = sequence $0 }
    END { flush() }'
fi

# Weights as Hugging Face has them, to be imported.
exported=$(mktemp -d)
"$aceso" models export --model "$folder/protein-demo.model.tar" --output "$exported/hf" --no-report --quiet >/dev/null
cp "$exported/hf/model.safetensors" "$folder/esm-demo.safetensors"
cp "$exported/hf/config.json" "$folder/esm-demo-config.json"
cp "$exported/hf/vocab.txt" "$folder/esm-demo-vocab.txt"
rm -r "$exported"

# The same megabase cut into pieces of 500 bases; every tenth of them with its GC content; and 120 bases.
if [[ -f $folder/chr22_20-21M.fa ]]; then
  awk -v all="$folder/chr22_cut.fasta" -v fasta="$folder/chr22_pieces.fasta" -v table="$folder/chr22_gc.csv" -v one="$folder/chr22_piece.fasta" '
    BEGIN { print "id,sequence,gc" >table }
    /^>/ { next }
    { text = text toupper($0) }
    END {
      for (begin = 1; begin + 499 <= length(text); begin += 500) {
        piece = substr(text, begin, 500)
        if (piece !~ /^[ACGT]+$/) continue
        name = "chr22_" 20000000 + begin
        printf ">%s\n%s\n", name, piece >all
        if (++count % 10 != 0 || count > 2000) continue
        printf ">%s\n%s\n", name, piece >fasta
        if (count == 1000) printf ">%s\n%s\n", name, substr(piece, 1, 120) >one
        printf "%s,%s,%.3f\n", name, piece, gsub(/[GC]/, "", piece) / 500 >table
      }
    }' "$folder/chr22_20-21M.fa"
  gzip -nf "$folder/chr22_cut.fasta"
fi

# A sample with a third of dbSNP's variants of a megabase of chromosome 22, its reads, and what is called of them.
if [[ -f $folder/chr22_20-21M.fa && ( ! -f $folder/chr22_alignments.bam || ! -f $folder/chr22_noisy_calls.vcf.gz ) ]]; then
  made=$(mktemp -d)
  "$aceso" genomics simulate --reference "$folder/chr22_20-21M.fa" --variants "$folder/chr22_20-21M.snp" --coverage 20 --seed 1 \
    --reads "$made/chr22_reads_1.fastq.gz" --reads2 "$made/chr22_reads_2.fastq.gz" --truth "$made/chr22_truth.vcf.gz" --no-report --quiet >/dev/null
  cp "$folder/chr22_20-21M.fa" "$made/reference.fa"
  "$aceso" genomics germline --reads "$made/chr22_reads_1.fastq.gz" --reads2 "$made/chr22_reads_2.fastq.gz" \
    --reference "$made/reference.fa" --variants "$made/chr22_calls.vcf.gz" --alignments "$made/chr22_alignments.bam" --no-report --quiet >/dev/null
  # The same with the errors of a worse sequencer, some of which look like variants: what a filter learns from.
  "$aceso" genomics simulate --reference "$folder/chr22_20-21M.fa" --variants "$folder/chr22_20-21M.snp" --coverage 15 --seed 2 \
    --artifact-rate 0.0005 --stutter-rate 0.001 --reads "$made/noisy_1.fastq" --reads2 "$made/noisy_2.fastq" \
    --truth "$made/chr22_noisy_truth.vcf.gz" --no-report --quiet >/dev/null
  "$aceso" genomics germline --reads "$made/noisy_1.fastq" --reads2 "$made/noisy_2.fastq" --reference "$made/reference.fa" --hard-filter \
    --variants "$made/chr22_noisy_calls.vcf.gz" --no-report --quiet >/dev/null
  mv "$made"/chr22_*.gz "$made"/chr22_alignments.bam "$folder/"
  rm -r "$made"
fi

# The list of dbSNP as a track of known variants, and open reading frames of 150 codons or more as genes.
if [[ -f $folder/chr22_20-21M.fa && ! -f $folder/chr22_dbsnp.vcf.gz ]]; then
  chr22() { grep -v '^>' "$folder/chr22_20-21M.fa" | tr -d '\n' | tr a-z A-Z; }
  (
    printf '##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n'
    LC_ALL=C awk -F'\t' -v OFS='\t' '
      NR == FNR { genome = $0; next }
      $2 == "single" { print $3, $4 + 1, $1, substr(genome, $4 + 1, 1), $5, ".", ".", "." }
      $2 == "deletion" { print $3, $4, $1, substr(genome, $4, $5 + 1), substr(genome, $4, 1), ".", ".", "." }
      $2 == "insertion" { print $3, $4, $1, substr(genome, $4, 1), substr(genome, $4, 1) $5, ".", ".", "." }
    ' <(chr22) "$folder/chr22_20-21M.snp" | sort -k2,2n
  ) | gzip -9n >"$folder/chr22_dbsnp.vcf.gz"
  LC_ALL=C awk -v OFS='\t' -v name="$(sed -n '1s/^>\([^ ]*\).*/\1/p' "$folder/chr22_20-21M.fa")" '
    {
      genome = $0
      print "##gff-version 3"
      for (i = 1; i + 2 <= length(genome); i++) {
        frame = i % 3; codon = substr(genome, i, 3)
        if (codon == "ATG" && !start[frame]) start[frame] = i
        if (codon != "TAA" && codon != "TAG" && codon != "TGA") continue
        if (start[frame] && i + 3 - start[frame] >= 450) {
          ++count; end = i + 2
          print name, "orf", "gene", start[frame], end, ".", "+", ".", "ID=gene:orf" count ";Name=ORF" count ";biotype=protein_coding"
          print name, "orf", "mRNA", start[frame], end, ".", "+", ".", "ID=transcript:orf" count ".1;Parent=gene:orf" count ";biotype=protein_coding"
          print name, "orf", "exon", start[frame], end, ".", "+", ".", "Parent=transcript:orf" count ".1"
          print name, "orf", "CDS", start[frame], end, ".", "+", 0, "ID=CDS:orf" count ";Parent=transcript:orf" count ".1"
        }
        start[frame] = 0
      }
    }' <(chr22) >"$folder/chr22_genes.gff3"
fi

# Two samples of that list at 10x and a child of theirs, each as the gVCF that is called of it.
if [[ -f $folder/chr22_20-21M.fa && ! -f $folder/chr22_family.ped ]]; then
  made=$(mktemp -d)
  cp "$folder/chr22_20-21M.fa" "$made/reference.fa"
  cp "$folder/chr22_20-21M.snp" "$made/father.snp"
  cp "$folder/chr22_20-21M.snp" "$made/mother.snp"
  # member NAME VARIANTS SEED: draws a member's reads, and calls its gVCF.
  member() {
    "$aceso" genomics simulate --reference "$made/reference.fa" --variants "$2" --coverage 10 --seed "$3" --sample "$1" \
      --reads "$made/1.fastq.gz" --reads2 "$made/2.fastq.gz" --truth "$made/$1.vcf" --no-report --quiet >/dev/null
    "$aceso" genomics germline --reads "$made/1.fastq.gz" --reads2 "$made/2.fastq.gz" --reference "$made/reference.fa" \
      --sample "$1" --gvcf "$made/chr22_$1.g.vcf.gz" --no-report --quiet >/dev/null
  }
  member father "$made/father.snp" 21
  member mother "$made/mother.snp" 22
  # The child has one allele of either parent at each place.
  awk -F'\t' -v OFS='\t' -v seed=23 '
    BEGIN { srand(seed) }
    /^##/ { if (NR == FNR) print; next }
    /^#/ { if (NR == FNR) { $10 = "child"; print }; next }
    $5 ~ /,/ { next }
    { key = $2 OFS $4 OFS $5; split($10, two, /[|\/:]/); given[key] += two[1 + int(2 * rand())]; line[key] = $0 }
    END { for (key in given) if (given[key] > 0) { $0 = line[key]; $8 = "."; $9 = "GT"; $10 = given[key] == 2 ? "1|1" : "0|1"; print } }
  ' "$made/father.vcf" "$made/mother.vcf" >"$made/child.unsorted"
  (grep '^#' "$made/child.unsorted"; grep -v '^#' "$made/child.unsorted" | sort -k2,2n -k4,5) >"$made/child_sites.vcf"
  member child "$made/child_sites.vcf" 24
  printf 'family child father mother 0 0\n' >"$made/chr22_family.ped"
  mv "$made"/chr22_* "$folder/"
  rm -r "$made"
fi
