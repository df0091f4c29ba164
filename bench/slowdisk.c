// A disk that takes longer: each fsync and fdatasync waits SLOW_DISK_MS before the real one. Built and loaded
// (LD_PRELOAD) by SlowDisk.ts.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_first(void) {
  const char *millis = getenv("SLOW_DISK_MS");
  if (millis != NULL) usleep((useconds_t)(atof(millis) * 1000));
}

int fsync(int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
  wait_first();
  return real(fd);
}

int fdatasync(int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
  wait_first();
  return real(fd);
}
