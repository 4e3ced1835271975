#pragma once

/// The floating-point registers of a guest program (x87, SSE, AVX, ...), which lie in the frame
/// that the host kernel pushed in U when the program trapped, and come from there when it goes on.
/// With its FS and GS base they are what a thread has besides the registers of iso_pv_frame.

#include "paravirt-demo/stub/mapper_queue.hpp"

namespace iso::pv {

/// Of one state: what the host's XSAVE stores for a program, in whole words, then FS and GS base.
uint32_t fpu_bytes();

// Precondition of all: settle(space). U can write to its frame at any time and say that it lies
// elsewhere: what is read is its word about itself, what is written lands in its signal stack.
void save_fpu(Space& space, void* to);
void restore_fpu(Space& space, void const* from);
/// As a program starts.
void reset_fpu(Space& space);

/// Makes a state one that `xrstor` takes: unknown components and reserved bits go. FS and GS base
/// become those of `space`. False: there is nothing in it that could be kept.
bool sanitize_fpu(Space& space, void* state);

} // namespace iso::pv
