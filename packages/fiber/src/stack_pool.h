// Stacks for coroutines: address space in arenas, one guard page each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace tendril {

// [low, top): usable bytes. The page below `low` is a guard: touching it is a
// SIGSEGV and not somebody else's memory. Resident is only what was touched.
struct Stack {
  char* low = nullptr;
  char* top = nullptr;
  size_t slot = 0;  // bytes of address space, the guard included
};

// Not thread-safe: one pool belongs to one JavaScript thread.
class StackPool {
 public:
  // 4, 16 or 64 KiB on arm64, as its kernel was built.
  static size_t PageSize();
  static constexpr size_t kMinimum = 128 * 1024;
  // What is no larger than this may have all the address space but what V8 needs;
  // larger ones half of it, where there is a limit.
  static constexpr size_t kModest = 256 * 1024;
  static constexpr size_t kMaximum = 64 * 1024 * 1024;

  // Every stack handed out lies below `ceiling`, the address of the owning
  // thread's own stack: V8 12 and later take anything above it for corrupt.
  explicit StackPool(char* ceiling) : ceiling_(ceiling) {}
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  // `size`, rounded up to a power of two.
  static size_t SlotSize(size_t size);
  // False: no address space is left for
  // one of this size (ulimit -v, overcommit_memory 2), or vm.max_map_count comes
  // near where guard pages cost mappings.
  bool Allocate(size_t size, Stack* out);
  // Gives the pages back to the kernel and the addresses back to the pool; an
  // arena without users is unmapped.
  void Free(const Stack& stack);
  // Drops what is below `used`: what a deep call has left there.
  static void Trim(const Stack& stack, const void* used);

  size_t bytes_in_use() const { return bytes_in_use_; }

 private:
  struct Arena {
    char* mapping;
    size_t bytes;
    char* base;  // of the first slot
    size_t slot_size;
    std::vector<uint16_t> free;
    uint16_t slots;
    uint16_t fresh;  // slots from here on were never used: no guard page yet
    uint16_t splits;  // guard pages that cost mappings
  };

  Arena* NewArena(size_t slot_size);
  static bool InstallGuard(Arena* arena, char* page);
  static void Unmap(const Arena& arena);
  char* MapBelowCeiling(size_t bytes);

  char* ceiling_;
  char* lowest_ = nullptr;
  size_t bytes_in_use_ = 0;
  std::map<char*, Arena> arenas_;                       // by base address
  std::map<size_t, std::vector<Arena*>> with_room_;     // by slot size
};

}  // namespace tendril
