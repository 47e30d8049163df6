#!/usr/bin/env bash
# console_journey.sh PROGRAM SCREENSHOTS SOURCE: starts a hub with sample data and drives the console in
# headless Chromium (console/tests/journey.mjs).
set -euo pipefail
program=$1 screenshots=$2 source=$3
work=$(mktemp -d)
hub=
cleanup() {
  [[ -n $hub ]] && kill "$hub" 2>/dev/null && wait "$hub" 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT

mkfifo "$work/ready"
"$program" hub up --data "$work/data" --port 0 --json >"$work/ready" 2>"$work/hub.log" &
hub=$!
read -r ready <"$work/ready"
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$ready"; }

# Reads of the shape that the app's samples name; the real ones come with ./dev up.
node "$source/tests/make_sample_reads.mjs" "$work"
for name in lambda_reads_1.fq.gz lambda_reads_2.fq.gz rna_reads_1.fastq.gz rna_reads_2.fastq.gz; do
  curl -sS --fail -H "Authorization: Bearer $(field token)" --data-binary "@$work/$name" "$(field url)/v1/data?name=$name" >/dev/null
done

mkdir -p "$screenshots"
cd "$source/console"
URL=$(field url) LOGIN_URL=$(field login_url) SCREENSHOTS=$screenshots node tests/journey.mjs
