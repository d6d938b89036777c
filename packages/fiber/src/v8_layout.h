// Where this Node binary keeps three things that V8 has no API for.
//
//   thread id    the int in thread-local storage that names the current thread
//                to V8's ThreadManager
//   stack start  the cached pthread stack start in thread-local storage
//   start words  the copies of it that the garbage collector scans up to
//
// All of them are found by experiment, never by version: a value is changed
// through V8's own doors and the one word that follows is the word. Where not
// exactly one follows, the answer is a reason to refuse.
#pragma once

#include <v8.h>

#include <string>
#include <vector>

namespace tendril {

struct ThreadLayout {
  int* thread_id = nullptr;      // this thread's
  void** stack_start = nullptr;  // this thread's
};

struct IsolateLayout {
  ThreadLayout thread;
  // heap::base::Stack::stack_start_, wherever this isolate holds one.
  std::vector<void**> start_words;
};

// Finds everything for `isolate`, which the calling thread has locked. Returns
// an empty string, or the reason why this binary cannot be used. Costs some
// milliseconds for the first isolate of a process, less for the next ones.
std::string DiscoverLayout(v8::Isolate* isolate, v8::Platform* platform, IsolateLayout* out);

// An id that V8 has never used, for an archive of its own. Restores the
// thread's id before it returns.
int AllocateThreadId(v8::Isolate* isolate, int* thread_id);

// Archives the calling thread's state under its own id, lets `scratch` come
// and go as another thread, and restores: what V8 rewrites on restoring is
// rewritten afterwards.
void CycleThreadState(v8::Isolate* isolate, int* thread_id, int scratch);

}  // namespace tendril
