#!/usr/bin/env bash
# moses.sh BUILD_DIR OUT_DIR: `aceso molecules evaluate` on the samples of MOSES' char-RNN (Polykovskiy et al. 2020) beside
# the metrics that its authors recorded, and `aceso molecules generate` with the published LSTM_Chem, one thread each.
# Writes OUT_DIR/molecules-moses.md, and docs/benchmarks/molecules-moses.md unless KEEP_DOCS is set.
#   DATA (shared/data/biomol beside the checkout), COUNT (10000, molecules to generate), WORK: may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${DATA:-$root/../shared/data/biomol} work=${WORK:-/tmp/aceso-bench-moses} count=${COUNT:-10000}
aceso=$build/bin/aceso page=$out/molecules-moses.md moses=$data/molecules/moses
source "$root/tools/bench.sh"
[[ -d $moses ]] || { echo "$moses: the samples of MOSES are not there; set DATA" >&2; exit 1; }
value() { python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(eval(sys.argv[2], {"d": d, "m": d["metrics"]}))' "$1" "$2"; }

mkdir -p "$work"
# Three runs of 30,000 samples lie one behind the other; the recorded metrics are the first one's.
python3 -c 'import gzip,itertools,sys; sys.stdout.writelines(itertools.islice(gzip.open(sys.argv[1], "rt"), 30001))' \
  "$moses/char_rnn_all.csv.gz" >"$work/run1.csv"
"$aceso" molecules evaluate --molecules "$work/run1.csv" --alerts "$moses/mcf.csv" --threads 1 \
  --output "$work/metrics.csv" --json >"$work/evaluate.json"
: >"$page"
tell "# molecules evaluate beside the recorded metrics of MOSES"
tell
tell "$(date -u +%F), $(processor), one thread, $("$aceso" --version | head -n 1), load $(load). 30,000 samples of MOSES' char-RNN, run 1; filters: $(value "$work/evaluate.json" 'm["filter_lists"]'). $(value "$work/evaluate.json" 'round(d["cpu_seconds"])') CPU seconds."
tell
tell "| metric | recorded | Aceso | difference |"
tell "|---|---|---|---|"
tell "$(awk -F, 'NR == FNR { ours[$1] = $2; next }
  $1 in ours { printf "| %s | %.6f | %.6f | %.1e |\n", $1, $2, ours[$1], ours[$1] - $2; next }
  { needs = $1 ~ /^FCD/ ? "the weights of ChemNet" : $1 == "NP" ? "a natural product model" : "MOSES\x27 training or test set"
    printf "| %s | %.6f | needs %s | |\n", $1, $2, needs }' "$work/metrics.csv" "$moses/metrics_char_rnn_1.csv")"
tell
weights=$data/weights/lstm_chem
if [[ -d $weights ]]; then
  "$aceso" models import --from keras --weights "$weights" --output "$work/lstm-chem" --json >/dev/null
  "$aceso" molecules generate --model "$work/lstm-chem" --count "$count" --temperature 0.75 --max-length 128 --threads 1 \
    --output "$work/generated.csv" --json >"$work/generate.json"
  tell "## molecules generate with LSTM_Chem"
  tell
  tell "$count molecules, temperature 0.75, seed 1, one thread. Its authors report 62.31 % valid molecules of 30,000 for the next checkpoint of the same training, 99.76 % of them distinct."
  tell
  tell "| | |"
  tell "|---|---|"
  tell "| sequences drawn | $(value "$work/generate.json" 'm["drawn"]') |"
  tell "| sequences a second | $(value "$work/generate.json" 'round(m["drawn_per_second"])') |"
  for metric in valid unique_1000 unique_10000 int_div int_div2; do
    tell "| $metric | $(value "$work/generate.json" "round(m['$metric'], 4)") |"
  done
  tell
fi
tell "Command: \`./dev bench molecules-moses\`."
keep_page
