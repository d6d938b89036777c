#include "interrupts.h"

#include <malloc.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <vector>

namespace tendril {
namespace {

// Where an archive has its flags, and two of them. The same for all isolates of a binary.
struct Layout {
  size_t offset = 0;
  uint32_t api = 0;
  uint32_t termination = 0;
};

struct Known {
  std::mutex mutex;
  bool searched = false;
  Layout layout;
};

Known& OfProcess() {
  static auto* known = new Known;  // leaked: workers may still look while exit handlers run
  return *known;
}

// Set before any fiber runs, and not changed again.
const Layout* layout = nullptr;

void Nothing(v8::Isolate*, void*) {}

bool IsOneBit(uint32_t flags) { return flags != 0 && (flags & (flags - 1)) == 0; }

// What V8 archives for the thread `id`, which runs: for as long as `other` is there.
std::vector<uint32_t> ArchiveOf(v8::Isolate* isolate, int* thread_id, int id, int other,
                                ThreadManager::Archive* const* newest) {
  std::vector<uint32_t> copy;
  v8::Unlocker leave(isolate);
  *thread_id = other;
  {
    v8::Locker lock(isolate);
    const ThreadManager::Archive* archive = *newest;
    if (archive->id == id) {
      size_t size = malloc_usable_size(archive->data);
      copy.resize(size / sizeof(uint32_t));
      memcpy(copy.data(), archive->data, copy.size() * sizeof(uint32_t));
    }
  }
  *thread_id = id;
  return copy;
}

// What is asked of the thread `one` goes with it: nobody else is struck.
Layout Search(v8::Isolate* isolate, int* thread_id, int one, int two,
              ThreadManager::Archive* const* newest) {
  std::vector<uint32_t> quiet, api, both;
  int own = *thread_id;
  {
    v8::Unlocker leave(isolate);
    *thread_id = one;
    {
      v8::Locker lock(isolate);
      v8::HandleScope handles(isolate);  // restoring a thread makes some
      quiet = ArchiveOf(isolate, thread_id, one, two, newest);
      isolate->RequestInterrupt(Nothing, nullptr);
      api = ArchiveOf(isolate, thread_id, one, two, newest);
      isolate->TerminateExecution();
      both = ArchiveOf(isolate, thread_id, one, two, newest);
    }
    *thread_id = own;
  }
  Layout found;
  size_t count = 0;
  for (size_t i = 0; i < std::min({quiet.size(), api.size(), both.size()}); i++) {
    uint32_t first = api[i] ^ quiet[i], second = both[i] ^ api[i];
    if (!IsOneBit(first) || !IsOneBit(second) || !(api[i] & first) || !(both[i] & second)) continue;
    found = {i * sizeof(uint32_t), first, second};
    count++;
  }
  return count == 1 ? found : Layout{};
}

}  // namespace

void Interrupts::Initialize(v8::Isolate* isolate, int* thread_id, int one, int two) {
  ThreadManager::Archive* const* newest = ThreadManager::FindNewest(isolate, thread_id, one);
  if (!newest) return;
  Known& known = OfProcess();
  std::lock_guard<std::mutex> guard(known.mutex);
  if (!known.searched) {
    known.layout = Search(isolate, thread_id, one, two, newest);
    known.searched = true;
    if (known.layout.api != 0) layout = &known.layout;
  }
  if (layout) newest_ = newest;
}

void Interrupts::ForwardFrom(v8::Isolate* isolate, const char* data) const {
  uint32_t flags;
  memcpy(&flags, data + layout->offset, sizeof flags);
  if (!(flags & (layout->api | layout->termination))) return;
  // Those who asked for a call are in a queue of the isolate: any interrupt serves them all.
  if (flags & layout->api) isolate->RequestInterrupt(Nothing, nullptr);
  if (flags & layout->termination) isolate->TerminateExecution();
}

}  // namespace tendril
