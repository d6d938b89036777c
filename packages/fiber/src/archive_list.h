// The archives that V8 keeps for ever.
//
// Each stack that is parked at the same time as others needs an archive block of
// V8's (ThreadState, about 2 KB). V8 puts them on a free list and never frees
// them, so that 30,000 fibers would leave 60 MB behind, spread over every page
// that malloc has touched. This finds that list and shortens it.
#pragma once

#include <v8.h>

#include <cstddef>

namespace tendril {

class ArchiveList {
 public:
  // Frees all but `keep` idle archives. Does nothing where the list cannot be
  // found beyond doubt. The caller holds the isolate.
  static void Shorten(v8::Isolate* isolate, const int* thread_id, size_t keep);

 private:
  // v8::internal::ThreadState; checked against the live object before use.
  struct Archive {
    int id;
    char* data;
    Archive* next;
    Archive* previous;
    void* manager;
  };

  static Archive* Find(v8::Isolate* isolate, const int* thread_id);
};

}  // namespace tendril
