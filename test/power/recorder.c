// Stands between a program and the files of one folder, and records what is written and what is synced, in order. Built
// and loaded (LD_PRELOAD) by main.ts. Each record is five numbers of 8 bytes (kind, moment, offset, length of the name,
// length of the data), the name and the data.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Microseconds. A sync takes as long as on a slow disk, so that others commit meanwhile. */
enum { LEAST_SYNC = 2000 };
enum { WRITE = 1, TRUNCATE, SYNC_BEGINS, SYNC_ENDS, UNLINK };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;
static uint64_t moment = 0;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_ftruncate)(int, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void begin(void) {
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
  const char *path = getenv("POWER_TRACE");
  if (path != NULL) trace = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int is_watched(const char *path) {
  const char *folder = getenv("POWER_FOLDER");
  size_t length = strlen(path);
  if (trace < 0 || folder == NULL || strncmp(path, folder, strlen(folder)) != 0) return 0;
  return length < 4 || strcmp(path + length - 4, "-shm") != 0;
}

static int name_of(int fd, char *name) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, name, PATH_MAX - 1);
  if (length < 0) return 0;
  name[length] = 0;
  return is_watched(name);
}

static void record(uint64_t kind, const char *name, uint64_t offset, const void *data, uint64_t length) {
  uint64_t header[5] = {kind, moment++, offset, strlen(name), length};
  struct iovec parts[3] = {{header, sizeof header}, {(void *)name, strlen(name)}, {(void *)data, length}};
  if (writev(trace, parts, 3) < 0) abort();
}

ssize_t write(int fd, const void *data, size_t length) {
  char name[PATH_MAX];
  if (trace < 0 || !name_of(fd, name)) return real_write(fd, data, length);
  pthread_mutex_lock(&lock);
  record(WRITE, name, (uint64_t)lseek64(fd, 0, SEEK_CUR), data, length);
  ssize_t result = real_write(fd, data, length);
  pthread_mutex_unlock(&lock);
  return result;
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
  char name[PATH_MAX];
  if (trace < 0 || !name_of(fd, name)) return real_pwrite(fd, data, length, offset);
  pthread_mutex_lock(&lock);
  record(WRITE, name, (uint64_t)offset, data, length);
  ssize_t result = real_pwrite(fd, data, length, offset);
  pthread_mutex_unlock(&lock);
  return result;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }

int ftruncate64(int fd, off64_t length) {
  char name[PATH_MAX];
  if (trace < 0 || !name_of(fd, name)) return real_ftruncate(fd, length);
  pthread_mutex_lock(&lock);
  record(TRUNCATE, name, (uint64_t)length, NULL, 0);
  int result = real_ftruncate(fd, length);
  pthread_mutex_unlock(&lock);
  return result;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

static int synced(int fd, int (*sync)(int)) {
  char name[PATH_MAX];
  if (trace < 0 || !name_of(fd, name)) return sync(fd);
  pthread_mutex_lock(&lock);
  uint64_t began = moment;
  record(SYNC_BEGINS, name, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  int result = sync(fd);
  usleep(LEAST_SYNC);
  pthread_mutex_lock(&lock);
  if (result == 0) record(SYNC_ENDS, name, began, NULL, 0);
  pthread_mutex_unlock(&lock);
  return result;
}

int fsync(int fd) { return synced(fd, real_fsync); }
int fdatasync(int fd) { return synced(fd, real_fdatasync); }

int unlink(const char *path) {
  if (trace < 0 || !is_watched(path)) return real_unlink(path);
  pthread_mutex_lock(&lock);
  record(UNLINK, path, 0, NULL, 0);
  int result = real_unlink(path);
  pthread_mutex_unlock(&lock);
  return result;
}
