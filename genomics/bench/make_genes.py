#!/usr/bin/env python3
"""make_genes.py FOLDER GENES SEED: a random genome with genes of several exons on both strands (genes.gff3 as
Ensembl writes it, genome.fa), and random variants in and around them (variants.vcf)."""
import os
import random
import sys

folder, gene_count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random.seed(seed)
BASES = "ACGT"
STOPS = {"TAA", "TAG", "TGA"}
PAIR = {"A": "T", "C": "G", "G": "C", "T": "A"}


def reverse(text):
    return "".join(PAIR[b] for b in reversed(text))


def codons(count):
    inner = []
    while len(inner) < count - 2:
        codon = "".join(random.choice(BASES) for _ in range(3))
        if codon not in STOPS:
            inner.append(codon)
    return "ATG" + "".join(inner) + random.choice(sorted(STOPS))


def make_gene(genome, begin, number, lines):
    """Puts a gene at 0-based `begin`; returns where it ends."""
    strand = random.choice("+-")
    exons, at = [], begin
    for _ in range(random.randint(2, 6)):
        size = random.randint(60, 240)
        exons.append((at, at + size))
        at += size + random.randint(60, 400)
    end = exons[-1][1]
    # Untranslated bases at both ends; what is coding is a whole number of codons.
    first, last = exons[0][0] + random.randint(5, 40), end - random.randint(5, 40)
    coding = [(max(a, first), min(b, last)) for a, b in exons]
    extra = sum(b - a for a, b in coding) % 3
    coding[-1] = (coding[-1][0], coding[-1][1] - extra)
    places = [p for a, b in coding for p in range(a, b)]
    letters = codons(len(places) // 3)
    for place, letter in zip(places, letters if strand == "+" else reverse(letters)):
        genome[place] = letter
    for (_, a), (b, _) in zip(exons, exons[1:]):
        genome[a : a + 2] = "GT" if strand == "+" else "CT"
        genome[b - 2 : b] = "AG" if strand == "+" else "AC"
    gene, transcript = f"G{number:05}", f"T{number:05}"

    def line(kind, a, b, phase, attributes):
        lines.append(f"1\tmade\t{kind}\t{a + 1}\t{b}\t.\t{strand}\t{phase}\t{attributes}")

    line("gene", begin, end, ".", f"ID=gene:{gene};Name=N{number};biotype=protein_coding")
    line("mRNA", begin, end, ".", f"ID=transcript:{transcript};Parent=gene:{gene};biotype=protein_coding")
    for a, b in exons:
        line("exon", a, b, ".", f"Parent=transcript:{transcript}")
    phase = 0
    phases = []
    for a, b in coding if strand == "+" else coding[::-1]:
        phases.append((a, b, phase))
        phase = (3 - (b - a - phase) % 3) % 3
    for a, b, p in sorted(phases):
        line("CDS", a, b, p, f"ID=CDS:{transcript};Parent=transcript:{transcript}")
    ends = [("five_prime_UTR", exons[0][0], coding[0][0]), ("three_prime_UTR", coding[-1][1], end)]
    for kind, a, b in ends:
        if strand == "-":
            kind = "three_prime_UTR" if kind == "five_prime_UTR" else "five_prime_UTR"
        line(kind, a, b, ".", f"Parent=transcript:{transcript}")
    return end


def make_variant(genome):
    place = random.randrange(50, len(genome) - 50)
    kind = random.random()
    if kind < 0.6:
        return place, genome[place], random.choice([b for b in BASES if b != genome[place]])
    size = random.choice([1, 1, 1, 2, 3, 3, 4, 6, 9, 12])
    if kind < 0.78:
        return place, "".join(genome[place : place + size + 1]), genome[place]
    if kind < 0.96:
        return place, genome[place], genome[place] + "".join(random.choice(BASES) for _ in range(size))
    size = random.randint(2, 4)
    old = "".join(genome[place : place + size])
    new = "".join(random.choice([b for b in BASES if b != o]) for o in old)
    return place, old, new


genome = [random.choice(BASES) for _ in range(gene_count * 2200 + 2000)]
lines, at = ["##gff-version 3"], 1000
for number in range(gene_count):
    at = make_gene(genome, at, number, lines) + random.randint(50, 200)
del genome[at + 500 :]
os.makedirs(folder, exist_ok=True)
text = "".join(genome)
with open(f"{folder}/genome.fa", "w") as out:
    out.write(">1\n" + "".join(text[i : i + 60] + "\n" for i in range(0, len(text), 60)))
with open(f"{folder}/genes.gff3", "w") as out:
    out.write("\n".join(lines) + "\n")
variants = sorted({make_variant(genome) for _ in range(len(genome) // 8)})
with open(f"{folder}/variants.vcf", "w") as out:
    out.write(f"##fileformat=VCFv4.2\n##contig=<ID=1,length={len(genome)}>\n")
    out.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
    for place, old, new in variants:
        out.write(f"1\t{place + 1}\t.\t{old}\t{new}\t.\t.\t.\n")
