"""dock_table.py SEEDS CASE...: the table of dock.sh from the files that it left in this folder."""
import csv, os, re, sys
from rdkit import Chem, RDLogger

RDLogger.DisableLog("rdApp.*")
RADII = {"C": 0.77, "N": 0.75, "O": 0.73, "S": 1.02, "P": 1.06, "F": 0.71, "Cl": 0.99, "Br": 1.14, "I": 1.33}


def pdbqt_atoms(path):
    """Heavy atoms of the first model, sorted by number: the two programs order them alike, the starts may not."""
    atoms = []
    for line in open(path):
        if line.startswith("ENDMDL"):
            break
        if line.startswith(("ATOM", "HETATM")):
            kind = line[77:79].strip()
            element = {"A": "C", "OA": "O", "NA": "N", "SA": "S"}.get(kind, kind)
            if element not in ("H", "HD"):
                atoms.append((element, tuple(float(line[i:i + 8]) for i in (30, 38, 46))))
    return atoms


def sdf_atoms(path):
    lines = open(path).read().split("$$$$")[0].splitlines()
    count = int(lines[3][:3])
    rows = [line.split() for line in lines[4:4 + count]]
    return [(r[3], tuple(map(float, r[:3]))) for r in rows if r[3] != "H"]


def graph(atoms):
    mol = Chem.RWMol()
    for element, _ in atoms:
        atom = Chem.Atom(element)
        atom.SetNoImplicit(True)
        mol.AddAtom(atom)
    for i, (a, p) in enumerate(atoms):
        for j in range(i):
            b, q = atoms[j]
            if sum((x - y) ** 2 for x, y in zip(p, q)) < (1.15 * (RADII[a] + RADII[b])) ** 2:
                mol.AddBond(i, j, Chem.BondType.SINGLE)
    return mol.GetMol()


def rmsd(atoms, crystal):
    """The least over all ways to lay one graph on the other."""
    ways = graph(atoms).GetSubstructMatches(graph(crystal), uniquify=False, maxMatches=100000)
    if not ways:
        raise SystemExit("the graphs of a pose and its crystal differ")
    return min(sum(sum((x - y) ** 2 for x, y in zip(atoms[i][1], p)) for i, (_, p) in zip(way, crystal))
               for way in ways) ** 0.5 / len(crystal) ** 0.5


def cpu(path):
    return sum(map(float, open(path).read().split()))


seeds, cases = sys.argv[1].split(), sys.argv[2:]
print("| complex | score: Vina | aceso | best energy: Vina | aceso | RMSD, Å: Vina | aceso | CPU s: Vina | aceso |")
print("|---|---|---|---|---|---|---|---|---|")
gap, hits, times, runs = 0, [0, 0], [0, 0], 0
for case in cases:
    crystal = pdbqt_atoms(f"{case}/crystal.pdbqt")
    theirs = float(re.search(r"Estimated Free Energy.*: +(\S+)", open(f"{case}/vina.score").read())[1])
    ours = float(next(csv.DictReader(open(f"{case}/score.tsv"), delimiter="\t"))["energy_kcal_per_mol"])
    gap = max(gap, abs(theirs - ours))
    if not os.path.exists(f"{case}/aceso-{seeds[0]}.time"):
        print(f"| {case} | {theirs:.3f} | {ours:.3f} |" + " |" * 6)
        continue
    cells = [[], [], []]
    for seed in seeds:
        texts = [open(f"{case}/vina-{seed}.pdbqt").read(), open(f"{case}/aceso-{seed}.sdf").read()]
        energies = [float(re.search(r"INTER \+ INTRA: +(\S+)", texts[0])[1]),
                    sum(float(re.search(rf"{part}molecular_kcal_per_mol>\n(\S+)", texts[1])[1]) for part in ("inter", "intra"))]
        far = [rmsd(pdbqt_atoms(f"{case}/vina-{seed}.pdbqt"), crystal), rmsd(sdf_atoms(f"{case}/aceso-{seed}.sdf"), crystal)]
        took = [cpu(f"{case}/{name}-{seed}.time") for name in ("vina", "aceso")]
        runs += 1
        for i in range(2):
            hits[i] += far[i] <= 2
            times[i] += took[i]
        for cell, pair in zip(cells, (energies, far, took)):
            cell.append(pair)
    show = lambda cell, i, form: ", ".join(form.format(pair[i]) for pair in cell)
    energy, far, took = cells
    print(f"| {case} | {theirs:.3f} | {ours:.3f} | {show(energy, 0, '{:.2f}')} | {show(energy, 1, '{:.2f}')} | "
          f"{show(far, 0, '{:.1f}')} | {show(far, 1, '{:.1f}')} | {show(took, 0, '{:.1f}')} | {show(took, 1, '{:.1f}')} |")
print(f"\nLargest difference of scores: {gap:.3f} kcal/mol (bar: 0.02).")
print(f"\nBest pose within 2 Å: Vina {hits[0]} of {runs} runs, aceso {hits[1]} of {runs}.")
print(f"\nCPU: Vina {times[0]:.0f} s, aceso {times[1]:.0f} s: {times[0] / times[1]:.1f} times as fast (bar: 3).")
