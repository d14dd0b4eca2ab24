// SPDX-License-Identifier: Apache-2.0
//
// Tells whether a machine stood still: on each processor a thread that comes before all ordinary ones sleeps again and again, and
// notes how much later than asked it woke up. What keeps it from running keeps everybody from running.
//
//   stall-watcher PRIORITY   watches by SCHED_FIFO; for each line that it reads it prints the longest oversleep since the line
//   before,
//                            in microseconds; ends with its input
//   stall-watcher spin       keeps a processor busy, for an hour at most, until its input ends

#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SLEEP_NS 5000000L
#define NS_PER_S 1000000000L
#define MAX_CPUS 1024
#define LIFE_S 3600 // whatever happens, no process is left behind

static atomic_long longest_us;

static void die(const char *what, int error) {
  fprintf(stderr, "stall-watcher: %s: %s\n", what, strerror(error));
  exit(1);
}

static long ns_since(const struct timespec *then) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - then->tv_sec) * NS_PER_S + now.tv_nsec - then->tv_nsec;
}

static void note(long us) {
  long known = atomic_load(&longest_us);
  while (us > known && !atomic_compare_exchange_weak(&longest_us, &known, us)) {}
}

static void *watch(void *unused) {
  (void)unused;
  const struct timespec pause = {.tv_nsec = SLEEP_NS};
  for (;;) {
    struct timespec asleep;
    clock_gettime(CLOCK_MONOTONIC, &asleep);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    note((ns_since(&asleep) - SLEEP_NS) / 1000);
  }
  return NULL;
}

static void start_watch(int cpu, int priority) {
  pthread_attr_t attributes;
  cpu_set_t only;
  pthread_t thread;
  const struct sched_param parameters = {.sched_priority = priority};
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  pthread_attr_init(&attributes);
  pthread_attr_setaffinity_np(&attributes, sizeof(only), &only);
  pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED);
  pthread_attr_setschedpolicy(&attributes, SCHED_FIFO);
  pthread_attr_setschedparam(&attributes, &parameters);
  const int failed = pthread_create(&thread, &attributes, watch, NULL);
  if (failed) die("cannot watch by SCHED_FIFO", failed);
}

static void watch_all(int priority) {
  cpu_set_t usable;
  char line[64];
  if (sched_getaffinity(0, sizeof(usable), &usable)) die("which processors", errno);
  for (int cpu = 0; cpu < MAX_CPUS && cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET(cpu, &usable)) start_watch(cpu, priority);
  while (fgets(line, sizeof(line), stdin)) {
    printf("%ld\n", atomic_exchange(&longest_us, 0));
    fflush(stdout);
  }
}

static bool has_ended(void) {
  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  char rest[64];
  return poll(&input, 1, 0) != 0 && read(STDIN_FILENO, rest, sizeof(rest)) <= 0;
}

static void spin(void) {
  while (!has_ended())
    for (volatile long i = 0; i < 1000000; i++) {}
}

int main(int argc, char **argv) {
  alarm(LIFE_S);
  if (argc == 2 && strcmp(argv[1], "spin") == 0) spin();
  else if (argc == 2 && atoi(argv[1]) > 0) watch_all(atoi(argv[1]));
  else die("stall-watcher PRIORITY | spin", EINVAL);
  return 0;
}
