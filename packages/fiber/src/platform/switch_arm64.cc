// AAPCS64, section 6.1: x19-x28, the frame pointer x29, the link register x30
// and the low halves of v8-v15 (d8-d15) survive a call.
#if defined(__aarch64__)

#include <cstdint>

#include "platform/switch.h"

asm(R"(
.text
.p2align 4
.globl tendril_switch_stack
.hidden tendril_switch_stack
.type tendril_switch_stack, %function
tendril_switch_stack:
  .cfi_startproc
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
  .cfi_endproc
.size tendril_switch_stack, .-tendril_switch_stack

.p2align 4
.globl tendril_entry_arm64
.hidden tendril_entry_arm64
.type tendril_entry_arm64, %function
tendril_entry_arm64:
  .cfi_startproc
  .cfi_undefined x30
  mov x0, x20
  blr x19
  brk #1
  .cfi_endproc
.size tendril_entry_arm64, .-tendril_entry_arm64
)");

extern "C" void tendril_entry_arm64();

namespace tendril {

const void* FrameOf(const void* sp) { return static_cast<void* const*>(sp)[10]; }  // x29

void* PrepareStack(void* top, EntryPoint entry, void* argument) {
  // sp must stay a multiple of 16 at every access (AAPCS64, section 6.4.5).
  auto address = (reinterpret_cast<uintptr_t>(top) & ~uintptr_t{15}) - 16;
  auto* end = reinterpret_cast<uintptr_t*>(address);
  end[0] = end[1] = 0;
  auto* frame = end - 20;
  for (int i = 0; i < 20; i++) frame[i] = 0;
  frame[0] = reinterpret_cast<uintptr_t>(entry);                  // x19
  frame[1] = reinterpret_cast<uintptr_t>(argument);               // x20
  frame[11] = reinterpret_cast<uintptr_t>(&tendril_entry_arm64);  // x30
  return frame;
}

}  // namespace tendril

#endif
