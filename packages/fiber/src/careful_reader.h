// Reading from addresses that may not be mapped: what looks like a pointer in an
// object's neighbourhood may be anything. The kernel checks; /proc/self/maps
// would be a snapshot that other threads outdate while it is read.
#pragma once

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

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

  // The smallest page there is: what lies in one of these can be read as a whole, or not at all.
  static constexpr uintptr_t kPage = 4096;
  // So many more cost less to read than another system call.
  static constexpr size_t kAhead = 8;
  static uintptr_t PageOf(uintptr_t address) { return address & ~(kPage - 1); }

  // How many of the `size` bytes (at most those of a pipe's buffer) could be read.
  size_t Copy(uintptr_t from, void* to, size_t size) {
    if (from < kLowest || from >= kHighest) return 0;
    iovec local{to, size};
    iovec remote{reinterpret_cast<void*>(from), size};
    ssize_t copied = process_vm_readv(process_, &local, 1, &remote, 1, 0);
    if (copied >= 0) return static_cast<size_t>(copied);
    return errno == EFAULT ? 0 : CopyThroughPipe(from, to, size);
  }

  bool ReadWord(const void* from, uintptr_t* word) {
    return Copy(reinterpret_cast<uintptr_t>(from), word, sizeof *word) == sizeof *word;
  }

 private:
  static constexpr uintptr_t kLowest = 0x10000;
#if defined(__aarch64__)
  static constexpr uintptr_t kHighest = uintptr_t{1} << 48;
#else
  static constexpr uintptr_t kHighest = uintptr_t{1} << 47;
#endif

  // Where process_vm_readv is forbidden (seccomp): write() fails with EFAULT.
  size_t CopyThroughPipe(uintptr_t from, void* to, size_t size) {
    if (pipe_[0] < 0 && pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) != 0) return 0;
    ssize_t written = write(pipe_[1], reinterpret_cast<void*>(from), size);
    if (written <= 0) return 0;
    ssize_t got = read(pipe_[0], to, static_cast<size_t>(written));
    return got > 0 ? static_cast<size_t>(got) : 0;
  }

  const pid_t process_ = getpid();  // a system call, with glibc
  int pipe_[2] = {-1, -1};
};

// For thousands of small reads near each other: a system call for each page and not
// for each read. What a page held when it was first looked at is what is read of it,
// unless others have taken its place meanwhile.
class SnapshotReader {
 public:
  SnapshotReader() = default;
  SnapshotReader(const SnapshotReader&) = delete;
  SnapshotReader& operator=(const SnapshotReader&) = delete;
  ~SnapshotReader() { free(pages_); }

  // How many of the `size` bytes could be read.
  size_t Copy(uintptr_t from, void* to, size_t size) {
    if (!pages_) return reader_.Copy(from, to, size);
    size_t done = 0;
    while (done < size) {
      uintptr_t at = from + done;
      const Page* page = Look(CarefulReader::PageOf(at));
      if (!page->readable) break;
      size_t offset = at % CarefulReader::kPage;
      size_t part = std::min(size - done, CarefulReader::kPage - offset);
      memcpy(static_cast<char*>(to) + done, page->bytes + offset, part);
      done += part;
    }
    return done;
  }

 private:
  static constexpr size_t kPages = 1024;

  struct Page {
    uintptr_t address;  // 0: none yet
    bool readable;
    char bytes[CarefulReader::kPage];
  };

  Page* PlaceOf(uintptr_t address) { return &pages_[address / CarefulReader::kPage % kPages]; }

  const Page* Look(uintptr_t address) {
    Page* wanted = PlaceOf(address);
    if (wanted->address == address && address != 0) return wanted;
    wanted->address = address;
    wanted->readable = reader_.Copy(address, wanted->bytes, sizeof wanted->bytes) == sizeof wanted->bytes;
    return wanted;
  }

  CarefulReader reader_;
  // Zeroed, and only what is used becomes resident. Without it nothing is remembered.
  Page* pages_ = static_cast<Page*>(calloc(kPages, sizeof(Page)));
};

}  // namespace tendril
