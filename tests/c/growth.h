/* What the process holds, by the kernel's count, and whether work leaves some of it behind. For C
 * and C++; the file that includes this asks for POSIX first. */
#ifndef ECHODB_TEST_GROWTH_H
#define ECHODB_TEST_GROWTH_H

#include "echodb.h"

#include <dirent.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Threads of the library that wait for work end by themselves, but not at once. */
#define SETTLE_MS 60000
/* Threads that may have work in one moment and not in the other; a leak would be thousands. */
#define THREAD_SLACK 64
/* Pages that the allocator keeps for each thread, and gives back when it likes. */
#define RESIDENT_SLACK_KB 16384

struct holding {
    long heap_kb;
    long resident_kb;
    int threads;
    int descriptors;
    size_t handles;
};

static inline int entries(const char *path) {
    int count = 0;
    DIR *folder = opendir(path);
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return count;
}

static inline long resident_kb(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1) {
        fprintf(stderr, "the kernel does not tell what this process holds\n");
        exit(1);
    }
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* What is allocated and not freed, in all threads; 0 where the C library does not tell. */
static inline long heap_kb(void) {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
    struct mallinfo2 info = mallinfo2();
    return (long)((info.uordblks + info.hblkhd) / 1024);
#else
    return 0;
#endif
}

static inline struct holding holding_now(void) {
    struct holding now;
    now.heap_kb = heap_kb();
    now.resident_kb = resident_kb();
    now.threads = entries("/proc/self/task");
    now.descriptors = entries("/proc/self/fd");
    now.handles = echodb_live_handles();
    return now;
}

/* Memory counts unless `slack_kb` is negative: a tool that watches it holds much itself. */
static inline int within(struct holding now, struct holding before, long slack_kb) {
    int memory = now.heap_kb <= before.heap_kb + slack_kb &&
                 now.resident_kb <= before.resident_kb + RESIDENT_SLACK_KB;
    return (memory || slack_kb < 0) && now.threads <= before.threads + THREAD_SLACK &&
           now.descriptors <= before.descriptors && now.handles == before.handles;
}

/* Ends the program unless it comes to hold no more than before; the heap may have `slack_kb` more. */
static inline void check_growth(const char *what, struct holding before, long slack_kb) {
    struct holding now = holding_now();
    for (int waited = 0; !within(now, before, slack_kb) && waited < SETTLE_MS; waited += 50) {
        poll(NULL, 0, 50);
        now = holding_now();
    }
    printf("%-14s heap %ld -> %ld kB, resident %ld -> %ld kB, %d -> %d threads, "
           "%d -> %d descriptors\n",
           what, before.heap_kb, now.heap_kb, before.resident_kb, now.resident_kb, before.threads,
           now.threads, before.descriptors, now.descriptors);
    if (!within(now, before, slack_kb)) {
        fprintf(stderr, "%s: something stays: %lu handles before, %lu now\n", what,
                (unsigned long)before.handles, (unsigned long)now.handles);
        exit(1);
    }
}

#endif
