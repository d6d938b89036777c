// Fibers as JavaScript sees them: who runs, who resumed whom, what is passed.
// Knows coroutines and V8 values, and nothing of how a stack is switched.
#pragma once

#include <node.h>
#include <uv.h>
#include <v8.h>

#include <memory>
#include <string>
#include <vector>

#include "coroutine.h"
#include "slab.h"

namespace tendril {

class Engine;

class Fiber {
 public:
  enum class State { kCreated, kRunning, kSuspended, kDone };

  // Slots of the JavaScript object.
  enum Field { kNative, kFunction, kContextFrame, kName, kFieldCount };

  Fiber(Engine* engine, v8::Local<v8::Object> wrapper, size_t stack_size);
  ~Fiber();

  static Fiber* From(v8::Local<v8::Object> wrapper);

  State state() const { return state_; }
  v8::Local<v8::Object> wrapper(v8::Isolate* isolate);

 private:
  friend class Engine;

  static Coroutine* Run(void* self);
  static void OnCollected(const v8::WeakCallbackInfo<Fiber>& info);

  Engine* engine_;
  State state_ = State::kCreated;
  bool collected_ = false;  // nothing in JavaScript refers to the object any more
  bool unwinding_ = false;
  size_t stack_size_;
  Coroutine* coroutine_ = nullptr;
  Fiber* resumer_ = nullptr;  // where suspend() goes: nullptr is the main stack
  v8::Global<v8::Object> wrapper_;
  // All fibers that own a coroutine, in a list of their own.
  Fiber* next_ = nullptr;
  Fiber* previous_ = nullptr;
};

// Everything that belongs to one JavaScript thread (a Node environment).
class Engine {
 public:
  using Arguments = v8::FunctionCallbackInfo<v8::Value>;

  // nullptr, with the reason in *reason, where fibers cannot run.
  static Engine* Create(v8::Local<v8::Context> context, std::string* reason);

  // Makes the native side of a new JavaScript object, which owns it. False: no
  // memory is left.
  bool NewFiber(v8::Local<v8::Object> wrapper, size_t stack_size);

  // Each either switches and later delivers into `info`, or throws.
  void Resume(Fiber* fiber, const Arguments& info);
  void Throw(Fiber* fiber, const Arguments& info);
  void Suspend(const Arguments& info);
  void Transfer(Fiber* fiber, const Arguments& info);

  Fiber* current() const { return current_; }
  v8::Isolate* isolate() const { return v8_.isolate(); }
  V8State& v8() { return v8_; }
  v8::Local<v8::Context> context() const { return context_.Get(v8_.isolate()); }

  size_t live() const { return live_; }
  const CoroutinePool& pool() const { return *pool_; }

  // Throws the typed error that lib/errors.ts makes for `code`.
  void ThrowCoded(const char* code);
  void set_error_factory(v8::Local<v8::Function> factory) {
    error_factory_.Reset(v8_.isolate(), factory);
  }

 private:
  friend class Fiber;

  // What one side of a switch leaves for the other.
  enum class Message { kValue, kError, kReturned, kFailed, kTerminated };

  Engine() = default;
  ~Engine() = default;

  Coroutine* CoroutineOf(Fiber* fiber) { return fiber ? fiber->coroutine_ : main_.get(); }
  bool CheckResumable(Fiber* fiber);
  bool Prepare(Fiber* fiber);
  void SwitchAndDeliver(Fiber* to, const Arguments& info);
  v8::MaybeLocal<v8::Value> Receive(Fiber* self);
  void AddLive(Fiber* fiber);
  void RemoveLive(Fiber* fiber);

  void Unwind(Fiber* fiber);
  static void UnwindLost(uv_async_t* async);
  static void OnEnvironmentExit(void* self, void (*done)(void*), void* done_argument);

  V8State v8_;
  v8::Global<v8::Context> context_;
  v8::Global<v8::Function> error_factory_;
  std::unique_ptr<Coroutine> main_;
  std::unique_ptr<CoroutinePool> pool_;
  Fiber* current_ = nullptr;

  // A handle in the frame of the side that switched away: it stays valid while
  // that side is parked, and the receiver reads it before anything else runs.
  v8::Local<v8::Value> passed_;
  // The outcome of a fiber that ended: its frames are gone by then.
  v8::Global<v8::Value> outcome_;
  Message message_ = Message::kValue;
  Fiber* finished_ = nullptr;  // its coroutine can be given back by the receiver

  Slab<Fiber> fibers_;
  size_t live_ = 0;
  Fiber* live_list_ = nullptr;
  std::vector<Fiber*> lost_;  // suspended, and nothing can resume them
  uv_async_t lost_signal_{};
  node::AsyncCleanupHookHandle exit_hook_;
  bool exiting_ = false;
};

}  // namespace tendril
