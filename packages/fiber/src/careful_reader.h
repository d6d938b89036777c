// Reading from addresses that may not be mapped: what looks like a pointer in an
// object's neighbourhood may be anything. The kernel checks; /proc/self/maps
// would be a snapshot that other threads outdate while it is read.
#pragma once

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace tendril {

class CarefulReader {
 public:
  CarefulReader() = default;
  CarefulReader(const CarefulReader&) = delete;
  CarefulReader& operator=(const CarefulReader&) = delete;
  ~CarefulReader() {
    if (pipe_[0] >= 0) close(pipe_[0]);
    if (pipe_[1] >= 0) close(pipe_[1]);
  }

  // How many of the `size` bytes (at most one page) could be read.
  size_t Copy(uintptr_t from, void* to, size_t size) {
    if (from < kLowest || from >= kHighest) return 0;
    iovec local{to, size};
    iovec remote{reinterpret_cast<void*>(from), size};
    ssize_t copied = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
    if (copied >= 0) return static_cast<size_t>(copied);
    return errno == EFAULT ? 0 : CopyThroughPipe(from, to, size);
  }

  bool ReadWord(const void* from, uintptr_t* word) {
    return Copy(reinterpret_cast<uintptr_t>(from), word, sizeof *word) == sizeof *word;
  }

 private:
  static constexpr uintptr_t kLowest = 0x10000;
  static constexpr uintptr_t kHighest = uintptr_t{1} << 47;

  // Where process_vm_readv is forbidden (seccomp): write() fails with EFAULT.
  size_t CopyThroughPipe(uintptr_t from, void* to, size_t size) {
    if (pipe_[0] < 0 && pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) != 0) return 0;
    ssize_t written = write(pipe_[1], reinterpret_cast<void*>(from), size);
    if (written <= 0) return 0;
    ssize_t got = read(pipe_[0], to, static_cast<size_t>(written));
    return got > 0 ? static_cast<size_t>(got) : 0;
  }

  int pipe_[2] = {-1, -1};
};

}  // namespace tendril
