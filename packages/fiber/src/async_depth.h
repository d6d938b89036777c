// How many async scopes are open in an environment: the length of Node's stack of
// async ids (AsyncHooks::kStackLength). The id of the innermost one is public, and
// tells nothing where the same scope is open twice.
#pragma once

#include <v8.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace tendril {

// The word that Node counts in is found by experiment, once in a process: Begin(),
// then Keep(n) each time that JavaScript has opened or closed an AsyncResource's
// scope, with how many more are open than at first, and End(). Where not exactly one
// word follows, nothing is known.
class AsyncDepth {
 public:
  struct Place {
    size_t word;     // of the environment: a pointer
    size_t counter;  // behind it
  };

  AsyncDepth();
  ~AsyncDepth();

  // False: it is known already whether there is one.
  bool Begin(v8::Local<v8::Context> context);
  void Keep(uint32_t more);
  void End();

  // The same number always, where nothing is known.
  uint32_t Get() const { return word_ ? *word_ : 0; }

 private:
  struct Search;
  void Use(const std::vector<Place>& places);

  const void* environment_ = nullptr;
  const uint32_t* word_ = nullptr;
  std::unique_ptr<Search> search_;
};

}  // namespace tendril
