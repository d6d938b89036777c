#include "fiber.h"

#include <utility>

#include "platform/switch.h"

namespace tendril {

using v8::HandleScope;
using v8::Isolate;
using v8::Local;
using v8::MaybeLocal;
using v8::Object;
using v8::Value;

namespace {

#if V8_MAJOR_VERSION >= 14
constexpr v8::EmbedderDataTypeTag kFiberTag = v8::kEmbedderDataTypeTagDefault;
void SetNative(Local<Object> object, void* native) {
  object->SetAlignedPointerInInternalField(Fiber::kNative, native, kFiberTag);
}
void* GetNative(Local<Object> object) {
  return object->GetAlignedPointerFromInternalField(Fiber::kNative, kFiberTag);
}
#else
void SetNative(Local<Object> object, void* native) {
  object->SetAlignedPointerInInternalField(Fiber::kNative, native);
}
void* GetNative(Local<Object> object) {
  return object->GetAlignedPointerFromInternalField(Fiber::kNative);
}
#endif

// A fiber that is being unwound may catch the error and suspend again; past
// this many times its stack is dropped without running the rest.
constexpr int kUnwindAttempts = 16;

}  // namespace

// ---------------------------------------------------------------------- Fiber

Fiber::Fiber(Engine* engine, Local<Object> wrapper, size_t stack_size)
    : engine_(engine), stack_size_(stack_size) {
  SetNative(wrapper, this);
  wrapper_.Reset(engine->isolate(), wrapper);
  wrapper_.SetWeak(this, OnCollected, v8::WeakCallbackType::kParameter);
}

Fiber::~Fiber() { wrapper_.Reset(); }

Fiber* Fiber::From(Local<Object> wrapper) { return static_cast<Fiber*>(GetNative(wrapper)); }

Local<Object> Fiber::wrapper(Isolate* isolate) { return wrapper_.Get(isolate); }

// First pass of a weak callback: no V8 calls but Reset().
void Fiber::OnCollected(const v8::WeakCallbackInfo<Fiber>& info) {
  Fiber* self = info.GetParameter();
  Engine* engine = self->engine_;
  self->wrapper_.Reset();
  self->collected_ = true;
  switch (self->state_) {
    case State::kCreated:
    case State::kDone:
      if (self == engine->finished_) return;  // its receiver has not run yet
      engine->fibers_.Delete(self);
      return;
    case State::kSuspended:
      engine->lost_.push_back(self);
      uv_async_send(&engine->lost_signal_);
      return;
    case State::kRunning:
      return;  // see Engine::Suspend
  }
}

// On the fiber's own stack.
Coroutine* Fiber::Run(void* argument) {
  auto* self = static_cast<Fiber*>(argument);
  Engine* engine = self->engine_;
  engine->current_ = self;
  Isolate* isolate = engine->isolate();
  Local<v8::Context> context = engine->context();
  v8::Context::Scope context_scope(context);
  engine->NoteScopes(self);
  Local<v8::Function> function;
  {
    // Nothing on this stack may keep the JavaScript object alive: a fiber that
    // nobody can resume is found by the collection of that object.
    v8::EscapableHandleScope inner(isolate);
    Local<Object> wrapper = self->wrapper(isolate);
    function = inner.Escape(wrapper->GetInternalField(kFunction).As<Value>().As<v8::Function>());
    wrapper->SetInternalField(kFunction, v8::Undefined(isolate));
#if V8_MAJOR_VERSION >= 14
    engine->v8().SetContextFrame(wrapper->GetInternalField(kContextFrame));
#elif V8_MAJOR_VERSION >= 12
    engine->v8().SetContextFrame(wrapper->GetInternalField(kContextFrame).As<Value>());
#endif
    wrapper->SetInternalField(kContextFrame, v8::Undefined(isolate));
  }
  v8::TryCatch outcome(isolate);
  outcome.SetCaptureMessage(false);
  Local<Value> first = engine->passed_;
  Local<Value> result;
  if (function->Call(context, v8::Undefined(isolate), 1, &first).ToLocal(&result)) {
    engine->message_ = Engine::Message::kReturned;
    if (!result->IsUndefined()) engine->outcome_.Reset(isolate, result);
  } else if (outcome.HasTerminated() || !outcome.CanContinue()) {
    engine->message_ = Engine::Message::kTerminated;
  } else {
    engine->message_ = Engine::Message::kFailed;
    engine->outcome_.Reset(isolate, outcome.Exception());
  }
  self->state_ = State::kDone;
  engine->finished_ = self;
  return engine->CoroutineOf(std::exchange(self->resumer_, nullptr));
}

// --------------------------------------------------------------------- Engine

Engine* Engine::Create(Local<v8::Context> context, std::string* reason) {
  Isolate* isolate = Isolate::GetCurrent();
  auto* platform = node::GetMultiIsolatePlatform(node::GetCurrentEnvironment(context));
  auto* engine = new Engine;
  *reason = engine->v8_.Initialize(isolate, platform);
  if (!reason->empty()) {
    delete engine;
    return nullptr;
  }
  // V8 aborts when it collects WebAssembly code with a thread archived.
  v8::V8::SetFlagsFromString("--no-wasm-code-gc");
  engine->context_.Reset(isolate, context);
  engine->main_ = std::make_unique<Coroutine>(&engine->v8_);
  // Somewhere on the thread's stack: every mapping is above or below all of it.
  auto* ceiling = static_cast<char*>(__builtin_frame_address(0));
  engine->pool_ = std::make_unique<CoroutinePool>(&engine->v8_, ceiling);
  uv_async_init(node::GetCurrentEventLoop(isolate), &engine->lost_signal_, UnwindLost);
  uv_unref(reinterpret_cast<uv_handle_t*>(&engine->lost_signal_));
  engine->lost_signal_.data = engine;
  isolate->AddGCEpilogueCallback(TrimStacks, engine, v8::kGCTypeMarkSweepCompact);
  engine->exit_hook_ = node::AddEnvironmentCleanupHook(isolate, OnEnvironmentExit, engine);
  return engine;
}

bool Engine::NewFiber(Local<Object> wrapper, size_t stack_size) {
  return fibers_.New(this, wrapper, stack_size) != nullptr;
}

void Engine::ThrowCoded(const char* code) {
  Isolate* isolate = v8_.isolate();
  Local<Value> name = v8::String::NewFromUtf8(isolate, code).ToLocalChecked();
  Local<Value> error;
  if (error_factory_.IsEmpty()) {
    isolate->ThrowException(name);
  } else if (error_factory_.Get(isolate)
                 ->Call(context(), v8::Undefined(isolate), 1, &name)
                 .ToLocal(&error)) {
    isolate->ThrowException(error);
  }
}

void Engine::NoteScopes(Fiber* fiber) {
  fiber->async_id_ = ExecutionAsyncId();
  fiber->async_depth_ = async_depth_.Get();
}

bool Engine::CheckSuspendable(Fiber* fiber) {
  // The id tells nothing where the scope that was entered is one that was open already.
  bool is_same =
      ExecutionAsyncId() == fiber->async_id_ && async_depth_.Get() == fiber->async_depth_;
  if (!is_same) ThrowCoded("ERR_FIBER_CALLBACK_SCOPE");
  if (!is_same) return false;
  if (fiber->pins_ > 0) {
    ThrowCoded("ERR_FIBER_PINNED");
    return false;
  }
  if (addons_.empty()) return true;
  fiber->addons_ = AddonsOfCurrent();
  if (!IsShared(fiber->addons_)) return true;
  fiber->addons_ = 0;
  ThrowCoded("ERR_FIBER_ADDON_SCOPE");
  return false;
}

AddonFrames::Set Engine::AddonsOfCurrent() const {
  const void* top = current_ ? current_->coroutine_->stack().top : v8_.thread_stack_start();
  const void* frame = __builtin_frame_address(0);
  return addons_.On(frame, frame, top);
}

AddonFrames::Set Engine::AddonsOfResumers() const {
  if (!current_) return 0;
  auto on = [&](const Coroutine* waiting, const void* top) {
    return addons_.On(FrameOf(waiting->sp()), waiting->sp(), top);
  };
  AddonFrames::Set found = on(main_.get(), v8_.thread_stack_start());
  for (Fiber* each = current_->resumer_; each; each = each->resumer_)
    found |= on(each->coroutine_, each->coroutine_->stack().top);
  return found;
}

bool Engine::IsShared(AddonFrames::Set addons) const {
  if (addons == 0) return false;
  for (size_t bit = 0; bit < parked_in_.size(); bit++)
    if ((addons >> bit & 1) && parked_in_[bit] > 0) return true;
  return (addons & AddonsOfResumers()) != 0;
}

void Engine::Count(Fiber* fiber, int difference) {
  if (fiber->addons_ == 0) return;
  for (size_t bit = 0; bit < parked_in_.size(); bit++)
    if (fiber->addons_ >> bit & 1) parked_in_[bit] += difference;
  if (difference < 0) fiber->addons_ = 0;
}

bool Engine::CheckResumable(Fiber* fiber) {
  switch (fiber->state_) {
    case Fiber::State::kRunning:
      ThrowCoded("ERR_FIBER_RUNNING");
      return false;
    case Fiber::State::kDone:
      ThrowCoded("ERR_FIBER_DONE");
      return false;
    default:
      break;
  }
  if (exiting_) {
    ThrowCoded("ERR_FIBER_EXITING");
    return false;
  }
  if (fiber->addons_ != 0 && (fiber->addons_ & (AddonsOfCurrent() | AddonsOfResumers()))) {
    ThrowCoded("ERR_FIBER_ADDON_SCOPE");
    return false;
  }
  return true;
}

// Makes sure that there is a stack to switch to.
bool Engine::Prepare(Fiber* fiber) {
  if (!CheckResumable(fiber)) return false;
  if (fiber->coroutine_) return true;
  fiber->coroutine_ = pool_->Take(fiber->stack_size_);
  if (!fiber->coroutine_) {
    ThrowCoded("ERR_FIBER_NO_MEMORY");
    return false;
  }
  fiber->coroutine_->Assign(Fiber::Run, fiber);
  AddLive(fiber);
  return true;
}

// What the side that switched to us left. Runs first thing after a switch.
MaybeLocal<Value> Engine::Receive(Fiber* self) {
  Isolate* isolate = v8_.isolate();
  current_ = self;
  if (self) self->state_ = Fiber::State::kRunning;
  Local<Value> value = std::exchange(passed_, Local<Value>());
  if (Fiber* finished = std::exchange(finished_, nullptr)) {
    RemoveLive(finished);
    pool_->Give(std::exchange(finished->coroutine_, nullptr), CoroutineOf(self));
    if (finished->collected_) fibers_.Delete(finished);
    value = outcome_.IsEmpty() ? v8::Undefined(isolate).As<Value>() : outcome_.Get(isolate);
    outcome_.Reset();
  }
  switch (message_) {
    case Message::kValue:
    case Message::kReturned:
      return value;
    case Message::kError:
    case Message::kFailed:
      isolate->ThrowException(value);
      return {};
    case Message::kTerminated:
      // The request was consumed on the fiber's stack; this one needs its own.
      isolate->TerminateExecution();
      return {};
  }
  return {};
}

void Engine::SwitchAndDeliver(Fiber* to, const Arguments& info) {
  Fiber* self = current_;
  CoroutineOf(self)->SwitchTo(CoroutineOf(to));
  Local<Value> value;
  if (Receive(self).ToLocal(&value)) info.GetReturnValue().Set(value);
}

void Engine::Resume(Fiber* fiber, const Arguments& info) {
  if (!Prepare(fiber)) return;
  fiber->resumer_ = current_;
  fiber->state_ = Fiber::State::kRunning;
  passed_ = info[0];
  message_ = Message::kValue;
  SwitchAndDeliver(fiber, info);
}

void Engine::Throw(Fiber* fiber, const Arguments& info) {
  if (!CheckResumable(fiber)) return;
  if (fiber->state_ == Fiber::State::kCreated) {
    // Nothing has run, so nothing can catch it: the fiber ends with the error.
    fiber->state_ = Fiber::State::kDone;
    v8_.isolate()->ThrowException(info[0]);
    return;
  }
  fiber->resumer_ = current_;
  fiber->state_ = Fiber::State::kRunning;
  passed_ = info[0];
  message_ = Message::kError;
  SwitchAndDeliver(fiber, info);
}

void Engine::Suspend(const Arguments& info) {
  Fiber* self = current_;
  if (!self) return ThrowCoded("ERR_NOT_IN_FIBER");
  if (!CheckSuspendable(self)) return;
  self->state_ = Fiber::State::kSuspended;
  passed_ = info[0];
  message_ = Message::kValue;
  if (self->collected_ && !self->unwinding_) {
    lost_.push_back(self);
    uv_async_send(&lost_signal_);
  }
  Count(self, 1);
  SwitchAndDeliver(std::exchange(self->resumer_, nullptr), info);
  Count(self, -1);
  NoteScopes(self);
}

void Engine::Transfer(Fiber* fiber, const Arguments& info) {
  if (!current_) return Resume(fiber, info);
  Fiber* self = current_;
  if (!CheckSuspendable(self) || !Prepare(fiber)) return;
  self->state_ = Fiber::State::kSuspended;
  fiber->resumer_ = std::exchange(self->resumer_, nullptr);
  fiber->state_ = Fiber::State::kRunning;
  passed_ = info[0];
  message_ = Message::kValue;
  Count(self, 1);
  SwitchAndDeliver(fiber, info);
  Count(self, -1);
  NoteScopes(self);
}

void Engine::AddLive(Fiber* fiber) {
  live_++;
  fiber->next_ = live_list_;
  if (live_list_) live_list_->previous_ = fiber;
  live_list_ = fiber;
}

void Engine::RemoveLive(Fiber* fiber) {
  live_--;
  if (fiber->next_) fiber->next_->previous_ = fiber->previous_;
  (fiber->previous_ ? fiber->previous_->next_ : live_list_) = fiber->next_;
  fiber->next_ = fiber->previous_ = nullptr;
}

void Engine::TrimStacks(Isolate*, v8::GCType, v8::GCCallbackFlags, void* data) {
  auto* self = static_cast<Engine*>(data);
  self->pool_->TrimIdle();
  for (Fiber* fiber = self->live_list_; fiber; fiber = fiber->next_)
    if (fiber->state_ == Fiber::State::kSuspended) fiber->coroutine_->Trim();
}

// ------------------------------------------------------------------ clean-up

// Resumes a lost fiber with an error until it ends, so that its finally blocks
// run. On the main stack, from the event loop.
void Engine::Unwind(Fiber* fiber) {
  Isolate* isolate = v8_.isolate();
  fiber->unwinding_ = true;
  for (int attempt = 0; attempt < kUnwindAttempts; attempt++) {
    HandleScope scope(isolate);
    v8::TryCatch uncaught(isolate);
    Local<Value> code = v8::String::NewFromUtf8Literal(isolate, "ERR_FIBER_UNWOUND");
    Local<Value> error;
    if (!error_factory_.Get(isolate)
             ->Call(context(), v8::Undefined(isolate), 1, &code)
             .ToLocal(&error))
      break;
    fiber->resumer_ = nullptr;
    fiber->state_ = Fiber::State::kRunning;
    passed_ = error;
    message_ = Message::kError;
    bool ended = false;
    {
      main_->SwitchTo(fiber->coroutine_);
      ended = finished_ == fiber;
      Local<Value> ignored;
      bool failed = !Receive(nullptr).ToLocal(&ignored);
      // Any other error is one that its own clean-up threw, and nobody else
      // will ever hear of it.
      if (failed && uncaught.HasCaught() && !uncaught.HasTerminated() &&
          !uncaught.Exception()->StrictEquals(error))
        node::FatalException(isolate, uncaught);
    }
    if (ended) return;  // Receive() deleted it
  }
  fiber->state_ = Fiber::State::kDone;
  Count(fiber, -1);
  RemoveLive(fiber);
  pool_->Destroy(fiber->coroutine_, main_.get());
  fibers_.Delete(fiber);
}

void Engine::UnwindLost(uv_async_t* async) {
  auto* self = static_cast<Engine*>(async->data);
  Isolate* isolate = self->v8_.isolate();
  HandleScope scope(isolate);
  Local<v8::Context> context = self->context();
  v8::Context::Scope context_scope(context);
  node::CallbackScope callback(isolate, Object::New(isolate), {0, 0});
  while (!self->lost_.empty() && !self->exiting_) {
    Fiber* fiber = self->lost_.back();
    self->lost_.pop_back();
    self->Unwind(fiber);
  }
}

// The environment is going: no JavaScript may run any more. Parked stacks are
// dropped where they stand.
void Engine::OnEnvironmentExit(void* data, void (*done)(void*), void* done_argument) {
  auto* self = static_cast<Engine*>(data);
  self->exiting_ = true;
  HandleScope scope(self->v8_.isolate());
  while (Fiber* fiber = self->live_list_) {
    self->RemoveLive(fiber);
    if (fiber->state_ == Fiber::State::kSuspended) {
      self->pool_->Destroy(fiber->coroutine_, self->CoroutineOf(self->current_));
    }
    fiber->state_ = Fiber::State::kDone;
    fiber->coroutine_ = nullptr;
    if (fiber->collected_) self->fibers_.Delete(fiber);
  }
  self->lost_.clear();
  self->pool_->Clear(self->CoroutineOf(self->current_));
  // V8 may collect once more, when the isolate is disposed of: nothing of ours
  // may be called then.
  self->fibers_.ForEach([](Fiber* fiber) { fiber->wrapper_.Reset(); });
  // At an exit within a fiber the main stack stays archived: see BeforeGC. No
  // JavaScript runs any more that could want its stores.
  self->v8_.SetContextFrame(v8::Undefined(self->v8_.isolate()));
  self->v8_.isolate()->RemoveGCEpilogueCallback(TrimStacks, self);
  self->v8_.Retire();
  struct Closing {
    Engine* engine;
    void (*done)(void*);
    void* argument;
  };
  self->lost_signal_.data = new Closing{self, done, done_argument};
  uv_close(reinterpret_cast<uv_handle_t*>(&self->lost_signal_), [](uv_handle_t* handle) {
    auto* closing = static_cast<Closing*>(handle->data);
    // The engine itself stays: the addon's functions point to it. It holds no stacks
    // any more, and the process or thread ends soon.
    if (!closing->engine->current_) closing->engine->fibers_.Drop();
    closing->done(closing->argument);
    delete closing;
  });
}

}  // namespace tendril
