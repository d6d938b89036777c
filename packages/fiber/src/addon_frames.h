// Frames of other addons on a stack.
//
// N-API counts the handle scopes that are open per addon and not per stack, and aborts
// the process where a call of the addon ends with another count than it began with. So
// of all stacks one at a time may be parked inside a call of the same addon.
//
// Node and V8 keep frame pointers, so the return addresses of a stack are in a list. An
// addon that uses that register for something else ends the list: behind it all words
// count that look like addresses of an addon's code. One that is left over from an
// earlier call makes us refuse where we need not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tendril {

class AddonFrames {
 public:
  // A bit for each N-API addon; beyond 63 of them they share the last one.
  using Set = uint64_t;

  // To be called when an addon may have been loaded, in any thread. Returns how many
  // of N-API there are in the process.
  size_t Update();

  bool empty() const { return codes_.empty(); }

  // Whose code the stack from `sp` up to `top` returns to, which begins with `frame`.
  Set On(const void* frame, const void* sp, const void* top) const;

 private:
  struct Code {
    uintptr_t begin;
    uintptr_t size;
    Set bit;
  };

  Set Of(uintptr_t address) const;

  std::vector<Code> codes_;
  uintptr_t begin_ = 0;  // of all of them together
  uintptr_t size_ = 0;
};

}  // namespace tendril
