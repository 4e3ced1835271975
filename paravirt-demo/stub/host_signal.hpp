#pragma once

/// The host kernel's signal frame. These headers need each other in this order.

// clang-format off
#include <linux/signal.h>
#include <asm/sigcontext.h>
#include <asm/siginfo.h>
#include <asm/ucontext.h>
// clang-format on
