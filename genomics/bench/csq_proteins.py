"""Proteins of genes with changes put into their coding sequence, for what compares consequences with bcftools csq."""
import re

CODE = "KNKNTTTTRSRSIIMIQHQHPPPPRRRRLLLLEDEDAAAAGGGGVVVV*Y*YSSSS*CWCLFLF"
PAIR = {"A": "T", "C": "G", "G": "C", "T": "A"}


def read_genes(path):
    out = {}
    for line in open(path):
        columns = line.rstrip("\n").split("\t")
        if len(columns) > 8 and columns[2] == "CDS":
            name = re.search(r"Parent=transcript:(\w+)", columns[8]).group(1)
            out.setdefault(name, (columns[6], []))[1].append((int(columns[3]) - 1, int(columns[4])))
    return out


def protein(genome, gene, changes=()):
    """Changes are (POS, REF, ALT) of VCF lines that do not overlap."""
    strand, spans = gene
    # Without the base before a gap, which may be another exon's, or none.
    plain = [(p + 1, r[1:], a[1:]) if r[0] == a[0] else (p, r, a) for p, r, a in changes]
    letters = ""
    for a, b in sorted(spans):
        part = genome[a:b]
        for pos, old, new in sorted(plain, reverse=True):
            if a <= pos - 1 and pos - 1 + len(old) <= b:
                part = part[: pos - 1 - a] + new + part[pos - 1 - a + len(old) :]
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
