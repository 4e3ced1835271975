#pragma once

#include "isolate/life/store.hpp"

namespace iso::jail {

/// Ends what still runs of a jail and removes what the kernel holds for it beside its processes:
/// its control group. Its directory stays. Precondition: the
/// jail is locked and has no keeper.
Result<void> clean_up(Record const& record);

/// Ends process 1 of a jail, and with it everything inside; waits until all is gone, its keeper
/// too. Needs no lock: the keeper may ask for it.
Result<void> end_jail(Record const& record);

} // namespace iso::jail
