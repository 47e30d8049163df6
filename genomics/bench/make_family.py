#!/usr/bin/env python3
"""make_family.py POOL.vcf.gz FOLDER SEED: truth sets (FOLDER/NAME.vcf) of a father, a mother and two children. Each site of the
pool gets a frequency, parents draw their alleles by it, and children one of each parent's."""
import gzip
import random
import sys

pool, folder, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
random.seed(seed)
heads, records = [], []
for line in gzip.open(pool, "rt"):
    if line.startswith("##"):
        heads.append(line)
    elif line[0] != "#":
        columns = line.rstrip("\n").split("\t")
        if "," not in columns[4]:
            records.append(columns[:7])
genotypes = {name: [] for name in ("father", "mother", "child1", "child2")}
for record in records:
    frequency = random.betavariate(0.6, 1.0)
    pairs = {}
    for name in ("father", "mother"):
        pairs[name] = [int(random.random() < frequency) for _ in range(2)]
    for name in ("child1", "child2"):
        pairs[name] = [random.choice(pairs["father"]), random.choice(pairs["mother"])]
    for name, pair in pairs.items():
        if any(pair):
            genotypes[name].append(record + [".", "GT", f"{pair[0]}|{pair[1]}"])
for name, lines in genotypes.items():
    with open(f"{folder}/{name}.vcf", "w") as out:
        out.writelines(heads)
        out.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + name + "\n")
        out.writelines("\t".join(line) + "\n" for line in lines)
