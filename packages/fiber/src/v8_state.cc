#include "v8_state.h"

#include <v8-cppgc.h>

namespace tendril {

std::string V8State::Initialize(v8::Isolate* isolate, v8::Platform* platform) {
  IsolateLayout layout;
  std::string reason = DiscoverLayout(isolate, platform, &layout);
  if (!reason.empty()) return reason;
  isolate_ = isolate;
  thread_id_ = layout.thread.thread_id;
  owner_id_ = *thread_id_;
  int scratch = NewArchiveId();
  owner_word_ = ThreadManager::FindOwner(isolate, thread_id_, scratch);
  int other = NewArchiveId();
  interrupts_.Initialize(isolate, thread_id_, scratch, other);
  DiscardArchiveId(other);
  DiscardArchiveId(scratch);
  start_words_ = layout.start_words;
  thread_stack_start_ = static_cast<char*>(*start_words_[0]);
#if V8_MAJOR_VERSION >= 12
  isolate->AddGCPrologueCallback(BeforeGC, this);
  isolate->AddGCEpilogueCallback(AfterGC, this);
#endif
  return "";
}

V8State::~V8State() {
  if (!isolate_) return;
  LeaveFibers();
  Retire();
}

void V8State::Retire() {
  if (retired_) return;
  retired_ = true;
#if V8_MAJOR_VERSION >= 12
  isolate_->RemoveGCPrologueCallback(BeforeGC, this);
  isolate_->RemoveGCEpilogueCallback(AfterGC, this);
#endif
}

int V8State::NewArchiveId() {
  if (free_ids_.empty()) return AllocateThreadId(isolate_, thread_id_);
  int id = free_ids_.back();
  free_ids_.pop_back();
  return id;
}

void V8State::DiscardArchiveId(int id) {
  int current = *thread_id_;
  *thread_id_ = id;
  isolate_->DiscardThreadSpecificMetadata();
  *thread_id_ = current;
  free_ids_.push_back(id);
}

void V8State::EnterFibers() {
  if (v8::CppHeap* heap = isolate_->GetCppHeap())
    no_conservative_scan_.emplace(heap->GetHeapHandle(),
                                  cppgc::EmbedderStackState::kNoHeapPointers);
}

// V8 visits the continuation-preserved root once per archived thread. A young
// object there would be moved once and then taken for moved garbage, so during
// a collection it hangs on a global handle, which is visited once.
void V8State::BeforeGC(v8::Isolate* isolate, v8::GCType, v8::GCCallbackFlags, void* data) {
  auto* self = static_cast<V8State*>(data);
  v8::HandleScope scope(isolate);
  ContextFrame frame = self->GetContextFrame();
  if (frame.IsEmpty() || (frame->IsValue() && frame.As<v8::Value>()->IsUndefined())) return;
  self->frame_during_gc_.Reset(isolate, frame);
  self->SetContextFrame(v8::Undefined(isolate));
}

void V8State::AfterGC(v8::Isolate* isolate, v8::GCType, v8::GCCallbackFlags, void* data) {
  auto* self = static_cast<V8State*>(data);
  if (self->frame_during_gc_.IsEmpty()) return;
  v8::HandleScope scope(isolate);
  self->SetContextFrame(self->frame_during_gc_.Get(isolate));
  self->frame_during_gc_.Reset();
}

}  // namespace tendril
