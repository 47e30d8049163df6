"""compare_metrics.py OURS PICARD: files of metrics of the same name in two folders, figure by figure, as Markdown."""
import pathlib
import sys


def read(path):
    """Rows (a dict each) and the histogram's lines of a file of Picard's format."""
    rows, lines, part, head = [], {}, "", None
    for line in path.read_text().splitlines():
        if line.startswith("## METRICS") or line.startswith("## HISTOGRAM"):
            part, head = line.split()[1], None
        elif line and not line.startswith("#"):
            fields = line.split("\t")
            if head is None:
                head = fields
            elif part == "METRICS":
                rows.append(dict(zip(head, fields)))
            else:
                lines[fields[0]] = fields[1:]
    return rows, lines


def is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


shown = ("MEAN_COVERAGE", "PCT_EXC_DUPE", "PCT_EXC_OVERLAP", "PCT_10X", "PCT_30X", "HET_SNP_SENSITIVITY",
         "PF_MISMATCH_RATE", "PF_INDEL_RATE", "PCT_CHIMERAS", "MEDIAN_INSERT_SIZE", "STANDARD_DEVIATION",
         "WIDTH_OF_95_PERCENT", "AT_DROPOUT", "GC_DROPOUT", "GC_NC_20_39")
ours, theirs = (pathlib.Path(folder) for folder in sys.argv[1:3])
print("| file | figure | Aceso | Picard | difference |\n|---|---|---|---|---|")
summary = []
for path in sorted(theirs.glob("*_metrics.txt")):
    (our_rows, our_lines), (their_rows, their_lines) = read(ours / path.name), read(path)
    if len(our_rows) != len(their_rows):
        sys.exit(f"{path.name}: {len(our_rows)} rows, Picard has {len(their_rows)}")
    fields = differing = 0
    for row, (our, their) in enumerate(zip(our_rows, their_rows)):
        for name, value in their.items():
            if not is_number(value):
                continue
            fields += 1
            same = our.get(name) == value
            differing += not same
            last = row == len(our_rows) - 1 and "detail" not in path.name
            if not same or (last and name in shown):
                gap = float(our[name]) - float(value) if name in our else float("nan")
                print(f"| {path.name} | {name} | {our.get(name, 'none')} | {value} | {gap:.6g} |")
    bins = sum(our_lines.get(key) != value for key, value in their_lines.items())
    summary.append(f"{path.name}: {fields - differing} of {fields} figures and "
                   f"{len(their_lines) - bins} of {len(their_lines)} lines of the histogram are the same, to the last digit written.")
print()
print("\n".join(f"- {line}" for line in summary))
