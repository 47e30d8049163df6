"""Proteins of genes with changes put into their coding sequence, and why amino acids of two annotations differ, for what
compares consequences with bcftools csq."""
import collections
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
    # Substitutions base by base, as they may reach over the end of the code.
    plain = [
        one
        for p, r, a in plain
        for one in ([(p + i, r[i], a[i]) for i in range(len(r))] if len(r) == len(a) else [(p, r, a)])
    ]
    letters = ""
    for a, b in sorted(spans):
        part = genome[a:b]
        for pos, old, new in sorted(plain, reverse=True):
            first, last = pos - 1, pos - 1 + len(old)
            if not new:  # a deletion takes what it reaches
                first, last = min(max(first, a), b), min(max(last, a), b)
            if a <= first and last <= b:
                part = part[: first - a] + new + part[last - a :]
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


TOLD = re.compile(r"(\d+)([A-Z*?]+)(?:\.\.(\d+))?(?:>(\d+)([A-Z*?]+)(?:\.\.(\d+))?)?")
CAUSES = {
    "unread": "csq tells `?`: the allele touches a splice site",
    "csq": "a plain translation bears out Aceso's and not csq's",
    "Aceso": "a plain translation bears out csq's and not Aceso's",
    "neither": "a plain translation bears out neither",
    "codons": "both are borne out, and show other codons",
    "numbers": "csq numbers what follows `>` in the protein of the haplotype, which gaps in front of it shift",
    "end": "csq ends with the coding sequence where Aceso reads on to the first stop behind it",
    "reference": "csq shows the reference up to the last allele where Aceso shows it to its stop",
}


def until_stop(residues):
    return residues[: residues.find("*") + 1] if "*" in residues else residues


def causes_of(ours, theirs, old, new):
    """Why what both tell of a change differs, in words of CAUSES; `old` and `new` are the proteins."""
    if ours == theirs:
        return ()
    if "?" in theirs:
        return ("unread",)
    right, theirs_right = bears_out(ours, old, new), bears_out(theirs, old, new)
    if not right or not theirs_right:
        return ("csq" if right else "Aceso" if theirs_right else "neither",)
    a, b = (list(TOLD.fullmatch(told).groups()) for told in (ours, theirs))
    for told in (a, b):
        if not told[3]:  # a synonymous change
            told[3:] = told[:3]
    alike = lambda i: a[i + 1][: len(b[i + 1])] == b[i + 1][: len(a[i + 1])]
    size = lambda told, i: int(told[i + 2]) - int(told[i]) if told[i + 2] else len(told[i + 1])
    if a[0] != b[0] or not alike(0) or not alike(3):
        return ("codons",)
    out = ["numbers"] if a[3] != b[3] else []
    if size(b, 0) < size(a, 0):
        out.append("reference")
    elif a[:3] != b[:3]:
        return ("codons",)
    if (a[4], size(a, 3)) != (b[4], size(b, 3)):
        if "*" in new or size(b, 3) >= size(a, 3):
            return ("codons",)
        out.append("end")
    return tuple(out)


class Causes:
    """Counts of pairs by what they differ in."""

    def __init__(self):
        self.counts = collections.Counter()

    def add(self, *told):
        self.counts[causes_of(*told)] += 1

    def table(self):
        out = ["| amino acids | count |", "|---|---|"]
        for names, count in sorted(self.counts.items(), key=lambda pair: -pair[1]):
            out.append(f"| {'; and '.join(CAUSES[name] for name in names) or 'the same'} | {count} |")
        return "\n".join(out)
