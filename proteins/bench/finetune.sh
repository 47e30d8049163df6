#!/usr/bin/env bash
# finetune.sh BUILD_DIR OUT_DIR: `aceso proteins finetune` on the GB1 splits of FLIP (Dallago et al. 2021): a head alone on a language
# model whose weights are random, and head, adapter and whole net on one that was trained a few minutes before; what an adapter weighs,
# and whether it predicts the same once it is merged. Writes OUT_DIR/proteins-finetune.md, and docs/benchmarks/ unless KEEP_DOCS is set.
#   DATA (../shared/data/biomol/proteins/flip/splits/gb1), SPLITS ("sampled two_vs_rest"), PRETRAIN (300 steps), STEPS (200),
#   WORK (a folder below /tmp): may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
data=${DATA:-$root/../shared/data/biomol/proteins/flip/splits/gb1} work=${WORK:-/tmp/aceso-bench-finetune}
splits=${SPLITS:-sampled two_vs_rest} pretrain=${PRETRAIN:-300} steps=${STEPS:-200}
aceso=$build/bin/aceso page=$out/proteins-finetune.md
source "$root/tools/bench.sh"
[[ -s $data/splits.zip ]] || { echo "skipped: $data has no splits.zip" >&2; exit 0; }

mkdir -p "$work"
cd "$work"
python3 -m zipfile -e "$data/splits.zip" .
proteins=/usr/share/doc/mmseqs2/example-data/DB.fasta.gz
shape=(--layers 4 --hidden 160 --heads 4 --held-out 0.01 --threads 1 --no-report --json)
# One update with a rate of 0 leaves the weights as they were drawn.
[[ -d random ]] || "$aceso" proteins train --sequences "$proteins" "${shape[@]}" --steps 1 --learning-rate 0 --output random >random.json
[[ -d trained ]] || seconds trained "$aceso" proteins train --sequences "$proteins" "${shape[@]}" --steps "$pretrain" --output trained

# What changes lies in the first 56 residues, the domain; behind them all sequences are the same.
declare -A rate=([head]=0.01 [lora]=0.003 [full]=0.001)

# learn SPLIT BASE METHOD: a line of the table.
learn() {
  local run=$1-$2-$3
  [[ -d $run ]] || seconds "$run" "$aceso" proteins finetune --model "$2" --sequences "splits/$1.csv" --method "$3" --steps "$steps" \
    --max-length 58 --micro-batch-tokens 1024 --learning-rate "${rate[$3]}" --threads 1 --no-report --json --output "$run"
  python3 - "$run.log" "$(cpu "$run.time")" "$1" "$2" "$3" <<'END'
import json, sys
# (Warnings stand in front of it.)
m = json.loads(next(line for line in open(sys.argv[1]) if line.startswith("{")))["metrics"]
test, (cpu, split, base, method) = m["test"], sys.argv[2:]
print(f"| {split} | {base} | {method} | {test['spearman']:.3f} | {test['mean_squared_error'] ** 0.5:.3f} | {m['trained_parameters']:,} | {cpu} |")
END
}

: >"$page"
tell "# Fine-tuning on FLIP's GB1 splits"
tell
tell "$(date -u +%F), $(processor), one thread, $("$aceso" --version | head -n 1), load $(load). Base: 4 layers, 160 numbers wide; \"trained\": $pretrain updates on the 20,000 proteins of mmseqs2-examples ($(cpu trained.time) CPU seconds), \"random\": none. $steps updates of 4,096 tokens each, of the first 56 residues, where all changes are; rates 0.01 (head), 0.003 (adapter) and 0.001 (all); the weights that predicted the validation set best, before the test set."
tell
tell "| split | base | trained is | Spearman, test | RMSE, test | weights trained | CPU seconds |"
tell "|---|---|---|---|---|---|---|"
for split in $splits; do
  line=$(learn "$split" random head)
  tell "$line"
  for method in head lora full; do
    line=$(learn "$split" trained $method)
    tell "$line"
  done
done
tell
first=${splits%% *}
adapter=$first-trained-lora
[[ -d merged ]] || "$aceso" models merge --model trained --adapters "$adapter" --output merged --no-report --quiet >/dev/null
head -n 200 "splits/$first.csv" | awk -F, 'NR > 1 { print ">s" NR "\n" $1 }' >some.fasta
"$aceso" proteins predict --model trained --adapter "$adapter" --sequences some.fasta --output apart.csv --threads 1 --no-report --quiet >/dev/null
"$aceso" proteins predict --model merged --sequences some.fasta --output merged.csv --threads 1 --no-report --quiet >/dev/null
tell "$(python3 - "$adapter" <<'END'
import csv, os, sys
size = lambda folder: os.path.getsize(f"{folder}/weights.safetensors")
rows = [list(csv.reader(open(name)))[1:] for name in ("apart.csv", "merged.csv")]
far = max(abs(float(a[-1]) - float(b[-1])) for a, b in zip(*rows))
print(f"The adapter's file has {size(sys.argv[1]) / size('trained'):.1%} of the base's bytes. Merged with the base, its predictions differ by {far:.0e} at most ({len(rows[0])} sequences, six digits).")
END
)"
tell
tell "FLIP's own figures are of ESM-1b and larger models, which are downloads. Command: \`./dev bench proteins-finetune\`."
keep_page
