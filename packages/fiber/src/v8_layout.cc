#include "v8_layout.h"

#include <dlfcn.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <v8-cppgc.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "careful_reader.h"

namespace tendril {
namespace {

// -------------------------------------------------------- thread-local storage

struct TlsBlock {
  char* base;
  size_t size;
};

// The calling thread's static TLS blocks of the executable and of every library
// loaded (a Node built with a shared libnode keeps V8's there).
std::vector<TlsBlock> ThreadLocalBlocks() {
  std::vector<TlsBlock> blocks;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* data) {
        for (int i = 0; i < info->dlpi_phnum; i++) {
          if (info->dlpi_phdr[i].p_type != PT_TLS || !info->dlpi_tls_data) continue;
          static_cast<std::vector<TlsBlock>*>(data)->push_back(
              {static_cast<char*>(info->dlpi_tls_data), info->dlpi_phdr[i].p_memsz});
        }
        return 0;
      },
      &blocks);
  return blocks;
}

char* ThreadPointer() { return static_cast<char*>(__builtin_thread_pointer()); }

struct ThreadProbe {
  v8::Isolate* isolate;
  std::map<ptrdiff_t, int> became;  // offset from the thread pointer -> new value
};

// Runs in a fresh OS thread, whose V8 thread id is still 0. IsLocked() compares
// the lock's owner with the current id and so makes V8 assign one.
void* ProbeFreshThread(void* argument) {
  auto* probe = static_cast<ThreadProbe*>(argument);
  auto blocks = ThreadLocalBlocks();
  std::vector<std::vector<char>> before;
  for (auto& block : blocks) before.emplace_back(block.base, block.base + block.size);
  v8::Locker::IsLocked(probe->isolate);
  for (size_t i = 0; i < blocks.size(); i++) {
    for (size_t at = 0; at + sizeof(int) <= blocks[i].size; at += sizeof(int)) {
      int old_value, new_value;
      memcpy(&old_value, before[i].data() + at, sizeof(int));
      memcpy(&new_value, blocks[i].base + at, sizeof(int));
      if (old_value == 0 && new_value > 0)
        probe->became[blocks[i].base + at - ThreadPointer()] = new_value;
    }
  }
  return nullptr;
}

std::string FindThreadId(v8::Isolate* isolate, ptrdiff_t* offset) {
  std::map<ptrdiff_t, int> candidates;  // offset -> value in the latest probe
  for (int round = 0; round < 3; round++) {
    ThreadProbe probe{isolate, {}};
    pthread_t thread;
    if (pthread_create(&thread, nullptr, ProbeFreshThread, &probe) != 0)
      return "no thread could be started to find V8's thread id";
    pthread_join(thread, nullptr);
    if (round == 0) {
      candidates = probe.became;
      continue;
    }
    // Other threads may take ids between two probes: greater, not plus one.
    std::map<ptrdiff_t, int> remaining;
    for (auto [at, value] : probe.became) {
      auto earlier = candidates.find(at);
      if (earlier != candidates.end() && value > earlier->second) remaining[at] = value;
    }
    candidates = remaining;
  }
  int kernel_id = static_cast<int>(syscall(SYS_gettid));
  std::vector<ptrdiff_t> proven;
  for (auto [at, newest] : candidates) {
    int* slot = reinterpret_cast<int*>(ThreadPointer() + at);
    int own = *slot;
    if (own <= 0 || own >= newest || own == kernel_id) continue;
    // The proof: with another id here the lock is not ours any more.
    *slot = newest + 1;
    bool stranger_locks = v8::Locker::IsLocked(isolate);
    *slot = own;
    if (!stranger_locks && v8::Locker::IsLocked(isolate)) proven.push_back(at);
  }
  if (proven.size() != 1)
    return "V8's thread id was not found in thread-local storage (" +
           std::to_string(proven.size()) + " candidates)";
  *offset = proven[0];
  return "";
}

// ---------------------------------------------------------------- stack start

using GetStackStart = void* (*)();

GetStackStart StackStartFunction() {
  return reinterpret_cast<GetStackStart>(
      dlsym(RTLD_DEFAULT, "_ZN2v84base5Stack13GetStackStartEv"));
}

