// System V AMD64 ABI, section 3.2.1: rbx, rbp, r12-r15 belong to the caller.
// mxcsr and the x87 control word do too, but every stack here belongs to one
// OS thread and nothing in Node changes them per call, so they are left alone.
#if defined(__x86_64__)

#include <cstdint>

#include "platform/switch.h"

asm(R"(
.text
.p2align 4
.globl tendril_switch_stack
.hidden tendril_switch_stack
.type tendril_switch_stack, @function
tendril_switch_stack:
  .cfi_startproc
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .cfi_endproc
.size tendril_switch_stack, .-tendril_switch_stack

.p2align 4
.globl tendril_entry_x64
.hidden tendril_entry_x64
.type tendril_entry_x64, @function
tendril_entry_x64:
  .cfi_startproc
  .cfi_undefined rip
  movq %r12, %rdi
  callq *%rbx
  ud2
  .cfi_endproc
.size tendril_entry_x64, .-tendril_entry_x64
)");

extern "C" void tendril_entry_x64();

namespace tendril {

const void* FrameOf(const void* sp) { return static_cast<void* const*>(sp)[5]; }  // rbp

void* PrepareStack(void* top, EntryPoint entry, void* argument) {
  // The call in tendril_entry_x64 pushes 8 bytes, so the stack pointer has to
  // be a multiple of 16 there: entry() then starts with rsp % 16 == 8, as the
  // ABI demands. Node 26 crashes on the first aligned SSE store otherwise.
  auto* frame = reinterpret_cast<uintptr_t*>(reinterpret_cast<uintptr_t>(top) & ~uintptr_t{15});
  *--frame = 0;  // keeps the frame below aligned, and ends a naive backtrace
  *--frame = 0;
  *--frame = reinterpret_cast<uintptr_t>(&tendril_entry_x64);
  *--frame = 0;                                       // rbp
  *--frame = reinterpret_cast<uintptr_t>(entry);      // rbx
  *--frame = reinterpret_cast<uintptr_t>(argument);   // r12
  *--frame = 0;                                       // r13
  *--frame = 0;                                       // r14
  *--frame = 0;                                       // r15
  return frame;
}

}  // namespace tendril

#endif
