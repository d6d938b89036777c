#include "stack_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdio>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102  // Linux 6.13: a guard without a mapping of its own
#endif

namespace tendril {
namespace {

constexpr size_t kArenaBytes = 16 * 1024 * 1024;

size_t RoundUpToPowerOfTwo(size_t n) {
  size_t power = StackPool::kMinimum;
  while (power < n) power *= 2;
  return power;
}

// What a process gets by default where /proc does not say.
constexpr size_t kDefaultMappings = 65530;
// Left to V8 and malloc, which end the process when they get none.
constexpr size_t kMappingsOfOthers = 4096;

// Of all threads: mappings belong to the process.
std::atomic<size_t> guard_mappings{0};

size_t MaxGuardMappings() {
  static const size_t maximum = [] {
    size_t mappings = kDefaultMappings;
    if (FILE* file = fopen("/proc/sys/vm/max_map_count", "re")) {
      if (fscanf(file, "%zu", &mappings) != 1) mappings = kDefaultMappings;
      fclose(file);
    }
    return mappings > kMappingsOfOthers ? mappings - kMappingsOfOthers : 0;
  }();
  return maximum;
}

// mprotect() splits the arena's mapping: so many more are there per guard.
constexpr size_t kSplit = 2;

}  // namespace

// Linux 6.13 can mark pages without a split. Before it 30,000 stacks come close to all
// the mappings that a process gets.
bool StackPool::InstallGuard(Arena* arena, char* page) {
  if (madvise(page, kPage, MADV_GUARD_INSTALL) == 0) return true;
  if (guard_mappings.fetch_add(kSplit) + kSplit <= MaxGuardMappings() &&
      mprotect(page, kPage, PROT_NONE) == 0) {
    arena->splits++;
    return true;
  }
  guard_mappings -= kSplit;
  return false;
}

void StackPool::Unmap(const Arena& arena) {
  munmap(arena.base, arena.slot_size * arena.slots);
  guard_mappings -= kSplit * arena.splits;
}

StackPool::~StackPool() {
  for (auto& [base, arena] : arenas_) Unmap(arena);
}

char* StackPool::MapBelowCeiling(size_t bytes) {
  constexpr int kProtection = PROT_READ | PROT_WRITE;
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* anywhere = mmap(nullptr, bytes, kProtection, kFlags, -1, 0);
  if (anywhere == MAP_FAILED) return nullptr;
  auto* address = static_cast<char*>(anywhere);
  if (address + bytes <= ceiling_) return address;
  munmap(anywhere, bytes);
  // A worker's stack is a mapping like any other, with free space on both
  // sides: look downwards from it. NOREPLACE because other workers look too.
  char* start = lowest_ ? lowest_ : ceiling_;
  auto candidate = reinterpret_cast<uintptr_t>(start) & ~(kArenaBytes - 1);
  for (int attempt = 0; attempt < 65536; attempt++) {
    if (candidate <= bytes + kArenaBytes) break;
    candidate -= std::max(bytes, kArenaBytes);
    void* wanted = reinterpret_cast<void*>(candidate);
    void* got = mmap(wanted, bytes, kProtection, kFlags | MAP_FIXED_NOREPLACE, -1, 0);
    if (got == MAP_FAILED) continue;
    if (got != wanted) {  // a kernel before 4.17 takes the flag for a hint
      munmap(got, bytes);
      continue;
    }
    lowest_ = static_cast<char*>(got);
    return lowest_;
  }
  return nullptr;
}

StackPool::Arena* StackPool::NewArena(size_t slot_size) {
  size_t slots = std::max<size_t>(1, kArenaBytes / slot_size);
  char* base = MapBelowCeiling(slots * slot_size);
  if (!base) return nullptr;
  // A huge page would make the first touch of a stack cost 2 MiB.
  madvise(base, slots * slot_size, MADV_NOHUGEPAGE);
  Arena arena{base, slot_size, {}, static_cast<uint16_t>(slots), 0, 0};
  return &arenas_.emplace(base, std::move(arena)).first->second;
}

bool StackPool::Allocate(size_t size, Stack* out) {
  size_t slot_size = RoundUpToPowerOfTwo(size);
  auto& candidates = with_room_[slot_size];
  if (candidates.empty()) {
    Arena* arena = NewArena(slot_size);
    if (!arena) return false;
    candidates.push_back(arena);
  }
  Arena* arena = candidates.back();
  uint16_t slot;
  if (!arena->free.empty()) {
    slot = arena->free.back();
    arena->free.pop_back();
  } else {
    slot = arena->fresh;
    if (!InstallGuard(arena, arena->base + slot * slot_size)) return false;
    arena->fresh++;
  }
  if (arena->free.empty() && arena->fresh == arena->slots) candidates.pop_back();
  char* low = arena->base + slot * slot_size;
  *out = Stack{low + kPage, low + slot_size};
  bytes_in_use_ += slot_size;
  return true;
}

void StackPool::Free(const Stack& stack) {
  char* low = stack.low - kPage;
  Arena& arena = std::prev(arenas_.upper_bound(low))->second;
  bytes_in_use_ -= arena.slot_size;
  auto& candidates = with_room_[arena.slot_size];
  bool had_room = !arena.free.empty() || arena.fresh < arena.slots;
  arena.free.push_back(static_cast<uint16_t>((low - arena.base) / arena.slot_size));
  if (arena.free.size() == arena.fresh) {
    if (had_room) candidates.erase(std::find(candidates.begin(), candidates.end(), &arena));
    Unmap(arena);
    arenas_.erase(arena.base);
    return;
  }
  if (!had_room) candidates.push_back(&arena);
  Trim(stack, 0);
}

void StackPool::Trim(const Stack& stack, size_t keep) {
  madvise(stack.low, stack.size() - keep, MADV_DONTNEED);
}

}  // namespace tendril