std::string FindStackStart(ptrdiff_t* offset) {
  GetStackStart stack_start = StackStartFunction();
  if (!stack_start) return "this Node does not export v8::base::Stack::GetStackStart";
  void* start = stack_start();
  std::vector<ptrdiff_t> proven;
  for (auto& block : ThreadLocalBlocks()) {
    for (size_t at = 0; at + sizeof(void*) <= block.size; at += sizeof(void*)) {
      auto** slot = reinterpret_cast<void**>(block.base + at);
      if (*slot != start) continue;
      *slot = static_cast<char*>(start) - 64;
      if (stack_start() == *slot) proven.push_back(block.base + at - ThreadPointer());
      *slot = start;
    }
  }
  if (proven.size() != 1)
    return "the cached stack start was not found in thread-local storage (" +
           std::to_string(proven.size()) + " candidates)";
  *offset = proven[0];
  return "";
}

// ---------------------------------------------------------------- start words

// A word relative to an object: in it (kInside), or behind a pointer that the
// object holds. The same for every object of one binary.
struct Path {
  static constexpr ptrdiff_t kInside = PTRDIFF_MIN;
  ptrdiff_t pointer_at;
  ptrdiff_t offset;
  bool operator==(const Path&) const = default;

  // nullptr if it leads nowhere.
  void** From(CarefulReader& reader, const void* object) const {
    auto base = reinterpret_cast<uintptr_t>(object);
    if (pointer_at != kInside &&
        !reader.ReadWord(reinterpret_cast<void*>(base + pointer_at), &base))
      return nullptr;
    return reinterpret_cast<void**>(base + offset);
  }

  // The word, if it can be read and holds `value`.
  void** FromIf(CarefulReader& reader, const void* object, const void* value) const {
    void** word = From(reader, object);
    uintptr_t content;
    if (!word || !reader.ReadWord(word, &content)) return nullptr;
    return content == reinterpret_cast<uintptr_t>(value) ? word : nullptr;
  }
};

// Where `value` is in memory, as far as that has been looked at: page by page, each
// once. Whole pages, because a system call for each of an isolate's words would take
// longer than Node takes to start.
class Sightings {
 public:
  explicit Sightings(uintptr_t value) : value_(value) {}

  // Calls `found` with the address of each word from `from` up to `reach` bytes behind
  // it that held the value, up to the first page that cannot be read.
  template <typename Found>
  void InReach(uintptr_t from, size_t reach, Found found) {
    uintptr_t last = CarefulReader::PageOf(from + reach - 1);
    uintptr_t readable = from;  // up to here
    for (uintptr_t page = CarefulReader::PageOf(from); page <= last && Look(page);
         page += CarefulReader::kPage)
      readable = page + CarefulReader::kPage;
    for (uintptr_t at : at_)
      if (at >= from && at < std::min(readable, from + reach) && (at - from) % sizeof at == 0)
        found(at);
  }

 private:
  static constexpr size_t kWords = CarefulReader::kPage / sizeof(uintptr_t);

  bool Look(uintptr_t wanted) {
    if (auto seen = readable_.find(wanted); seen != readable_.end()) return seen->second;
    // On this stack, where nobody looks: a copy of the value anywhere else would be found.
    uintptr_t words[CarefulReader::kAhead][kWords];
    size_t pages = reader_.Copy(wanted, words, sizeof words) / sizeof words[0];
    for (size_t i = 0; i < pages; i++) {
      uintptr_t page = wanted + i * sizeof words[i];
      if (!readable_.try_emplace(page, true).second) continue;
      for (size_t k = 0; k < kWords; k++)
        if (words[i][k] == value_) at_.push_back(page + k * sizeof words[i][k]);
    }
    if (pages == 0) readable_[wanted] = false;
    return pages > 0;
  }

  CarefulReader reader_;
  uintptr_t value_;
  std::vector<uintptr_t> at_;
  std::unordered_map<uintptr_t, bool> readable_;
};

// Every path to `value` from the words at object + [from, to), in the words
// themselves or up to `reach` bytes behind a pointer that one of them holds.
std::vector<Path> FindPaths(const void* object, ptrdiff_t from, ptrdiff_t to, size_t reach,
                            const void* value) {
  constexpr ptrdiff_t kWord = sizeof(void*);
  CarefulReader reader;
  std::vector<Path> paths;
  uintptr_t own[CarefulReader::kPage / sizeof(uintptr_t)];  // of the object
  uintptr_t page = 0;
  bool readable = false;
  auto base = reinterpret_cast<uintptr_t>(object);
  auto wanted = reinterpret_cast<uintptr_t>(value);
  Sightings sightings(wanted);
  auto own_top = reinterpret_cast<uintptr_t>(StackStartFunction()());
  auto own_frame = reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) - 256 * 1024;
  for (ptrdiff_t at = from; at + kWord <= to; at += kWord) {
    if (CarefulReader::PageOf(base + at) != page) {
      page = CarefulReader::PageOf(base + at);
      readable = reader.Copy(page, own, sizeof own) == sizeof own;
    }
    if (!readable) continue;
    uintptr_t word = own[(base + at - page) / sizeof word];
    if (word == wanted) paths.push_back({Path::kInside, at});
    // Not the stack that this runs on: variables here hold what is looked for.
    if (word % kWord != 0 || (word >= own_frame && word < own_top)) continue;
    sightings.InReach(word, reach, [&](uintptr_t found) {
      paths.push_back({at, static_cast<ptrdiff_t>(found - word)});
    });
  }
  std::erase_if(paths, [&](const Path& path) { return !path.FromIf(reader, object, value); });
  return paths;
}

