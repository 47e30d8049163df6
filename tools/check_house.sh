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
breach "core includes a floor above it" '#include "aceso/(graph|app|nn|genomics|hub|cli)/' core
breach "graph includes a floor above it" '#include "aceso/(app|nn|genomics|hub|cli)/' graph
breach "app includes a floor above it" '#include "aceso/(graph|nn|genomics|hub|cli)/' app
breach "a toolkit includes the hub or the command" '#include "aceso/(hub|cli)/' genomics
breach "the hub knows a toolkit" '#include "aceso/genomics/|genomics' hub/src hub/include

# Heavy and foreign headers stay in src/.
breach "a heavy header in a public one" '#include <(boost|sqlite3|openssl|spdlog|CLI|isa-l|libdeflate)' '*/include/*'

# Libraries do not print, exit or read the environment.
breach "a library prints" 'std::(cout|cerr)|[^f]printf\(|fmt::print' core/src graph app/src genomics/src genomics/include hub/src hub/include
breach "a library exits or reads the environment" 'std::exit\(|std::abort\(|[^a-z_]getenv\(' core/src graph app/src genomics/src hub/src
breach "the program is compiled for one machine" 'march=native' 'CMakeLists.txt' '*/CMakeLists.txt' cmake
breach "unfinished work" '\b(TODO|FIXME|XXX)\b' '*.hpp' '*.cpp' '*.ts' '*.tsx' '*.sh' dev ':!tools/check_house.sh'

exit "$broken"
