# Sourced by benchmarks of calls, behind tools/bench.sh and once they have set `aceso`, the program.

# judge TITLE CALLS TRUTH REGIONS REFERENCE [OPTION...]: a row of the page: true and false calls, missed variants and F1 of
# SNPs and of indels, as `genomics compare` counts them.
judge() {
  "$aceso" genomics compare --truth "$3" --calls "$2" --regions "$4" --reference "$5" "${@:6}" --json --no-report --quiet 2>/dev/null >judged.json
  tell "| $1 | $(python3 - <<'END'
import json
metrics = json.load(open("judged.json"))["metrics"]
print(" | ".join(f'{m["tp"]}/{m["fp"]}/{m["fn"]} | {m["f1"]:.4f}' for m in (metrics["snp"], metrics["indel"])))
END
) |"
}