// The LocalHeap, which holds the word, is about 2 KB.
std::vector<Path> FindInIsolate(v8::Isolate* isolate, const void* value) {
  return FindPaths(isolate, 0, malloc_usable_size(isolate), 4096, value);
}

// v8::CppHeap is a later base of the heap's class, hence the negative part. The
// Stack that it points to starts with the word.
std::vector<Path> FindInCppHeap(v8::CppHeap* heap, const void* value) {
  return FindPaths(heap, -1024, 1024, 64, value);
}

bool SameWord(const std::vector<Path>& paths, const void* object) {
  CarefulReader reader;
  for (auto& path : paths)
    if (path.From(reader, object) != paths[0].From(reader, object)) return false;
  return true;
}

// A value that cannot be in memory already: a stack address that nobody has
// computed before, below the real start so that nothing scans too far.
void* Marker(void* start, int n) { return static_cast<char*>(start) - 0x141 - 0x20 * n; }

bool FollowsRestore(v8::Isolate* isolate, const ThreadLayout& thread, int scratch, void** word) {
  void* start = *thread.stack_start;
  *thread.stack_start = Marker(start, 2);
  CycleThreadState(isolate, thread.thread_id, scratch);
  bool followed = *word == *thread.stack_start;
  *thread.stack_start = start;
  CycleThreadState(isolate, thread.thread_id, scratch);
  return followed && *word == start;
}

// V8 >= 12: restoring a thread's state writes the cached start into the main
// thread's LocalHeap. Returns the paths to the word that followed the marker.
std::vector<Path> FindRestoredWord(v8::Isolate* isolate, const ThreadLayout& thread, int scratch) {
  void* start = *thread.stack_start;
  void* marker = Marker(start, 1);
  *thread.stack_start = marker;
  CycleThreadState(isolate, thread.thread_id, scratch);
  *thread.stack_start = start;
  auto paths = FindInIsolate(isolate, marker);
  CycleThreadState(isolate, thread.thread_id, scratch);
  // An archive or freed memory nearby may hold a copy of the marker: only the
  // word itself follows a second one.
  CarefulReader reader;
  std::erase_if(paths, [&](const Path& path) {
    void** word = path.FromIf(reader, isolate, start);
    return !word || !FollowsRestore(isolate, thread, scratch, word);
  });
  return paths;
}

// The C++ heap copies the cached start when it is made: make some to look at,
// each with a marker of its own. What happens to lie near one of them (another's
// Stack, freed memory) does not lie at the same place near all of them.
std::vector<Path> FindCppHeapWord(v8::Platform* platform, const ThreadLayout& thread) {
  void* start = *thread.stack_start;
#if V8_MAJOR_VERSION >= 13
  v8::CppHeapCreateParams parameters({});
#else
  v8::CppHeapCreateParams parameters({}, v8::WrapperDescriptor(0, 1, 1));
#endif
  std::vector<std::unique_ptr<v8::CppHeap>> heaps;
  std::vector<Path> paths;
  for (int i = 0; i < 3; i++) {
    void* marker = Marker(start, 3 + i);
    *thread.stack_start = marker;
    heaps.push_back(v8::CppHeap::Create(platform, parameters));
    *thread.stack_start = start;
    auto found = FindInCppHeap(heaps.back().get(), marker);
    std::erase_if(found, [](const Path& path) { return path.pointer_at == Path::kInside; });
    if (i == 0) paths = found;
    std::erase_if(paths, [&](const Path& path) {
      return std::find(found.begin(), found.end(), path) == found.end();
    });
  }
#if V8_MAJOR_VERSION < 13  // later ones do so when they are destroyed
  for (auto& heap : heaps) heap->Terminate();
#endif
  return paths;
}

