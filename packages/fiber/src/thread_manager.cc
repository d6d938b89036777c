#include "thread_manager.h"

#include <malloc.h>

#include <new>

#include "careful_reader.h"

namespace tendril {

namespace {

// Where malloc is likely to have put what an isolate allocated when it was made.
bool IsNear(uintptr_t address, const void* other) {
  constexpr uintptr_t kArena = 64 * 1024 * 1024;
  auto base = reinterpret_cast<uintptr_t>(other);
  return address + kArena >= base && address <= base + kArena;
}

}  // namespace

// While the thread is archived, the isolate's ThreadManager points to the archive
// that is in use for it, which has the thread's id and points back.
ThreadManager::Archive* ThreadManager::FindInUse(v8::Isolate* isolate, int id, bool only_near) {
  SnapshotReader reader;  // nobody else has this isolate to change it
  auto* words = reinterpret_cast<uintptr_t*>(isolate);
  size_t count = malloc_usable_size(isolate) / sizeof(uintptr_t);
  for (size_t i = 0; i < count; i++) {
    if (words[i] % sizeof(uintptr_t) != 0 || (only_near && !IsNear(words[i], isolate))) continue;
    uintptr_t manager[32];
    size_t readable = reader.Copy(words[i], manager, sizeof manager) / sizeof(uintptr_t);
    for (size_t k = 0; k < readable; k++) {
      if (manager[k] % sizeof(uintptr_t) != 0 || (only_near && !IsNear(manager[k], isolate)))
        continue;
      Archive archive;
      if (reader.Copy(manager[k], &archive, sizeof archive) == sizeof archive && archive.id == id &&
          reinterpret_cast<uintptr_t>(archive.manager) == words[i] && archive.data &&
          archive.next && archive.previous)
        return reinterpret_cast<Archive*>(manager[k]);
    }
  }
  return nullptr;
}

ThreadManager::Archive* ThreadManager::Find(v8::Isolate* isolate, const int* thread_id) {
  Archive* found;
  {
    v8::Unlocker archived(isolate);
    // To follow all that looks like a pointer takes as long as Node's own start.
    found = FindInUse(isolate, *thread_id, true);
    if (!found) found = FindInUse(isolate, *thread_id, false);
  }
  // Restored: now it must be on the free list, linked both ways, without an id.
  if (!found || found->id == *thread_id) return nullptr;
  CarefulReader reader;
  Archive neighbour;
  auto linked = [&](Archive* other, Archive* Archive::* back) {
    return reader.Copy(reinterpret_cast<uintptr_t>(other), &neighbour, sizeof neighbour) ==
               sizeof neighbour &&
           neighbour.*back == found && neighbour.manager == found->manager;
  };
  if (!linked(found->next, &Archive::previous) || !linked(found->previous, &Archive::next))
    return nullptr;
  return found;
}

ThreadManager::Archive* const* ThreadManager::FindNewest(v8::Isolate* isolate, int* thread_id,
                                                         int scratch) {
  Archive* own = Find(isolate, thread_id);
  if (!own) return nullptr;
  Archive* const* newest = nullptr;
  int id = *thread_id;
  v8::Unlocker leave(isolate);
  *thread_id = scratch;
  {
    v8::Locker other(isolate);  // now the thread's state is in an archive, V8's first idle one
    CarefulReader reader;
    Archive anchor;
    if (own->id == id &&
        reader.Copy(reinterpret_cast<uintptr_t>(own->previous), &anchor, sizeof anchor) ==
            sizeof anchor &&
        !anchor.data && anchor.next == own && anchor.manager == own->manager)
      newest = &own->previous->next;
  }
  *thread_id = id;
  return newest;
}

int* ThreadManager::FindOwner(v8::Isolate* isolate, int* thread_id, int scratch) {
  Archive* archive = Find(isolate, thread_id);
  if (!archive) return nullptr;
  constexpr size_t kInts = 32;
  int as_found[kInts], renamed[kInts], restored[kInts];
  CarefulReader reader;
  auto copy = [&](int* to) {
    return reader.Copy(reinterpret_cast<uintptr_t>(archive->manager), to, sizeof as_found) ==
           sizeof as_found;
  };
  auto rename = [&](int id) {
    *thread_id = id;
    v8::Unlocker cycle(isolate);
  };
  int own = *thread_id;
  bool complete = copy(as_found);
  rename(scratch);
  complete &= copy(renamed);
  rename(own);
  complete &= copy(restored);
  if (!complete) return nullptr;
  int* owner = nullptr;
  for (size_t i = 0; i < kInts; i++) {
    if (as_found[i] != own || renamed[i] != scratch || restored[i] != own) continue;
    if (owner) return nullptr;
    owner = static_cast<int*>(archive->manager) + i;
  }
  return owner;
}

void ThreadManager::ShortenArchives(v8::Isolate* isolate, const int* thread_id, size_t keep) {
  // V8 takes the newest first, so the one in use now is the head again.
  Archive* head = Find(isolate, thread_id);
  if (!head) return;
  Archive* archive = head->next;
  for (size_t kept = 0; archive->data && kept < keep; kept++) archive = archive->next;
  while (archive->data) {  // the anchor of the list has none
    Archive* next = archive->next;
    archive->previous->next = next;
    next->previous = archive->previous;
    operator delete[](archive->data);
    operator delete(archive);
    archive = next;
  }
}

}  // namespace tendril
