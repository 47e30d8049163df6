"""The peer of properties.sh: the same properties by RDKit's Python, and the comparison."""
import csv
import json
import struct
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
            rdMolDescriptors.GetMorganFingerprintAsBitVect(mol, 2, 2048),
        ])
    seconds = time.process_time() - begin
    for row in rows:
        row[-1] = " ".join(map(str, row[-1].GetOnBits()))
    with open(table, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["smiles"] + COLUMNS + ["scaffold", "morgan"])
        writer.writerows(rows)
    print(json.dumps({"molecules": len(records), "seconds": seconds}))


def read_fingerprints(path):
    """The numbers of the bits that are set, of each molecule, from "bits" U64 [n, 32] of a safetensors file."""
    data = open(path, "rb").read()
    header = 8 + struct.unpack("<Q", data[:8])[0]
    info = json.loads(data[8:header])["bits"]
    begin, end = (header + offset for offset in info["data_offsets"])
    size = 8 * info["shape"][1]
    rows = (int.from_bytes(data[at:at + size], "little") for at in range(begin, end, size))
    return [" ".join(str(bit) for bit in range(8 * size) if row >> bit & 1) for row in rows]


def compare(theirs_table, theirs_json, ours_table, ours_seconds, fingerprints):
    csv.field_size_limit(10**9)
    theirs = list(csv.DictReader(open(theirs_table)))
    ours = list(csv.DictReader(open(ours_table)))
    for row, bits in zip(ours, read_fingerprints(fingerprints), strict=True):
        row["morgan"] = bits
    measured = json.load(open(theirs_json))
    turns = [sum(map(float, line.split())) for line in open(ours_seconds)]
    speed = measured["molecules"] * len(turns) / sum(turns)
    peer = measured["molecules"] / measured["seconds"]
    assert len(ours) == len(theirs), f"{len(ours)} molecules, expected {len(theirs)}"
    print("| | RDKit's Python | Aceso | ratio |\n|---|---|---|---|")
    print(f"| molecules/s | {peer:.0f} | {speed:.0f} | {speed / peer:.1f}x |\n")
    print("| | equal of all | largest difference |\n|---|---|---|")
    for name in ["smiles", "scaffold", "morgan"]:
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
