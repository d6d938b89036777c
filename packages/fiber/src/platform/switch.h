// The one place where the processor's stack pointer changes hands.
//
// A switch saves the registers the ABI calls callee-saved on the leaving
// stack, stores the stack pointer, loads the other one and pops its registers.
// Everything else (V8's thread state, stack limits, GC bookkeeping) is the
// business of coroutine.cc. One file per ABI implements these two functions;
// an engine over OS threads would replace this seam, not its callers.
#pragma once

#include <cstddef>

namespace tendril {

using EntryPoint = void (*)(void* argument);

extern "C" {
// Saves the current context's stack pointer in *save and continues at load.
// Returns when somebody switches back to *save.
void tendril_switch_stack(void** save, void* load);
}

// The frame pointer of a context that was saved with the stack pointer `sp`: there are
// that of the frame above it and, one word behind, the address it returns to.
const void* FrameOf(const void* sp);

// Lays out a first frame below `top` so that the first switch to the returned
// stack pointer calls entry(argument) with an empty call chain above it.
// `entry` must never return.
void* PrepareStack(void* top, EntryPoint entry, void* argument);

}  // namespace tendril
