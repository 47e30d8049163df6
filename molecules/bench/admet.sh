#!/usr/bin/env bash
# admet.sh BUILD_DIR OUT_DIR: the five regression nets of ADMET-AI, imported, beside their authors' recorded predictions
# for DrugBank's approved drugs. Needs shared/data's biomol/weights/admet_ai.
# Writes OUT_DIR/molecules-admet.md, and docs/benchmarks/molecules-admet.md unless KEEP_DOCS is set. WORK: may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${WORK:-/tmp/aceso-bench-admet} data=${DATA:-$root/../shared/data/biomol/weights/admet_ai}
aceso=$build/bin/aceso page=$out/molecules-admet.md
source "$root/tools/bench.sh"
[[ -d $data ]] || { echo "$data is not there" >&2; exit 2; }

rm -rf "$work" && mkdir -p "$work"
cp "$data/drugbank_approved.csv" "$work/drugs.csv"
cd "$work"
"$aceso" models import --from chemprop --weights "$data/admet_ai/resources/models/admet_regression" \
  --molecule-features rdkit-2d-normalised --output model >import.log
"$aceso" molecules predict --model model --molecules drugs.csv --output predictions.csv --threads 1 --json >predict.json
: >"$page"
tell "# ADMET-AI's nets beside their authors' predictions"
tell
tell "$(date -u +%F), $(processor), $("$aceso" --version | head -n 1), RDKit's C++ library of Debian 12. Five D-MPNNs with 200 RDKit descriptors as further inputs, averaged; the recorded predictions are ADMET-AI's own. The table of predictions has six digits."
tell
tell "$(python3 - "$work/predict.json" <<'PYTHON'
import csv, json, sys
csv.field_size_limit(10**9)
theirs, ours = (list(csv.DictReader(open(name))) for name in ("drugs.csv", "predictions.csv"))
print("| property | drugs | largest difference | relative, of at least 1 |\n|---|---|---|---|")
for name in list(ours[0])[2:]:
    pairs = [(float(a[name]), float(b[name])) for a, b in zip(theirs, ours, strict=True) if a[name] and b[name]]
    gaps = [abs(a - b) for a, b in pairs]
    relative = [abs(a - b) / max(1.0, abs(a)) for a, b in pairs]
    print(f"| {name} | {len(pairs)} | {max(gaps):.1e} | {max(relative):.1e} |")
speed = json.load(open(sys.argv[1]))["metrics"]["molecules_per_second"]
print(f"\n{speed:.0f} drugs/s on one thread.")
PYTHON
)"
tell
tell "Command: \`./dev bench molecules-admet\`."
keep_page
