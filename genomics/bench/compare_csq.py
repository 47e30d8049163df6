#!/usr/bin/env python3
"""compare_csq.py OURS.vcf CSQ.vcf GENOME.fa GENES.gff3: how many consequences of two annotations agree, and, where the
amino acids of both differ, why."""
import collections
import sys

from csq_proteins import Causes, protein, read_genes


def read(path):
    out = {}
    for line in open(path):
        if line[0] == "#":
            continue
        columns = line.rstrip("\n").split("\t")
        effects, residues = collections.defaultdict(set), {}
        for entry in columns[7].split(";"):
            if not entry.startswith("BCSQ="):
                continue
            for one in entry[5:].split(","):
                fields = one.split("|")
                # csq names no transcript for introns.
                whom = fields[1] if fields[0] == "intron" else fields[2]
                effects[whom] |= set(fields[0].lstrip("*").split("&"))
                if len(fields) > 5:
                    residues[whom] = fields[5]
        out[(int(columns[1]), columns[3], columns[4])] = (effects, residues)
    return out


ours, theirs = read(sys.argv[1]), read(sys.argv[2])
genome = "".join(line.strip() for line in open(sys.argv[3]) if line[0] != ">")
genes = read_genes(sys.argv[4])
total = same = 0
causes = Causes()
old = {whom: protein(genome, gene) for whom, gene in genes.items()}
differences = collections.Counter()
for key, (their_effects, their_residues) in theirs.items():
    our_effects, our_residues = ours[key]
    for whom in set(our_effects) | set(their_effects):
        total += 1
        a, b = our_effects.get(whom, set()), their_effects.get(whom, set())
        if a == b:
            same += 1
        else:
            differences["&".join(sorted(a)) or "nothing", "&".join(sorted(b)) or "nothing"] += 1
        if whom not in our_residues or whom not in their_residues:
            continue
        a, b = our_residues[whom], their_residues[whom]
        new = "" if a == b else protein(genome, genes[whom], [key])
        causes.add(a, b, old[whom], new)
print(f"{same} of {total} consequences agree ({100 * same / total:.2f} %). Changes of amino acids, by why they differ:\n")
print(causes.table())
print("\nMost frequent differences:\n\n| Aceso | bcftools csq | count |\n|---|---|---|")
for (a, b), count in differences.most_common(8):
    print(f"| {a} | {b} | {count} |")
