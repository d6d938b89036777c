// Memory for many small objects of one type, apart from malloc's heap: what lives
// long between V8's large short-lived blocks would keep every one of their pages.
// Slots are used again; chunks stay until the slab goes.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace tendril {

template <typename T>
class Slab {
 public:
  template <typename... Arguments>
  T* New(Arguments&&... arguments) {
    if (!free_) Grow();
    Slot* slot = free_;
    free_ = slot->next;
    return new (slot->object) T(std::forward<Arguments>(arguments)...);
  }

  void Delete(T* object) {
    object->~T();
    auto* slot = reinterpret_cast<Slot*>(object);
    slot->next = free_;
    free_ = slot;
  }

 private:
  union Slot {
    Slot* next;
    alignas(T) char object[sizeof(T)];
  };
  static constexpr size_t kChunk = 128 * 1024 / sizeof(Slot);

  void Grow() {
    chunks_.push_back(std::make_unique<Slot[]>(kChunk));
    for (size_t i = 0; i < kChunk; i++) {
      Slot* slot = &chunks_.back()[i];
      slot->next = free_;
      free_ = slot;
    }
  }

  Slot* free_ = nullptr;
  std::vector<std::unique_ptr<Slot[]>> chunks_;
};

}  // namespace tendril
