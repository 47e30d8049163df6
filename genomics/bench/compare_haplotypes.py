#!/usr/bin/env python3
"""compare_haplotypes.py OURS.vcf CSQ.vcf GENOME.fa GENES.gff3: how many joint consequences of alleles of one haplotype
agree with those of bcftools csq, and which of them a plain translation of the haplotype bears out."""
import collections
import re
import sys

from csq_proteins import bears_out, protein, read_genes


def read(path, key):
    """Consequence and amino acids by transcript and changes, of what has several changes."""
    out = {}
    for line in open(path):
        if line[0] == "#":
            continue
        for entry in line.split("\t")[7].split(";"):
            for one in entry[5:].rstrip().split(",") if entry.startswith(key + "=") else []:
                fields = one.split("|")
                # (Without amino acids there is nothing to compare: the start is lost.)
                if len(fields) > 6 and "+" in fields[6] and fields[5]:
                    out[fields[2], fields[6]] = (set(fields[0].split("&")), fields[5])
    return out


def changes_of(text):
    return [(int(p), r, a) for p, r, a in re.findall(r"(\d+)([A-Z]+)>([A-Z]+)", text)]


ours, theirs = read(sys.argv[1], "HCSQ"), read(sys.argv[2], "BCSQ")
genome = "".join(line.strip() for line in open(sys.argv[3]) if line[0] != ">")
genes = read_genes(sys.argv[4])


def borne_out(entries):
    old = {whom: protein(genome, gene) for whom, gene in genes.items()}
    return sum(
        bears_out(residues, old[whom], protein(genome, genes[whom], changes_of(text)))
        for (whom, text), (_, residues) in entries.items()
    )


both = set(ours) & set(theirs)
same = sum(ours[k][0] == theirs[k][0] for k in both)
same_residues = sum(ours[k][1] == theirs[k][1] for k in both)
differences = collections.Counter(
    ("&".join(sorted(ours[k][0])), "&".join(sorted(theirs[k][0]))) for k in both if ours[k][0] != theirs[k][0]
)
print(f"Joint consequences: Aceso {len(ours)}, csq {len(theirs)}, {len(both)} of the same alleles; of these {same} have the same")
print(f"consequence and {same_residues} the same amino acids. A plain translation of the haplotype bears out {borne_out(ours)}")
print(f"of Aceso's {len(ours)} and {borne_out(theirs)} of csq's {len(theirs)}.")
print("\nMost frequent differences:\n\n| Aceso | bcftools csq | count |\n|---|---|---|")
for (a, b), count in differences.most_common(8):
    print(f"| {a} | {b} | {count} |")
