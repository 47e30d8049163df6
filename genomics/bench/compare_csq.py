#!/usr/bin/env python3
"""compare_csq.py OURS.vcf CSQ.vcf GENOME.fa GENES.gff3: how many consequences of two annotations agree, and, where the
amino acids of both differ, which of them a plain translation of the changed coding sequence bears out."""
import collections
import re
import sys

CODE = "KNKNTTTTRSRSIIMIQHQHPPPPRRRRLLLLEDEDAAAAGGGGVVVV*Y*YSSSS*CWCLFLF"
PAIR = {"A": "T", "C": "G", "G": "C", "T": "A"}


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


def read_genes(path):
    out = {}
    for line in open(path):
        columns = line.rstrip("\n").split("\t")
        if len(columns) > 8 and columns[2] == "CDS":
            name = re.search(r"Parent=transcript:(\w+)", columns[8]).group(1)
            out.setdefault(name, (columns[6], []))[1].append((int(columns[3]) - 1, int(columns[4])))
    return out


def protein(genome, gene, change=None):
    strand, spans = gene
    letters = ""
    # Without the base before a gap, which may be another exon's, or none.
    if change and change[1][0] == change[2][0]:
        change = (change[0] + 1, change[1][1:], change[2][1:])
    for a, b in sorted(spans):
        part = genome[a:b]
        if change and a <= change[0] - 1 and change[0] - 1 + len(change[1]) <= b:
            at = change[0] - 1 - a
            part = part[:at] + change[2] + part[at + len(change[1]) :]
        letters += part
    if strand == "-":
        letters = "".join(PAIR[x] for x in reversed(letters))
    index = lambda codon: 16 * "ACGT".index(codon[0]) + 4 * "ACGT".index(codon[1]) + "ACGT".index(codon[2])
    return "".join(CODE[index(letters[i : i + 3])] for i in range(0, len(letters) - 2, 3))


def bears_out(told, old, new):
    """Whether what is told, put into the old protein, begins the new one."""
    found = re.fullmatch(r"(\d+)([A-Z*]+)(?:\.\.\d+)?(?:>\d+([A-Z*]+)(?:\.\.\d+)?)?", told or "")
    if not found:
        return False
    first, before = int(found.group(1)) - 1, found.group(2)
    after = found.group(3) or before
    end = new.find("*")
    new = new[: end + 1] if end >= 0 else new
    shown = new[first : first + len(after)]
    return old[first : first + len(before)] == before and shown == after[: len(shown)] and old[:first] == new[:first]


ours, theirs = read(sys.argv[1]), read(sys.argv[2])
genome = "".join(line.strip() for line in open(sys.argv[3]) if line[0] != ">")
genes = read_genes(sys.argv[4])
total = same = residues = same_residues = ours_right = theirs_right = judged = 0
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
        residues += 1
        if our_residues[whom] == their_residues[whom]:
            same_residues += 1
            continue
        old, new = protein(genome, genes[whom]), protein(genome, genes[whom], key)
        judged += 1
        ours_right += bears_out(our_residues[whom], old, new)
        theirs_right += bears_out(their_residues[whom], old, new)
print(f"{same} of {total} consequences agree ({100 * same / total:.2f} %), and {same_residues} of {residues} changes of amino acids.")
print(f"Of the {judged} that differ, a plain translation of the changed coding sequence bears out {ours_right} of Aceso's and {theirs_right} of csq's.")
print("\nMost frequent differences:\n\n| Aceso | bcftools csq | count |\n|---|---|---|")
for (a, b), count in differences.most_common(8):
    print(f"| {a} | {b} | {count} |")
