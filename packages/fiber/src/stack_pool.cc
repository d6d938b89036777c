#include "stack_pool.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102  // Linux 6.13: a guard without a mapping of its own
#endif

namespace tendril {
namespace {

// Address space is taken in pieces of this size, and in smaller ones where there is a limit.
constexpr size_t kArenaBytes = 128 * 1024 * 1024;
constexpr size_t kArenaBytesWhenShort = 16 * 1024 * 1024;

// What one page of page tables maps, where pages have 4 KiB.
constexpr size_t kPerTable = 2 * 1024 * 1024;

// Left to V8 and malloc, which end the process when they get none.
constexpr size_t kBytesOfOthers = 256 * 1024 * 1024;

// What a process gets by default where /proc does not say.
constexpr size_t kDefaultMappings = 65530;
// As kBytesOfOthers.
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

// A number that stands in a file of /proc behind a name (or at its start); 0: there is none.
size_t NumberIn(const char* path, const char* format) {
  FILE* file = fopen(path, "re");
  if (!file) return 0;
  size_t number = 0;
  char line[256];
  while (fgets(line, sizeof line, file))
    if (sscanf(line, format, &number) == 1) break;
  fclose(file);
  return number;
}

// The address space of a process that may not have as much as it likes.
struct Budget {
  size_t limit = SIZE_MAX;
  size_t used = 0;

  size_t left() const { return limit > used ? limit - used : 0; }

  bool Allows(size_t bytes, size_t slot_size) const {
    if (limit == SIZE_MAX) return true;
    size_t others = slot_size > StackPool::kModest ? limit / 2 : kBytesOfOthers;
    return used + bytes + others <= limit;
  }
};

Budget AddressSpace() {
  Budget budget;
  rlimit as;
  if (getrlimit(RLIMIT_AS, &as) == 0 && as.rlim_cur != RLIM_INFINITY)
    budget = {as.rlim_cur, NumberIn("/proc/self/statm", "%zu") * StackPool::PageSize()};
  static const bool strict = NumberIn("/proc/sys/vm/overcommit_memory", "%zu") == 2;
  if (!strict) return budget;
  // MAP_NORESERVE means nothing then: what is mapped counts for all processes.
  Budget committed{NumberIn("/proc/meminfo", "CommitLimit: %zu") * 1024,
                   NumberIn("/proc/meminfo", "Committed_AS: %zu") * 1024};
  if (committed.limit == 0) return budget;
  return committed.left() < budget.left() ? committed : budget;
}

}  // namespace

size_t StackPool::SlotSize(size_t size) {
  size_t power = kMinimum;
  while (power < size) power *= 2;
  return power;
}

size_t StackPool::PageSize() {
  static const size_t size = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

// Linux 6.13 can mark pages without a split. Before it 30,000 stacks come close to all
// the mappings that a process gets.
bool StackPool::InstallGuard(Arena* arena, char* page) {
  if (madvise(page, PageSize(), MADV_GUARD_INSTALL) == 0) return true;
  if (guard_mappings.fetch_add(kSplit) + kSplit <= MaxGuardMappings() &&
      mprotect(page, PageSize(), PROT_NONE) == 0) {
    arena->splits++;
    return true;
  }
  guard_mappings -= kSplit;
  return false;
}

void StackPool::Unmap(const Arena& arena) {
  munmap(arena.mapping, arena.bytes);
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
  auto candidate = reinterpret_cast<uintptr_t>(start) & ~(kArenaBytesWhenShort - 1);
  for (int attempt = 0; attempt < 65536; attempt++) {
    if (candidate <= bytes + kArenaBytesWhenShort) break;
    candidate -= std::max(bytes, kArenaBytesWhenShort);
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
  Budget budget = AddressSpace();
  size_t slots = 0, bytes = 0;
  char* mapping = nullptr;
  for (size_t arena_bytes : {kArenaBytes, kArenaBytesWhenShort}) {
    if (mapping || (arena_bytes == kArenaBytes && budget.limit != SIZE_MAX)) continue;
    slots = std::max<size_t>(1, arena_bytes / slot_size);
    // Room to move the slots: see below.
    bytes = slots * slot_size + (slot_size >= kPerTable ? kPerTable : 0);
    if (budget.Allows(bytes, slot_size)) mapping = MapBelowCeiling(bytes);
  }
  if (!mapping) return nullptr;
  // A huge page would make the first touch of a stack cost 2 MiB.
  madvise(mapping, bytes, MADV_NOHUGEPAGE);
  char* base = mapping;
  if (slot_size >= kPerTable) {
    // The top of a stack, which is in use, and the guard of the one above it share a page
    // of page tables if slots do not begin where those do: one for each stack and not two.
    uintptr_t middle = kPerTable / 2;
    base += (middle - reinterpret_cast<uintptr_t>(mapping)) & (kPerTable - 1);
  }
  Arena arena{mapping, bytes, base, slot_size, {}, static_cast<uint16_t>(slots), 0, 0};
  return &arenas_.emplace(base, std::move(arena)).first->second;
}

bool StackPool::Allocate(size_t size, Stack* out) {
  size_t slot_size = SlotSize(size);
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
  *out = Stack{low + PageSize(), low + slot_size, slot_size};
  bytes_in_use_ += slot_size;
  return true;
}

void StackPool::Free(const Stack& stack) {
  char* low = stack.top - stack.slot;
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
  Trim(stack, stack.top);
}

void StackPool::Trim(const Stack& stack, const void* used) {
  auto end = reinterpret_cast<uintptr_t>(used) & ~(PageSize() - 1);
  auto low = reinterpret_cast<uintptr_t>(stack.low);
  if (end > low) madvise(stack.low, end - low, MADV_DONTNEED);
}

}  // namespace tendril
