// Interrupts that came in the middle of a switch.
//
// V8 keeps what other threads ask of an isolate (TerminateExecution, RequestInterrupt)
// in the state of the thread that runs. What comes when one stack has begun to leave is
// archived with it, and nobody hears of it before that stack goes on: a worker that spins
// in a fiber then outlives its terminate(). So whoever arrives looks into the archive of
// whoever has just left.
#pragma once

#include <v8.h>

#include "thread_manager.h"

namespace tendril {

class Interrupts {
 public:
  // Finds by experiment where an archive has the flags, once in a process. Where that
  // is not beyond doubt, Forward() does nothing. `one` and `two` are archive ids that
  // nothing uses. The calling thread holds the isolate and has a HandleScope.
  void Initialize(v8::Isolate* isolate, int* thread_id, int one, int two);

  // Asks the isolate again for what was asked of the stack that has the archive id
  // `left`, after a switch away from it.
  void Forward(v8::Isolate* isolate, int left) const {
    if (!newest_) return;
    const ThreadManager::Archive* archive = *newest_;
    if (archive->id == left) ForwardFrom(isolate, archive->data);
  }

 private:
  void ForwardFrom(v8::Isolate* isolate, const char* data) const;

  ThreadManager::Archive* const* newest_ = nullptr;
};

}  // namespace tendril
