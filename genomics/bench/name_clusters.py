"""name_clusters.py IN1 IN2 OUT1 OUT2: reads of `genomics simulate` under Illumina's names.

Of the copies of a fragment 40 % stand within 110 pixels of it in x and y, 20 % on its tile but farther away in y, the others anywhere.
Places stay below 32768: Picard keeps them as 16-bit numbers, and larger ones wrap around there.
"""
import gzip
import random
import sys

TILES = (1101, 1102, 2103)


def records(path):
    with gzip.open(path, "rt") as text:
        while True:
            record = [text.readline().rstrip("\n") for _ in range(4)]
            if not record[0]:
                return
            yield record


def place(kind, others, rng):
    """Where the cluster of a read stands; `others` are those of the same fragment."""
    draw = rng.random()
    if kind == "dup" and others and draw < 0.6:
        tile, x, y = rng.choice(others)
        if draw < 0.4:
            return tile, max(x + rng.randint(-110, 110), 0), max(y + rng.randint(-110, 110), 0)
        return tile, x, y + rng.randint(150, 2500)
    return rng.choice(TILES), rng.randrange(30000), rng.randrange(30000)


def main():
    rng = random.Random(3)
    clusters, used = {}, set()
    with open(sys.argv[3], "w") as out1, open(sys.argv[4], "w") as out2:
        for one, two in zip(records(sys.argv[1]), records(sys.argv[2])):
            kind, rest = one[0][1:].split(".", 1)
            fragment = clusters.setdefault(rest.split(":", 1)[1], [])
            where = place(kind, fragment, rng)
            while where in used:
                where = place(kind, fragment, rng)
            used.add(where)
            fragment.append(where)
            name = "@SIM:1:FC:1:{}:{}:{}".format(*where)
            out1.write("\n".join([name, *one[1:]]) + "\n")
            out2.write("\n".join([name, *two[1:]]) + "\n")


main()
