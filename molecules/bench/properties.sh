#!/usr/bin/env bash
# properties.sh BUILD_DIR OUT_DIR: `aceso molecules prepare` beside RDKit's Python on the same molecules, one thread
# each: parse, canonical SMILES, weight, logP, TPSA, QED, Murcko scaffold and Morgan fingerprint.
# Writes OUT_DIR/molecules-properties.md, and docs/benchmarks/molecules-properties.md unless KEEP_DOCS is set.
#   MOLECULES (shared/data's chembl_10k.smi where it is at hand, else RDKit's NCI compounds), COUNT (10000), WORK: may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${WORK:-/tmp/aceso-bench-properties} count=${COUNT:-10000}
molecules=${MOLECULES:-$root/../shared/data/biomol/molecules/chembl_10k.smi}
[[ -f $molecules ]] || molecules=/usr/share/RDKit/Data/NCI/first_5K.smi
aceso=$build/bin/aceso page=$out/molecules-properties.md
source "$root/tools/bench.sh"
python3 -c 'import rdkit' 2>/dev/null || python3() { /usr/bin/python3 "$@"; }

mkdir -p "$work"
head -n "$count" "$molecules" >"$work/in.smi"
ours() {  # also writes the CPU seconds of the whole program
  /usr/bin/time -a -o "$work/ours.seconds" -f '%U %S' "$aceso" molecules prepare --molecules "$work/in.smi" \
    --output "$work/ours.csv" --fingerprints "$work/ours.safetensors" --as-written --keep-duplicates \
    --properties molecular_weight,logp,tpsa,qed --threads 1 --json >"$work/ours.json"
}
# In turns, since the load of the machine changes.
rm -f "$work/ours.seconds"
ours
python3 "$here/properties_rdkit.py" run "$work/in.smi" "$work/theirs.csv" >"$work/theirs.json"
ours
: >"$page"
tell "# molecules prepare beside RDKit's Python"
tell
tell "$(date -u +%F), $(processor), one thread each, CPU time (of Aceso the whole program, of Python the loop alone), $("$aceso" --version | head -n 1), RDKit $(python3 -c 'import rdkit; print(rdkit.__version__)') (Debian's), $(basename "$molecules"), first $count lines, load $(load). Parse, canonical SMILES, weight, logP, TPSA, QED, Murcko scaffold and Morgan fingerprint (radius 2, 2,048 bits)."
tell
tell "$(python3 "$here/properties_rdkit.py" compare "$work/theirs.csv" "$work/theirs.json" "$work/ours.csv" "$work/ours.seconds" "$work/ours.safetensors")"
tell
tell "Command: \`./dev bench molecules-properties\`."
keep_page
