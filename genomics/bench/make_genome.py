#!/usr/bin/env python3
"""make_genome.py FILE [SEED]: FASTA of a random genome with the contigs of GRCh38 (24 of them, 3.1 billion bases): 45 % are copies
of 200 families of repeats (300 to 6,000 bases, 2 to 25 % of a copy's bases changed, half of them turned round), telomeres and a
tenth of most contigs' middles are N."""
import sys

import numpy as np

path, seed = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1
draw = np.random.default_rng(seed)
LENGTHS = {
    "chr1": 248956422, "chr2": 242193529, "chr3": 198295559, "chr4": 190214555, "chr5": 181538259, "chr6": 170805979,
    "chr7": 159345973, "chr8": 145138636, "chr9": 138394717, "chr10": 133797422, "chr11": 135086622, "chr12": 133275309,
    "chr13": 114364328, "chr14": 107043718, "chr15": 101991189, "chr16": 90338345, "chr17": 83257441, "chr18": 80373285,
    "chr19": 58617616, "chr20": 64444167, "chr21": 46709983, "chr22": 50818468, "chrX": 156040895, "chrY": 57227415}
LETTERS = np.frombuffer(b"ACGT", dtype=np.uint8)
LINE, TELOMERE, CENTROMERE, SHARE = 100, 10_000, 3_000_000, 0.45
# A fifth of the families are short and three times as frequent as the others.
sizes = np.concatenate([np.full(40, 300), draw.integers(500, 6000, 160)])
families = [draw.integers(0, 4, size=int(size), dtype=np.uint8) for size in sizes]
weights = np.where(np.arange(len(families)) < 40, 3.0, 1.0)
weights /= weights.sum()


def copy_of(family):
    """A copy, perhaps without its beginning, with some bases changed."""
    out = families[family].copy()
    if len(out) > 1000:
        out = out[int(draw.integers(0, len(out) - 500)):]
    changed = draw.integers(0, len(out), size=int(draw.uniform(0.02, 0.25) * len(out)))
    out[changed] = (out[changed] + draw.integers(1, 4, size=len(changed), dtype=np.uint8)) % 4
    return 3 - out[::-1] if draw.random() < 0.5 else out


def contig(length):
    codes = draw.integers(0, 4, size=length, dtype=np.uint8)
    copied = 0
    for family in draw.choice(len(families), size=length // 400, p=weights):
        if copied > SHARE * length:
            break
        piece = copy_of(family)
        at = int(draw.integers(0, length - len(piece)))
        codes[at:at + len(piece)] = piece
        copied += len(piece)
    text = LETTERS[codes]
    text[:TELOMERE] = text[-TELOMERE:] = ord("N")
    text[length // 2:length // 2 + min(CENTROMERE, length // 20)] = ord("N")
    return text


with open(path, "wb") as out:
    for name, length in LENGTHS.items():
        text = contig(length)
        whole = length // LINE * LINE
        lines = np.full((whole // LINE, LINE + 1), ord("\n"), dtype=np.uint8)
        lines[:, :LINE] = text[:whole].reshape(-1, LINE)
        out.write(f">{name}\n".encode() + lines.tobytes() + text[whole:].tobytes() + (b"\n" if whole < length else b""))
