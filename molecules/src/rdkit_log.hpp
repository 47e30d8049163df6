/// \file
/// RDKit's own log.
#pragma once

#include <RDGeneral/RDLog.h>

namespace aceso::molecules {

/// RDKit writes to standard error by itself; what is wrong reaches our callers as an Error.
inline void silence_rdkit() {
  static const bool silent = [] {
    RDLog::InitLogs();
    // Parts of RDKit switch its logs off and, in the end, on; those that are not there stay silent.
    for (RDLogger* log : {&rdDebugLog, &rdInfoLog, &rdWarningLog, &rdErrorLog}) log->reset();
    return true;
  }();
  (void)silent;
}

}  // namespace aceso::molecules
