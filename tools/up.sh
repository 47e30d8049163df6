#!/usr/bin/env bash
# up.sh ACESO SAMPLES [--port N] [--data DIR]: starts the hub, uploads the sample data and makes the
# sample runs through its API (once each), and prints the login link. Ctrl-C stops the hub.
set -euo pipefail
aceso=$1 samples=$2
shift 2

fifo=$(mktemp -d)/ready
mkfifo "$fifo"
"$aceso" hub up --json "$@" >"$fifo" &
hub=$!
trap 'kill "$hub" 2>/dev/null || true' EXIT
trap 'exit 0' INT TERM
read -r ready <"$fifo" || { wait "$hub"; exit $?; }
rm -r "$(dirname "$fifo")"

# field NAME: a text member of the JSON object on standard input.
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" | head -n 1; }
url=$(field url <<<"$ready")
token=$(field token <<<"$ready")
# The token goes through a file descriptor: a command line can be read by others.
api() { curl -sS --fail-with-body -K <(printf 'header = "Authorization: Bearer %s"\n' "$token") "$@"; }

upload() {  # NAME: prints the id of the data
  local id
  id=$(api "$url/v1/data?name=$1&limit=1" | field id)
  [[ -n $id ]] || id=$(api -X POST --data-binary "@$samples/$1" -H 'Content-Type: application/octet-stream' "$url/v1/data?name=$1" | field id)
  echo "$id"
}

# Apps' samples name these files: whoever presses "Use sample" finds them here.
for file in "$samples"/*; do upload "$(basename "$file")" >/dev/null; done

start_run() {  # APP INPUTS OPTIONS, the last two as JSON
  api -X POST -H 'Content-Type: application/json' -d "{\"app\":\"$1\",\"inputs\":$2,\"options\":$3}" "$url/v1/runs" >/dev/null
}

reads_run() {  # READS1 READS2
  start_run "genomics reads" "{\"reads\":\"$(upload "$1")\",\"reads2\":\"$(upload "$2")\"}" '{}'
}

if [[ -f $samples/.complete && -z $(api "$url/v1/runs?limit=1" | field id) ]]; then
  reads_run lambda_reads_1.fq.gz lambda_reads_2.fq.gz
  reads_run rna_reads_1.fastq.gz rna_reads_2.fastq.gz
  if [[ -f $samples/chr22_truth.vcf.gz ]]; then
    start_run "genomics germline" "{\"reads\":\"$(upload chr22_reads_1.fastq.gz)\",\"reads2\":\"$(upload chr22_reads_2.fastq.gz)\",\"reference\":\"$(upload chr22_20-21M.fa)\"}" '{}'
    start_run "genomics compare" "{\"truth\":\"$(upload chr22_truth.vcf.gz)\",\"calls\":\"$(upload chr22_calls.vcf.gz)\",\"reference\":\"$(upload chr22_20-21M.fa)\"}" '{}'
  fi
  start_run "molecules optimize" "{\"objective\":\"$(upload celecoxib.yaml)\"}" '{"budget":1000}'
  start_run "molecules generate" "{\"model\":\"$(upload smiles-demo.model.tar)\"}" '{"count":60}'
  start_run "molecules prepare" "{\"molecules\":\"$(upload nci_1000.smi)\"}" '{"filters":"pains,brenk"}'
  start_run "proteins embed" "{\"model\":\"$(upload protein-demo.model.tar)\",\"sequences\":\"$(upload proteins.fasta)\",\"labels\":\"$(upload hydropathy.csv)\"}" '{"label_column":"hydropathy"}'
  start_run "proteins score" "{\"model\":\"$(upload protein-demo.model.tar)\",\"sequences\":\"$(upload ubiquitin.fasta)\"}" '{"scan":true}'
  if [[ -f $samples/chr22_piece.fasta ]]; then
    start_run "nucleotides score" "{\"model\":\"$(upload nucleotide-demo.model.tar)\",\"sequences\":\"$(upload chr22_piece.fasta)\"}" '{"scan":true,"strands":"both"}'
  fi
  # A few minutes of one CPU.
  start_run "proteins train" "{\"sequences\":\"$(upload uniprot_20k.fasta.gz)\"}" '{"layers":4,"hidden":64,"heads":4,"steps":300,"micro_batches":2,"max_length":512,"learning_rate":0.002,"evaluate_every":50,"name":"uniprot-demo"}'
  made='Sample runs on real data are under "Runs". '
fi

printf '\nAceso is up at %s\n\nOpen this page to log in (the link works once, within 15 minutes):\n\n    %s\n\n%sCtrl-C stops the hub.\n\n' "$url" "$(field login_url <<<"$ready")" "${made:-}"
wait "$hub"
