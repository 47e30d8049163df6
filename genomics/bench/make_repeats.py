#!/usr/bin/env python3
"""make_repeats.py BASES SEED: FASTA of a random genome of which two fifths are copies: segments of 1 to 30 thousand bases
that lie elsewhere too, some turned round, 0.2 to 6 % of their bases changed; and tandem repeats."""
import random
import sys

bases, seed = int(sys.argv[1]), int(sys.argv[2])
random.seed(seed)
BASES = "ACGT"
PAIR = str.maketrans("ACGT", "TGCA")


def fresh(length):
    return "".join(random.choices(BASES, k=length))


def changed(text, share):
    out = []
    for base in text:
        draw = random.random()
        if draw < 0.9 * share:
            out.append(random.choice(BASES.replace(base, "")))
        elif draw < 0.95 * share:
            out.append(base + fresh(random.randint(1, 8)))
        elif draw >= share:
            out.append(base)
    return "".join(out)


genome = [fresh(100_000)]
size = len(genome[0])
while size < bases:
    kind = random.random()
    if kind < 0.25:
        source = genome[random.randrange(len(genome))]
        begin = random.randrange(max(1, len(source) - 1000))
        piece = changed(source[begin:begin + random.randint(1000, 30_000)], 0.002 * 30 ** random.random())
        if random.random() < 0.5:
            piece = piece[::-1].translate(PAIR)
    elif kind < 0.3:
        unit = fresh(random.randint(2, 60))
        piece = changed(unit * (random.randint(200, 3000) // len(unit)), 0.02)
    else:
        piece = fresh(random.randint(5000, 20_000))
    genome.append(piece)
    size += len(piece)
text = "".join(genome)[:bases]
print(">repeats")
for at in range(0, len(text), 80):
    print(text[at:at + 80])
