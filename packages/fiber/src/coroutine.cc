#include "coroutine.h"

#include <malloc.h>

#include <algorithm>

#include "platform/switch.h"

namespace tendril {

Coroutine::Coroutine(V8State* v8)
    : v8_(v8), archive_id_(v8->NewArchiveId()), entered_(true) {}

Coroutine::Coroutine(V8State* v8, const Stack& stack)
    : v8_(v8),
      archive_id_(v8->NewArchiveId()),
      stack_(stack),
      limit_(stack.top - CoroutinePool::JavaScriptPart(stack.slot)),
      sp_(PrepareStack(stack.top, Enter, this)) {}

Coroutine::~Coroutine() { v8_->DiscardArchiveId(archive_id_); }

void Coroutine::AfterRestore() {
  v8_->BecomeOwner();
  if (is_main()) {
    v8_->LeaveFibers();
    v8_->SetStackStart(v8_->thread_stack_start());
  } else {
    v8_->SetStackStart(stack_.top);
    v8_->EnsureStackLimit(limit_);
  }
}

void Coroutine::SwitchTo(Coroutine* to) {
  // A handle on this stack: V8 visits it with the archived handle scopes, and
  // nothing has to be allocated to keep the frame.
  ContextFrame frame = v8_->GetContextFrame();
  SwitchStack(to);
  v8_->SetContextFrame(frame);
}

void Coroutine::SwitchStack(Coroutine* to) {
  if (is_main()) v8_->EnterFibers();
  v8_->BecomeArchive(archive_id_);
  trimmed_ = false;
  to->left_ = archive_id_;
  {
    v8::Unlocker archived(v8_->isolate());
    tendril_switch_stack(&sp_, to->sp_);
    v8_->BecomeArchive(archive_id_);
  }
  AfterRestore();
  ForwardInterrupts();
}

void Coroutine::Trim() {
  if (trimmed_ || is_main()) return;
  StackPool::Trim(stack_, sp_);
  trimmed_ = true;
}

void Coroutine::Enter(void* self) {
  static_cast<Coroutine*>(self)->Run();
  __builtin_unreachable();
}

void Coroutine::Run() {
  v8_->BecomeArchive(archive_id_);
  new (locker_) v8::Locker(v8_->isolate());
  v8_->BecomeOwner();
  v8_->SetStackStart(stack_.top);
  v8_->SetStackLimit(limit_);
  ForwardInterrupts();
  entered_ = true;
  new (base_scope_) BaseScope(v8_->isolate());
  for (;;) {
    Coroutine* next;
    {
      v8::HandleScope handles(v8_->isolate());
      next = job_(argument_);
    }
    SwitchStack(next);  // idle: a context frame would only be kept alive
  }
}

void Coroutine::Abandon(Coroutine* from) {
  if (!entered_) return;
  v8::Isolate* isolate = v8_->isolate();
  v8_->BecomeArchive(from->archive_id_);
  {
    v8::Unlocker archived(isolate);
    v8_->BecomeArchive(archive_id_);
    // Restores the state of the parked stack. Its destructor must not run: it
    // would archive again. The first locker's destructor frees instead.
    alignas(v8::Locker) char restored[sizeof(v8::Locker)];
    new (restored) v8::Locker(isolate);
    // V8 frees handle blocks when their scope closes, not with the thread.
    reinterpret_cast<BaseScope*>(base_scope_)->~BaseScope();
    reinterpret_cast<v8::Locker*>(locker_)->~Locker();
    v8_->BecomeArchive(from->archive_id_);
  }
  from->AfterRestore();
}

size_t CoroutinePool::JavaScriptPart(size_t size) {
  size_t reserve = std::clamp(size / 4, kLeastReserve, kWorkerReserve);
  size_t beyond = size > kMainStack ? size - kMainStack : 0;
  return std::min(size - reserve, kJavaScript + beyond);
}

void CoroutinePool::set_default_size(size_t size) {
  default_size_ = standard_size_ = StackPool::SlotSize(size);
}

Coroutine* CoroutinePool::New(size_t stack_size) {
  Stack stack;
  if (!stacks_.Allocate(stack_size, &stack)) return nullptr;
  created_++;
  alive_++;
  return new Coroutine(v8_, stack);
}

Coroutine* CoroutinePool::NewStandard() {
  if (alive_ == 0) standard_size_ = default_size_;
  for (;;) {
    if (Coroutine* coroutine = New(standard_size_)) return coroutine;
    if (standard_size_ <= StackPool::kModest) return nullptr;
    standard_size_ = std::max(standard_size_ / 8, StackPool::kModest);
  }
}

Coroutine* CoroutinePool::Take(size_t stack_size) {
  if (stack_size != 0) return New(stack_size);
  if (idle_.empty()) return NewStandard();
  Coroutine* coroutine = idle_.back();
  idle_.pop_back();
  return coroutine;
}

void CoroutinePool::Give(Coroutine* coroutine, Coroutine* from) {
  bool standard = coroutine->stack().slot == standard_size_;
  if (standard && idle_.size() < kWarm) {
    idle_.push_back(coroutine);
  } else {
    Destroy(coroutine, from);
  }
}

void CoroutinePool::Destroy(Coroutine* coroutine, Coroutine* from) {
  coroutine->Abandon(from);
  stacks_.Free(coroutine->stack());
  delete coroutine;
  alive_--;
  // V8's handle blocks of 8 KB go back to malloc one by one, between others that
  // stay, so glibc would keep every page. Once, when a crowd has gone.
  if (++destroyed_ >= kCrowd && alive_ <= kWarm) {
    v8_->ForgetArchives(kWarm);
    malloc_trim(0);
    destroyed_ = 0;
  }
}

void CoroutinePool::Clear(Coroutine* from) {
  while (!idle_.empty()) {
    Coroutine* coroutine = idle_.back();
    idle_.pop_back();
    Destroy(coroutine, from);
  }
}

void CoroutinePool::TrimIdle() {
  for (Coroutine* coroutine : idle_) coroutine->Trim();
}

}  // namespace tendril
