"""The peer of properties.sh: the same properties by RDKit's Python, and the comparison."""
import csv
import json
import sys
import time

COLUMNS = ["molecular_weight", "logp", "tpsa", "qed"]


def run(source, table):
    from rdkit import Chem, RDLogger
    from rdkit.Chem import Crippen, Descriptors, QED, rdMolDescriptors
    from rdkit.Chem.Scaffolds import MurckoScaffold

    RDLogger.DisableLog("rdApp.*")
    with open(source) as file:
        records = [line.split() for line in file if line.strip()]
    if records and records[0][0].lower() == "smiles":
        records.pop(0)
    rows = []
    begin = time.process_time()
    for record in records:
        mol = Chem.MolFromSmiles(record[0])
        if mol is None:
            continue
        rows.append([
            Chem.MolToSmiles(mol), Descriptors.MolWt(mol), Crippen.MolLogP(mol),
            rdMolDescriptors.CalcTPSA(mol), QED.qed(mol),
            Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(mol)),
        ])
    seconds = time.process_time() - begin
    with open(table, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["smiles"] + COLUMNS + ["scaffold"])
        writer.writerows(rows)
    print(json.dumps({"molecules": len(records), "seconds": seconds}))


def compare(theirs_table, theirs_json, ours_table, ours_json):
    theirs = list(csv.DictReader(open(theirs_table)))
    ours = list(csv.DictReader(open(ours_table)))
    measured = json.load(open(theirs_json))
    speed = json.load(open(ours_json))["metrics"]["molecules_per_second"]
    peer = measured["molecules"] / measured["seconds"]
    assert len(ours) == len(theirs), f"{len(ours)} molecules, expected {len(theirs)}"
    print("| | RDKit's Python | Aceso | ratio |\n|---|---|---|---|")
    print(f"| molecules/s | {peer:.0f} | {speed:.0f} | {speed / peer:.1f}x |\n")
    print("| | equal of all | largest difference |\n|---|---|---|")
    for name in ["smiles", "scaffold"]:
        same = sum(a[name] == b[name] for a, b in zip(ours, theirs))
        print(f"| {name} | {same} of {len(ours)} | |")
    for name in COLUMNS:
        # The table has six digits.
        gaps = [abs(float(a[name]) - float(b[name])) for a, b in zip(ours, theirs)]
        limits = [1e-5 * max(1.0, abs(float(b[name]))) for b in theirs]
        same = sum(gap <= limit for gap, limit in zip(gaps, limits))
        print(f"| {name} | {same} of {len(ours)} | {max(gaps):.1e} |")


if __name__ == "__main__":
    {"run": run, "compare": compare}[sys.argv[1]](*sys.argv[2:])
