#!/usr/bin/env bash
# dock.sh BUILD_DIR OUT_DIR: docking beside AutoDock Vina on the same inputs: scores of crystal poses, poses found from a
# random start, CPU seconds; one thread each. Needs shared/data's biomol/docking.
# Writes OUT_DIR/molecules-dock.md, and docs/benchmarks/molecules-dock.md unless KEEP_DOCS is set.
# 3er5, of which 30 bonds turn, is scored only, unless SCORED is empty: it alone takes Vina many minutes.
#   DATA, SCORED (3er5), EXHAUSTIVENESS (1), SEEDS ("1"), CASES (names, to run fewer), WORK: may be set.
set -euo pipefail
build=$(realpath "${1:?BUILD_DIR}") out=$(realpath "${2:?OUT_DIR}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${WORK:-/tmp/aceso-bench-dock} data=${DATA:-$root/../shared/data/biomol/docking}
exhaustiveness=${EXHAUSTIVENESS:-1} seeds=${SEEDS:-1} scored=${SCORED-3er5}
aceso=$build/bin/aceso page=$out/molecules-dock.md
source "$root/tools/bench.sh"
python3 -c "import rdkit" 2>/dev/null || python3() { /usr/bin/python3 "$@"; }
[[ -d $data ]] || { echo "$data is not there" >&2; exit 2; }
data=$(realpath "$data")

rm -rf "$work" && mkdir -p "$work"
cd "$work"
# Vina has its own names for the same: receptor, start and crystal pose of each case.
for folder in "$data"/set42/*/; do
  name=$(basename "$folder")
  mkdir "$name"
  cp "$folder/protein.pdbqt" "$name/receptor.pdbqt"
  cp "$folder/flex-xray.pdbqt" "$name/crystal.pdbqt"
  cp "$folder/rand-0.pdbqt" "$name/start.pdbqt"
done
mkdir 1iep
cp "$data/vina_1iep/1iep_receptor.pdbqt" 1iep/receptor.pdbqt
cp "$data/vina_1iep/1iep_ligand.pdbqt" 1iep/crystal.pdbqt
cp "$data/vina_1iep/1iep_ligand.pdbqt" 1iep/start.pdbqt
cases=${CASES:-$(ls)}

# The box around the crystal pose, as `aceso molecules dock --reference` draws it.
box() {
  awk '/^(ATOM|HETATM)/ { for (i = 0; i < 3; i++) { v = substr($0, 31 + 8 * i, 8) + 0
         if (!n || v < lo[i]) lo[i] = v; if (!n || v > hi[i]) hi[i] = v }; n++ }
       END { for (i = 0; i < 3; i++) { s = hi[i] - lo[i] + 8; if (s < 15) s = 15
         c[i] = (lo[i] + hi[i]) / 2; z[i] = s }
         printf "%.3f %.3f %.3f %.3f %.3f %.3f\n", c[0], c[1], c[2], z[0], z[1], z[2] }' "$1"
}

for name in $cases; do
  read -r cx cy cz sx sy sz < <(box "$name/crystal.pdbqt")
  place=(--center_x "$cx" --center_y "$cy" --center_z "$cz" --size_x "$sx" --size_y "$sy" --size_z "$sz")
  vina --receptor "$name/receptor.pdbqt" --ligand "$name/crystal.pdbqt" "${place[@]}" --score_only >"$name/vina.score"
  "$aceso" molecules dock --receptor "$name/receptor.pdbqt" --ligands "$name/crystal.pdbqt" --score-only --table "$name/score.tsv" \
    --threads 1 --quiet
  [[ " $scored " == *" $name "* ]] && continue
  for seed in $seeds; do
    seconds "$name/vina-$seed" vina --receptor "$name/receptor.pdbqt" --ligand "$name/start.pdbqt" "${place[@]}" --seed "$seed" \
      --exhaustiveness "$exhaustiveness" --cpu 1 --out "$name/vina-$seed.pdbqt"
    seconds "$name/aceso-$seed" "$aceso" molecules dock --receptor "$name/receptor.pdbqt" --ligands "$name/start.pdbqt" \
      --center="$cx,$cy,$cz" --size="$sx,$sy,$sz" --seed "$seed" --exhaustiveness "$exhaustiveness" --threads 1 \
      --output "$name/aceso-$seed.sdf"
  done
done

: >"$page"
tell "# Docking beside AutoDock Vina"
tell
tell "$(date -u +%F), $(processor), load $(load); $("$aceso" --version | head -n 1); $(vina --version) of Debian 12. The 13 complexes of the AutoDock-GPU set of 42 that are at hand (start \`rand-0\`) and 1iep (start: the crystal's own file, whose places the search does not use), one thread, exhaustiveness $exhaustiveness, seeds $seeds, the same boxes (4 Å around the crystal's ligand). Hits: the best pose within 2 Å of the crystal's, heavy atoms, symmetric atoms exchanged. ${scored:+Scored only, because it takes Vina many minutes: $scored.}"
tell
tell "$(python3 "$here/dock_table.py" "$seeds" $cases)"
tell
tell "Energies of poses are those with the receptor and within the ligand: Vina 1.2.3 takes another state for the unbound ligand than the pose, so its energies of binding differ for the same pose."
tell
tell "Command: \`./dev bench molecules-dock\`."
keep_page
