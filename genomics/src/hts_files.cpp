#include "hts_files.hpp"

#include <htslib/hts_log.h>

namespace aceso::genomics {

void silence_htslib() { hts_set_log_level(HTS_LOG_OFF); }

}  // namespace aceso::genomics
