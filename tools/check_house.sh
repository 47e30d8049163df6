#!/usr/bin/env bash
# Rules of the house that a compiler does not check. Prints each breach; exit 1 if there is one.
set -euo pipefail
cd "$(dirname "$0")/.."
broken=0

# breach MESSAGE PATTERN PATHS…: no tracked file below PATHS may contain PATTERN.
breach() {
  local message=$1 pattern=$2 hits
  shift 2
  hits=$(git grep -nE "$pattern" -- "$@" || true)
  [[ -z $hits ]] && return
  printf '%s:\n%s\n' "$message" "$hits"
  broken=1
}

# Arrows point down: a floor includes only those below it.
toolkits='genomics|models|molecules|nucleotides|proteins'
breach "core includes a floor above it" "#include \"aceso/(graph|nn|app|lm|$toolkits|hub|cli)/" core
breach "graph includes a floor above it" "#include \"aceso/(nn|app|lm|$toolkits|hub|cli)/" graph
breach "nn includes a floor above it" "#include \"aceso/(graph|app|lm|$toolkits|hub|cli)/" nn
breach "app includes a floor above it" "#include \"aceso/(graph|nn|lm|$toolkits|hub|cli)/" app
breach "lm includes a floor above it" "#include \"aceso/($toolkits|hub|cli)/" lm
for toolkit in ${toolkits//|/ }; do
  others=$(tr '|' '\n' <<<"$toolkits" | grep -v "^$toolkit$" | paste -sd '|')
  breach "a toolkit includes another, the hub or the command" "#include \"aceso/($others|hub|cli)/" "$toolkit"
done
breach "the hub knows a toolkit" "#include \"aceso/($toolkits)/|genomics" hub/src hub/include

# Heavy and foreign headers stay in src/.
breach "a heavy header in a public one" '#include <(boost|sqlite3|openssl|spdlog|CLI|isa-l|libdeflate|dnnl|torch|ATen|c10|GraphMol|RDGeneral|yaml-cpp|hdf5)' '*/include/*'

# Libraries do not print, exit or read the environment.
breach "a library prints" 'std::(cout|cerr)|[^f]printf\(|fmt::print' core/src graph nn/src lm/src app/src genomics/src genomics/include models/src molecules/src nucleotides/src proteins/src hub/src hub/include
breach "a library exits or reads the environment" 'std::exit\(|std::abort\(|[^a-z_]getenv\(' core/src graph nn/src lm/src app/src genomics/src models/src molecules/src nucleotides/src proteins/src hub/src
breach "the program is compiled for one machine" 'march=native' 'CMakeLists.txt' '*/CMakeLists.txt' cmake
breach "unfinished work" '\b(TODO|FIXME|XXX)\b' '*.hpp' '*.cpp' '*.ts' '*.tsx' '*.sh' dev ':!tools/check_house.sh'

# Data and what runs leave behind do not belong here.
strays=$(git ls-files | grep -E '^[^/]*\.(html|json)$|\.(bam|bai|cram|crai|tbi|fq|fastq|safetensors)(\.gz)?$|\.report\.(html|json)$|^[^/]*\.vcf' | grep -Ev '^(CMakePresets\.json|[a-z]+/tests/|tests/)' || true)
if [[ -n $strays ]]; then
  printf 'a file of data or of a run:\n%s\n' "$strays"
  broken=1
fi

exit "$broken"
