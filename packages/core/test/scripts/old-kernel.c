/* Preloaded, it makes the kernel that of before Linux 6.13, where each stack's guard page splits a
   mapping, with room for GUARDS of them, and for CHUNKS of what else fibers are made of. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int guard_install = 102;
static const size_t page = 4096;
static const size_t arena = 16 * 1024 * 1024;

int madvise(void *start, size_t length, int advice) {
  if (advice != guard_install) return syscall(SYS_madvise, start, length, advice);
  errno = EINVAL;
  return -1;
}

/* V8 has guards of its own, which it must get. */
static int called_by_fiber(void *address) {
  Dl_info caller;
  return dladdr(address, &caller) && strstr(caller.dli_fname, "/fiber.abi");
}

static int more_than(int count, const char *limit) { return count > atoi(getenv(limit)); }

void *mmap(void *start, size_t length, int protection, int flags, int file, off_t offset) {
  static int chunks;
  int chunk = length < arena && called_by_fiber(__builtin_return_address(0));
  if (!chunk || !more_than(++chunks, "CHUNKS"))
    return (void *)syscall(SYS_mmap, start, length, protection, flags, file, offset);
  errno = ENOMEM;
  return MAP_FAILED;
}

void *mmap64(void *, size_t, int, int, int, off_t) __attribute__((alias("mmap")));

int mprotect(void *start, size_t length, int protection) {
  static int guards;
  int guard = length == page && protection == PROT_NONE;
  if (!guard || !called_by_fiber(__builtin_return_address(0)) || !more_than(++guards, "GUARDS"))
    return syscall(SYS_mprotect, start, length, protection);
  errno = ENOMEM;
  return -1;
}
