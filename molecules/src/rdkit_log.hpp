/// \file
/// RDKit's own log.
#pragma once

#include <RDGeneral/RDLog.h>

namespace aceso::molecules {

/// RDKit writes to standard error by itself; what is wrong reaches our callers as an Error.
inline void silence_rdkit() {
  static const bool silent = [] {
    RDLog::InitLogs();
    boost::logging::disable_logs("rdApp.*");
    return true;
  }();
  (void)silent;
}

}  // namespace aceso::molecules
