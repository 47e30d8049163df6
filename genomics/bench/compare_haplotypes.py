#!/usr/bin/env python3
"""compare_haplotypes.py OURS.vcf CSQ.vcf GENOME.fa GENES.gff3: how the joint consequences of bcftools csq are told by
Aceso: which alleles count together, with what consequence and amino acids, and why those differ."""
import collections
import re
import sys

from csq_proteins import Causes, bears_out, protein, read_genes, until_stop


def entries(path, key):
    """Fields of each entry with amino acids of a tag, once."""
    out = {}
    for line in open(path):
        if line[0] == "#":
            continue
        for tag in line.split("\t")[7].split(";"):
            for one in tag[len(key) + 1 :].rstrip().split(",") if tag.startswith(key + "=") else []:
                fields = one.split("|")
                # (Without amino acids there is nothing to compare: the start is lost.)
                if len(fields) > 6 and fields[5]:
                    out[fields[2], fields[6], fields[0][0] == "*"] = (set(fields[0].lstrip("*").split("&")), fields[5])
    return out


def changes_of(text):
    return [(int(p), r, a) for p, r, a in re.findall(r"(\d+)([A-Z]+)>([A-Z]+)", text)]


genome = "".join(line.strip() for line in open(sys.argv[3]) if line[0] != ">")
genes = read_genes(sys.argv[4])
old = {whom: protein(genome, gene) for whom, gene in genes.items()}
joint, alone = entries(sys.argv[1], "HCSQ"), entries(sys.argv[1], "BCSQ")
theirs = {key: told for key, told in entries(sys.argv[2], "BCSQ").items() if "+" in key[1]}
ours = {(whom, text): told for (whom, text, behind), told in joint.items() if not behind}
BESIDE = {"splice_region", "5_prime_utr", "3_prime_utr"}  # csq tells them in entries of their own


def translated(whom, text):
    return until_stop(protein(genome, genes[whom], changes_of(text)))


def told_of(whom, text):
    """What Aceso tells of these alleles, or of the first ones if the others change nothing of the protein."""
    parts = text.split("+") if genes[whom][0] == "+" else text.split("+")[::-1]
    for count in range(len(parts), 0, -1):
        shown = "+".join(parts[:count] if genes[whom][0] == "+" else parts[count - 1 :: -1])
        effects, residues = ours.get((whom, shown)) or (count == 1 and alone.get((whom, shown, False))) or (None, "")
        if residues and (count == len(parts) or translated(whom, shown) == translated(whom, text)):
            return effects - BESIDE, residues, count == len(parts)
    return None


behind_stop = {(whom, text) for whom, text, behind in joint if behind}
groups, effects, causes = collections.Counter(), collections.Counter(), Causes()
same_effects = 0
for (whom, text, behind), (their_effects, their_residues) in theirs.items():
    if behind and all((whom, part) in behind_stop for part in text.split("+")):
        groups["behind"] += 1
        continue
    found = told_of(whom, text)
    if not found:
        groups["other"] += 1
        groups["in frame on the reverse strand"] += genes[whom][0] == "-" and "frameshift" not in their_effects
        continue
    groups["all" if found[2] else "first"] += 1
    same_effects += found[0] == their_effects
    if found[0] != their_effects:
        effects["&".join(sorted(found[0])), "&".join(sorted(their_effects))] += 1
    causes.add(found[1], their_residues, old[whom], protein(genome, genes[whom], changes_of(text)))

right = sum(
    bears_out(residues, old[whom], protein(genome, genes[whom], changes_of(text)))
    for (whom, text), (_, residues) in ours.items()
)
print(f"csq tells {len(theirs)} joint consequences. {groups['all']} Aceso tells of the same alleles, and {groups['first']} of the first ones, as the")
print("others lie behind the stop that these make: csq counts them in, Aceso marks each by `*`. Another " + str(groups["behind"]))
print(f"lie behind a stop as a whole, and have a `*` in both. The other {groups['other']} are of alleles that Aceso does not put together,")
print(f"{groups['in frame on the reverse strand']} of them in frame on the reverse strand, where csq counts an insertion's length when it looks for the next codon.")
print(f"Of those that both tell {same_effects} have the same consequence. A plain translation of the haplotype bears out {right} of")
print(f"the {len(ours)} joint consequences that Aceso tells.\n")
print(causes.table())
print("\nMost frequent differences:\n\n| Aceso | bcftools csq | count |\n|---|---|---|")
for (a, b), count in effects.most_common(8):
    print(f"| {a} | {b} | {count} |")
print("\ncsq adds `stop_gained` to a frameshift, or `stop_retained`, where alleles behind the new stop would bring the frame back.")
