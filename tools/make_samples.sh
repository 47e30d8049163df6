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

# A sample with a third of dbSNP's variants of a megabase of chromosome 22, its reads, and what is called of them.
if [[ -f $folder/chr22_20-21M.fa && ! -f $folder/chr22_alignments.bam ]]; then
  made=$(mktemp -d)
  "$aceso" genomics simulate --reference "$folder/chr22_20-21M.fa" --variants "$folder/chr22_20-21M.snp" --coverage 20 --seed 1 \
    --reads "$made/chr22_reads_1.fastq.gz" --reads2 "$made/chr22_reads_2.fastq.gz" --truth "$made/chr22_truth.vcf.gz" --no-report --quiet >/dev/null
  cp "$folder/chr22_20-21M.fa" "$made/reference.fa"
  "$aceso" genomics germline --reads "$made/chr22_reads_1.fastq.gz" --reads2 "$made/chr22_reads_2.fastq.gz" \
    --reference "$made/reference.fa" --variants "$made/chr22_calls.vcf.gz" --alignments "$made/chr22_alignments.bam" --no-report --quiet >/dev/null
  mv "$made"/chr22_*.gz "$made"/chr22_alignments.bam "$folder/"
  rm -r "$made"
fi
