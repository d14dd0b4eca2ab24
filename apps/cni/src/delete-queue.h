// SPDX-License-Identifier: Apache-2.0
//
// Deletions that wait for the agent: a directory with one file per attachment, holding the request as the agent would have got it.

#pragma once
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "agent.h"

#define LOCK_TIMEOUT_S 10 // seconds to wait for other deletions that are being queued
#define QUEUE_MAX 256     // files; more than the pods of a node

// Keeps two deletions from overrunning the limit together. Answers the lock's descriptor, or -1.
static int lock_queue(int dir) {
  int fd = openat(dir, "lock", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  long deadline = now_ms() + LOCK_TIMEOUT_S * 1000L;
  struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};
  while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
    if (errno != EWOULDBLOCK || now_ms() > deadline) return -1;
    nanosleep(&pause, NULL);
  }
  return fd;
}

static int queued(int dir) {
  int count = 0;
  DIR *list = fdopendir(dup(dir));
  if (!list) return INT_MAX;
  for (struct dirent *e; (e = readdir(list));) {
    size_t length = strlen(e->d_name);
    count += length > 5 && strcmp(e->d_name + length - 5, ".json") == 0;
  }
  closedir(list);
  return count;
}

static bool write_file(int dir, const char *name, const struct buffer *b) {
  int fd = openat(dir, "writing", O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  bool done = write(fd, b->data, b->length) == (ssize_t)b->length && fsync(fd) == 0;
  int error = errno;
  close(fd);
  errno = error;
  return done && renameat(dir, "writing", dir, name) == 0 && fsync(dir) == 0;
}

static bool enqueue(int dir, const char *name, const struct buffer *body) {
  int lock = dir < 0 ? -1 : lock_queue(dir);
  if (lock < 0) return false;
  bool room = faccessat(dir, name, F_OK, 0) == 0 || queued(dir) < QUEUE_MAX;
  bool done = room && write_file(dir, name, body);
  int error = room ? errno : EDQUOT;
  close(lock);
  errno = error;
  return done;
}
