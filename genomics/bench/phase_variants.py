#!/usr/bin/env python3
"""phase_variants.py VARIANTS.vcf SEED: two samples whose haplotypes have each variant by chance, phased; variants that
overlap another one are left out."""
import random
import sys

random.seed(int(sys.argv[2]))
end = 0
for line in open(sys.argv[1]):
    line = line.rstrip("\n")
    if line.startswith("#CHROM"):
        print('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">')
        print(line + "\tFORMAT\tone\ttwo")
    elif line[0] == "#":
        print(line)
    else:
        columns = line.split("\t")
        alleles = [int(random.random() < 0.12) for _ in range(4)]
        if any(alleles) and int(columns[1]) > end:
            end = int(columns[1]) + len(columns[3])
            print(line + "\tGT\t{}|{}\t{}|{}".format(*alleles))
