// Two things in V8's ThreadManager that no public function reaches.
//
// The lock's owner: running code has to hold the lock under the thread's own id
// (see V8State::BecomeOwner), and an empty Unlocker, which renames the owner too,
// takes four mutexes for it.
//
// The archives that V8 keeps for ever:
// Each stack that is parked at the same time as others needs an archive block of
// V8's (ThreadState, about 2 KB). V8 puts them on a free list and never frees
// them, so that 30,000 fibers would leave 60 MB behind, spread over every page
// that malloc has touched. This finds that list and shortens it.
#pragma once

#include <v8.h>

#include <cstddef>

namespace tendril {

class ThreadManager {
 public:
  // The word with the owner's id; nullptr where it cannot be found beyond doubt.
  // `scratch` is an archive id that nothing uses.
  static int* FindOwner(v8::Isolate* isolate, int* thread_id, int scratch);
  // Frees all but `keep` idle archives. Does nothing where the list cannot be
  // found beyond doubt. The caller holds the isolate.
  static void ShortenArchives(v8::Isolate* isolate, const int* thread_id, size_t keep);

  // v8::internal::ThreadState; checked against the live object before use.
  struct Archive {
    int id;
    char* data;
    Archive* next;
    Archive* previous;
    void* manager;
  };

  // Where V8 has the archive that it has filled last; nullptr where that cannot be
  // found beyond doubt. `scratch` is an archive id that nothing uses.
  static Archive* const* FindNewest(v8::Isolate* isolate, int* thread_id, int scratch);

 private:
  static Archive* FindInUse(v8::Isolate* isolate, int id, bool only_near);
  // The archive of the calling thread, which is idle as long as that runs.
  static Archive* Find(v8::Isolate* isolate, const int* thread_id);
};

}  // namespace tendril
