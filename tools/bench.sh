# Sourced by the benchmarks, once they have set `root`, the repository's folder, and `page`, the Markdown file they write.

# tell [LINE...]: puts lines on the page and shows them; without one an empty line.
tell() { printf '%s\n' "$@" | tee -a "$page"; }

# seconds NAME COMMAND...: runs a command; its CPU seconds go to NAME.time, what it says to NAME.log.
seconds() {
  local name=$1
  shift
  { TIMEFORMAT='%U %S'; time "$@" >"$name.log" 2>&1; } 2>"$name.time" || { cat "$name.log" >&2; exit 1; }
}

# cpu FILE.time...: the sum of what seconds() noted.
cpu() { awk '{ s += $1 + $2 } END { printf "%.1f", s }' "$@"; }

# ratio A B: A / B, as 0.12x.
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2fx", a / b }'; }

processor() { sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1; }
load() { cut -d' ' -f1 /proc/loadavg; }

# Puts the finished page among the documents, unless KEEP_DOCS is set.
keep_page() { [[ -n ${KEEP_DOCS:-} ]] || cp "$page" "$root/docs/benchmarks/"; }
