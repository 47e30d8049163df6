#!/usr/bin/env python3
"""score_mapping.py NAME=FILE.bam ...: how many reads of `aceso genomics simulate` lie where they were made, by mapping
quality: Markdown. A read is wrong if its primary line begins more than 100 bases from its true place, clipped bases
counted in; from 21 to 100 bases off it was clipped at a large indel that it could have been carried over. Reads that
were made of an inserted sequence alone have no true place and are left out."""
import re
import subprocess
import sys

CLIP = re.compile(r"^(?:\d+H)?(\d+)S")
LEAST = (0, 10, 20, 30, 60)
ASIDE, WRONG = 20, 100


def score(path):
    """Reads, by least mapping quality those mapped and wrong, and how many were clipped aside."""
    reads, aside, mapped, wrong = 0, 0, dict.fromkeys(LEAST, 0), dict.fromkeys(LEAST, 0)
    lines = subprocess.Popen(["samtools", "view", "-F", "0x900", path], stdout=subprocess.PIPE, text=True)
    for line in lines.stdout:
        name, flag, contig, position, quality, cigar = line.split("\t", 6)[:6]
        parts = name.split(":")
        true = int(parts[-2] if int(flag) & 0x80 else parts[-3])
        if true <= 0:
            continue
        reads += 1
        if int(flag) & 4:
            continue
        clip = CLIP.match(cigar)
        begin = int(position) - (int(clip.group(1)) if clip else 0)
        is_wrong = contig != parts[-1] or abs(begin - true) > WRONG
        aside += not is_wrong and abs(begin - true) > ASIDE
        for least in LEAST:
            if int(quality) >= least:
                mapped[least] += 1
                wrong[least] += is_wrong
    if lines.wait() != 0:
        sys.exit(f"{path}: samtools could not read it")
    return reads, mapped, wrong, aside


results = {}
for argument in sys.argv[1:]:
    label, path = argument.split("=", 1)
    results[label] = score(path)
labels = list(results)
beside = len(labels) > 1
print("| mapping quality at least | " + " | ".join(f"{n}: mapped, wrong" for n in labels) + " |" + " wrong, ratio |" * beside)
print("|---|" + "---|" * (len(labels) + beside))
for least in LEAST:
    cells = [f"{r[1][least] / r[0]:.2%}, {r[2][least]}" for r in results.values()]
    if beside:
        first, second = (results[n][2][least] for n in labels[:2])
        cells.append(f"{first / second:.2f}x" if second else "-")
    print(f"| {least} | " + " | ".join(cells) + " |")
print("\nClipped at large indels: " + ", ".join(f"{n} {r[3]}" for n, r in results.items()) + ".")
