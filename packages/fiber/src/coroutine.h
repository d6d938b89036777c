// A native stack that V8 takes for a thread, and the switch between two.
//
//      main stack            coroutine
//    +------------+        +------------+ top
//    | libuv      |        | Run()      |   entry frames, HandleScope
//    | JavaScript |        | JavaScript |
//    | SwitchTo() | -----> | SwitchTo() |   sp_ of the one that is parked
//    +------------+        :            :
//                          +------------+ low + reserve = V8's stack limit
//                          :  C++ only  :
//                          +------------+ low (guard page below)
#pragma once

#include <v8.h>

#include <memory>
#include <new>
#include <vector>

#include "stack_pool.h"
#include "v8_state.h"

namespace tendril {

class CoroutinePool;

class Coroutine {
 public:
  // What runs on a coroutine: called on its stack with a HandleScope open.
  // Returns the coroutine to continue with; the stack is idle from then on.
  using Job = Coroutine* (*)(void* argument);

  // The stack that the thread came with.
  explicit Coroutine(V8State* v8);
  // A stack of its own. It runs nothing before the first SwitchTo().
  Coroutine(V8State* v8, const Stack& stack);
  // The stack must be idle, abandoned or never entered.
  ~Coroutine();
  Coroutine(const Coroutine&) = delete;
  Coroutine& operator=(const Coroutine&) = delete;

  void Assign(Job job, void* argument) {
    job_ = job;
    argument_ = argument;
  }

  // Parks the caller, which runs on this coroutine, and continues `to`. Returns
  // when somebody switches back. The continuation-preserved data stays with
  // each stack: what is set on return is what was set on leaving.
  void SwitchTo(Coroutine* to);

  // Forgets a parked stack without running its frames: V8's archived state is
  // freed, nothing on the stack is looked at again. The caller runs on `from`.
  void Abandon(Coroutine* from);

  bool is_main() const { return stack_.low == nullptr; }
  bool entered() const { return entered_; }
  const Stack& stack() const { return stack_; }
  // Of a parked stack: what is below is not in use.
  const void* sp() const { return sp_; }

  // Gives back the pages below its frames that a deep call has left to a stack
  // which is parked or idle. Not twice before somebody switches to it again.
  void Trim();

 private:
  static void Enter(void* self);
  void Run();
  void SwitchStack(Coroutine* to);
  void AfterRestore();
  void ForwardInterrupts() { v8_->ForwardInterrupts(left_); }

  V8State* v8_;
  int archive_id_;
  bool entered_ = false;
  Stack stack_;
  char* limit_ = nullptr;
  void* sp_ = nullptr;
  bool trimmed_ = false;
  int left_ = 0;  // the archive id of who has switched to this one
  Job job_ = nullptr;
  void* argument_ = nullptr;
  // Marks the thread's first entry into V8; its destructor frees what V8 keeps
  // for the thread. Lives here so that Abandon() can run it from elsewhere.
  alignas(v8::Locker) char locker_[sizeof(v8::Locker)];
  // The outermost handle scope, open while the stack is idle, too: V8 makes
  // handles when it restores a thread. Here for the same reason.
  struct BaseScope {
    explicit BaseScope(v8::Isolate* isolate) : scope(isolate) {}
    v8::HandleScope scope;
  };
  alignas(BaseScope) char base_scope_[sizeof(BaseScope)];
};

// Idle coroutines, ready to run without any set-up.
class CoroutinePool {
 public:
  // The geometry of a main stack: so much for JavaScript (V8's --stack-size) of so
  // much in all (ulimit -s). The rest is for C++ that is called at V8's limit and does
  // not look at it: V8's compiler of regular expressions recurses there once for each
  // nested group, ICU, OpenSSL and addons as they like.
  static constexpr size_t kJavaScript = 984 * 1024;
  static constexpr size_t kMainStack = 8 * 1024 * 1024;
  // Smaller ones leave what Node leaves in a Worker, or less; larger ones are
  // meant for deeper JavaScript.
  static constexpr size_t kLeastReserve = 64 * 1024;
  static constexpr size_t kWorkerReserve = 192 * 1024;
  static constexpr size_t kWarm = 64;
  static constexpr size_t kCrowd = 1024;

  CoroutinePool(V8State* v8, char* ceiling) : v8_(v8), stacks_(ceiling) {}

  // How many bytes below the top V8's limit is, of `size` in all.
  static size_t JavaScriptPart(size_t size);

  // For stacks whose size nobody asks for.
  void set_default_size(size_t size);

  // `stack_size` 0: the default, or less where there is no address space for that.
  // nullptr when there is none at all.
  Coroutine* Take(size_t stack_size);
  // `coroutine` is idle or never entered. The caller runs on `from`.
  void Give(Coroutine* coroutine, Coroutine* from);
  void Destroy(Coroutine* coroutine, Coroutine* from);
  void Clear(Coroutine* from);
  void TrimIdle();

  size_t idle() const { return idle_.size(); }
  size_t created() const { return created_; }
  size_t stack_bytes() const { return stacks_.bytes_in_use(); }

 private:
  Coroutine* New(size_t stack_size);
  // Of the default size, or a smaller one as long as that is not to be had.
  Coroutine* NewStandard();

  V8State* v8_;
  StackPool stacks_;
  size_t default_size_ = kMainStack;
  size_t standard_size_ = kMainStack;
  std::vector<Coroutine*> idle_;  // all of the standard size
  size_t created_ = 0;
  size_t alive_ = 0;
  size_t destroyed_ = 0;  // since memory was last given back
};

}  // namespace tendril
