// What V8 has to be told when another stack runs on the same OS thread.
//
// To V8 every stack is a thread of its own: leaving one archives its state
// (v8::Unlocker), entering one restores it (~Unlocker). V8State owns what is
// needed around that for one isolate: archive ids, the lock's owner, the stack
// bounds that the garbage collector and the stack guard use, and the
// continuation-preserved data that AsyncLocalStorage lives in from Node 24 on.
#pragma once

#include <cppgc/testing.h>
#include <v8.h>

#include <optional>
#include <string>
#include <vector>

#include "interrupts.h"
#include "thread_manager.h"
#include "v8_layout.h"

namespace tendril {

#if V8_MAJOR_VERSION >= 14
using ContextFrame = v8::Local<v8::Data>;
using GlobalContextFrame = v8::Global<v8::Data>;
#else
using ContextFrame = v8::Local<v8::Value>;
using GlobalContextFrame = v8::Global<v8::Value>;
#endif

class V8State {
 public:
  V8State() = default;
  ~V8State();
  V8State(const V8State&) = delete;
  V8State& operator=(const V8State&) = delete;

  // Empty, or the reason why fibers cannot run here.
  std::string Initialize(v8::Isolate* isolate, v8::Platform* platform);

  v8::Isolate* isolate() const { return isolate_; }
  // The owning thread's stack start, as recorded before the first fiber.
  char* thread_stack_start() const { return thread_stack_start_; }

  int NewArchiveId();
  // The id's stack is gone: V8 may forget what it keeps per thread.
  void DiscardArchiveId(int id);

  // A crowd of stacks has gone: frees what V8 has kept for them.
  void ForgetArchives(size_t keep) { ThreadManager::ShortenArchives(isolate_, thread_id_, keep); }

  // From here until BecomeOwner() V8 takes the running code for thread `id`.
  void BecomeArchive(int id) { *thread_id_ = id; }

  // Running code always holds the lock under the thread's original id: the CPU
  // profiler drops samples of a thread that does not own the lock. Where the
  // owner's word is not known, an empty Unlocker changes it without moving any
  // state (lazy archiving), at about 40 ns.
  void BecomeOwner() {
    *thread_id_ = owner_id_;
    if (owner_word_) {
      __atomic_store_n(owner_word_, owner_id_, __ATOMIC_RELAXED);
    } else {
      v8::Unlocker rename(isolate_);
    }
  }

  // After a switch away from the stack with this archive id.
  void ForwardInterrupts(int left) { interrupts_.Forward(isolate_, left); }

  // The bounds of the stack that runs now. V8 rewrites the start when it
  // restores a thread, so this belongs after every restore.
  void SetStackStart(char* start) {
    for (void** word : start_words_) *word = start;
  }

  // Sets the running stack's limit. From V8 12 on the isolate also derives one
  // stack size from the limit set last, and the GC insists that the current
  // stack lies within it: a lower stack than that one has to set it again.
  void SetStackLimit(char* limit) {
    latest_limit_ = limit;
    isolate_->SetStackLimit(reinterpret_cast<uintptr_t>(limit));
  }
  void EnsureStackLimit(char* limit) {
#if V8_MAJOR_VERSION >= 12
    if (limit < latest_limit_) SetStackLimit(limit);
#endif
  }

  // While a fiber runs, the conservative scan of the C++ heap must not go from
  // a fiber's stack pointer up to the thread's stack start: there are holes.
  void EnterFibers();
  void LeaveFibers() { no_conservative_scan_.reset(); }

  // No fiber runs any more. An isolate that is disposed of in the midst of an
  // incremental marking ends that first, when nobody holds its lock: a callback
  // that enters V8 then, be it by a HandleScope, aborts the process.
  void Retire();

  ContextFrame GetContextFrame() {
#if V8_MAJOR_VERSION >= 14
    return isolate_->GetContinuationPreservedEmbedderDataV2();
#elif V8_MAJOR_VERSION >= 12
    return isolate_->GetContinuationPreservedEmbedderData();
#else
    return v8::Undefined(isolate_);
#endif
  }
  void SetContextFrame([[maybe_unused]] ContextFrame frame) {
#if V8_MAJOR_VERSION >= 14
    isolate_->SetContinuationPreservedEmbedderDataV2(frame);
#elif V8_MAJOR_VERSION >= 12
    isolate_->SetContinuationPreservedEmbedderData(frame);
#endif
  }

 private:
  static void BeforeGC(v8::Isolate*, v8::GCType, v8::GCCallbackFlags, void* self);
  static void AfterGC(v8::Isolate*, v8::GCType, v8::GCCallbackFlags, void* self);

  v8::Isolate* isolate_ = nullptr;
  int* thread_id_ = nullptr;
  int owner_id_ = 0;
  int* owner_word_ = nullptr;
  char* thread_stack_start_ = nullptr;
  char* latest_limit_ = reinterpret_cast<char*>(~uintptr_t{0});
  std::vector<void**> start_words_;
  std::optional<cppgc::testing::OverrideEmbedderStackStateScope> no_conservative_scan_;
  GlobalContextFrame frame_during_gc_;
  std::vector<int> free_ids_;
  Interrupts interrupts_;
  bool retired_ = false;
};

}  // namespace tendril