// What the first isolate of the process taught us; guarded by `mutex`.
struct ProcessLayout {
  std::mutex mutex;
  bool known = false;
  ptrdiff_t thread_id = 0;
  ptrdiff_t stack_start = 0;
  std::vector<Path> in_cpp_heap;  // paths to the one word of the C++ heap
  std::vector<Path> in_isolate;   // to the one that V8 >= 12 rewrites itself
  ptrdiff_t direct = -1;          // V8 11 has that one inside the isolate
};

ProcessLayout& Process() {
  // Leaked on purpose: workers may still use it while exit handlers run.
  static auto* layout = new ProcessLayout;
  return *layout;
}

std::string LearnIsolate(v8::Isolate* isolate, v8::Platform* platform, const ThreadLayout& thread,
                         int scratch, ProcessLayout* process) {
  process->in_cpp_heap = FindCppHeapWord(platform, thread);
  if (process->in_cpp_heap.empty()) return "the C++ heap's stack start was not found";
  process->in_isolate = FindRestoredWord(isolate, thread, scratch);
  if (!process->in_isolate.empty()) {
    if (!SameWord(process->in_isolate, isolate))
      return "V8 keeps more than one restored stack start";
    return "";
  }
  // V8 11: one word, in the isolate itself, set once when the isolate is made.
  std::vector<Path> direct;
  for (auto& path : FindInIsolate(isolate, *thread.stack_start))
    if (path.pointer_at == Path::kInside) direct.push_back(path);
  if (direct.size() != 1)
    return "the isolate's stack start was not found (" + std::to_string(direct.size()) +
           " candidates)";
  process->direct = direct[0].offset;
  return "";
}

// Every word is checked on the isolate at hand before it may be written.
std::string LocateWords(v8::Isolate* isolate, const ThreadLayout& thread, int scratch,
                        ProcessLayout* process, std::vector<void**>* words) {
  void* start = *thread.stack_start;
  CarefulReader reader;
  if (process->direct >= 0) {
    Path direct{Path::kInside, process->direct};
    if (void** word = direct.FromIf(reader, isolate, start)) words->push_back(word);
  }
  for (auto& path : process->in_isolate) {
    void** word = path.FromIf(reader, isolate, start);
    if (!word || !FollowsRestore(isolate, thread, scratch, word)) continue;
    words->push_back(word);
    break;
  }
  if (words->empty()) return "this isolate keeps its stack start somewhere else";
  if (v8::CppHeap* heap = isolate->GetCppHeap()) {
    void** found = process->in_cpp_heap[0].FromIf(reader, heap, start);
    if (!found || !SameWord(process->in_cpp_heap, heap))
      return "this isolate's C++ heap keeps its stack start somewhere else";
    words->push_back(found);
  }
  return "";
}

}  // namespace

int AllocateThreadId(v8::Isolate* isolate, int* thread_id) {
  int own = *thread_id;
  *thread_id = 0;
  v8::Locker::IsLocked(isolate);
  int fresh = *thread_id;
  *thread_id = own;
  return fresh;
}

void CycleThreadState(v8::Isolate* isolate, int* thread_id, int scratch) {
  int own = *thread_id;
  v8::Unlocker leave(isolate);
  *thread_id = scratch;
  { v8::Locker other(isolate); }
  *thread_id = own;
}

std::string DiscoverLayout(v8::Isolate* isolate, v8::Platform* platform, IsolateLayout* out) {
  ProcessLayout& process = Process();
  std::lock_guard<std::mutex> guard(process.mutex);
  if (!process.known) {
    std::string reason = FindThreadId(isolate, &process.thread_id);
    if (reason.empty()) reason = FindStackStart(&process.stack_start);
    if (!reason.empty()) return reason;
  }
  out->thread.thread_id = reinterpret_cast<int*>(ThreadPointer() + process.thread_id);
  out->thread.stack_start = reinterpret_cast<void**>(ThreadPointer() + process.stack_start);
  // A worker may not have asked for its stack start yet: this fills the cache.
  if (StackStartFunction()() != *out->thread.stack_start || !v8::Locker::IsLocked(isolate))
    return "the facts found on the first thread do not hold on this one";

  int scratch = AllocateThreadId(isolate, out->thread.thread_id);
  std::string reason;
  if (!process.known) reason = LearnIsolate(isolate, platform, out->thread, scratch, &process);
  if (reason.empty()) {
    process.known = true;
    reason = LocateWords(isolate, out->thread, scratch, &process, &out->start_words);
  }
  int own = *out->thread.thread_id;
  *out->thread.thread_id = scratch;
  isolate->DiscardThreadSpecificMetadata();
  *out->thread.thread_id = own;
  return reason;
}

}  // namespace tendril
