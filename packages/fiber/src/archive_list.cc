#include "archive_list.h"

#include <malloc.h>

#include <new>

#include "careful_reader.h"

namespace tendril {

// While the thread is archived, the isolate's ThreadManager points to the archive
// that is in use for it, which has the thread's id and points back.
ArchiveList::Archive* ArchiveList::Find(v8::Isolate* isolate, const int* thread_id) {
  Archive* found = nullptr;
  CarefulReader reader;
  {
    v8::Unlocker archived(isolate);
    auto* words = reinterpret_cast<uintptr_t*>(isolate);
    size_t count = malloc_usable_size(isolate) / sizeof(uintptr_t);
    for (size_t i = 0; i < count && !found; i++) {
      uintptr_t manager[32];
      if (words[i] % sizeof(uintptr_t) != 0) continue;
      size_t readable = reader.Copy(words[i], manager, sizeof manager) / sizeof(uintptr_t);
      for (size_t k = 0; k < readable && !found; k++) {
        Archive archive;
        if (manager[k] % sizeof(uintptr_t) != 0 ||
            reader.Copy(manager[k], &archive, sizeof archive) != sizeof archive)
          continue;
        if (archive.id == *thread_id && reinterpret_cast<uintptr_t>(archive.manager) == words[i] &&
            archive.data && archive.next && archive.previous)
          found = reinterpret_cast<Archive*>(manager[k]);
      }
    }
  }
  // Restored: now it must be on the free list, linked both ways, without an id.
  if (!found || found->id == *thread_id) return nullptr;
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

void ArchiveList::Shorten(v8::Isolate* isolate, const int* thread_id, size_t keep) {
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
