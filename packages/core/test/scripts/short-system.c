/* Preloaded, it makes the system short of what children need while the file SHORT exists: CALL (fork,
   socketpair) fails with the number ERROR, a socketpair after so many have been made (MADE). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int is_short_of(const char *call) {
  const char *wanted = getenv("CALL"), *file = getenv("SHORT");
  if (!wanted || !file || strcmp(wanted, call) || access(file, F_OK)) return 0;
  errno = atoi(getenv("ERROR"));
  return 1;
}

pid_t fork(void) {
  static pid_t (*next)(void);
  if (is_short_of("fork")) return -1;
  if (!next) next = (pid_t(*)(void))dlsym(RTLD_NEXT, "fork");
  return next();
}

int socketpair(int domain, int type, int protocol, int pair[2]) {
  static int (*next)(int, int, int, int[2]);
  static int made;
  if (is_short_of("socketpair") && ++made > atoi(getenv("MADE"))) {
    made = 0;
    return -1;
  }
  if (!next) next = (int (*)(int, int, int, int[2]))dlsym(RTLD_NEXT, "socketpair");
  return next(domain, type, protocol, pair);
}
