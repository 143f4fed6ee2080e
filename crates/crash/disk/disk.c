// A disk that fails as it is told, under the store of one process: preloaded, it stands between SQLite and the system.
//
// CARREL_DISK_FAULT is KIND:CALL:N[:SEED]. CALL is `write` or `sync`, counted over the store's files, from 1.
//   kill      at the N-th, a part of the write is done, and the process is killed with SIGKILL
//   tear      at the N-th, a part of the write is done, and it fails with EIO
//   eio       the N-th fails with EIO, and nothing of it is done
//   full      from the N-th on, it fails with ENOSPC
//   readonly  from the N-th on, it fails with EROFS
//   lie       from the N-th on, a sync does nothing and says that it was done
//   slow      from the N-th on, it takes 3 ms more
//
// CARREL_DISK_TRACE names a file that is told of all that is done, in its order: records of a tag, a file's letter, an offset
// and a length (32 and 64 bits, as the machine writes them) and the bytes. `d` is the database and `w` its log. A sync that
// lies is not told. What the process says it acknowledged, by writing to a file named `acknowledged`, is told, too.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum kind { NONE, KILL, TEAR, EIO_ONCE, FULL, READONLY, LIE, SLOW };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum kind kind;
static int on_sync;
static uint64_t at, seed, writes, syncs;
static int trace = -1;

__attribute__((constructor)) static void begin(void) {
    const char *names[] = {"", "kill", "tear", "eio", "full", "readonly", "lie", "slow"};
    const char *fault = getenv("CARREL_DISK_FAULT");
    char name[16] = "", call[16] = "";
    unsigned long long n = 0, s = 1;
    if (fault && sscanf(fault, "%15[a-z]:%15[a-z]:%llu:%llu", name, call, &n, &s) >= 3) {
        for (int i = 1; i < 8; i++)
            if (!strcmp(name, names[i])) kind = i;
        on_sync = !strcmp(call, "sync");
        at = n;
        seed = s;
    }
    const char *path = getenv("CARREL_DISK_TRACE");
    if (path) trace = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

// Which of the store's files this is: `d`, `w`, `a` for what was acknowledged, 0 for any other.
static char file_of(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    const char *name = strrchr(path, '/');
    if (!name) return 0;
    if (!strcmp(name, "/carrel.db")) return 'd';
    if (!strcmp(name, "/carrel.db-wal")) return 'w';
    if (!strcmp(name, "/acknowledged")) return 'a';
    return 0;
}

static void tell(char tag, char file, uint64_t offset, const void *bytes, uint64_t length) {
    if (trace < 0) return;
    uint32_t head = (uint32_t)tag | (uint32_t)file << 8;
    struct iovec parts[] = {{&head, 4}, {&offset, 8}, {&length, 8}, {(void *)bytes, bytes ? length : 0}};
    if (syscall(SYS_writev, trace, parts, 4) < 0) abort();
}

static uint64_t some(uint64_t below) {
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return below ? (seed >> 33) % below : 0;
}

// What becomes of a call that is the count-th of its sort: 0 when it is done as ever, or the error it fails with.
static int fate(int is_sync, uint64_t count) {
    if (kind == NONE || is_sync != on_sync || count < at) return 0;
    switch (kind) {
    case KILL: case TEAR: case EIO_ONCE: return count == at ? EIO : 0;
    case FULL: return ENOSPC;
    case READONLY: return EROFS;
    case SLOW: nanosleep(&(struct timespec){0, 3000000}, NULL); return 0;
    default: return 0;
    }
}

static ssize_t store_write(int fd, char file, const void *bytes, size_t length, off_t offset) {
    pthread_mutex_lock(&lock);
    int error = file == 'a' ? 0 : fate(0, ++writes);
    if (error && (kind == KILL || kind == TEAR)) length = some(length);
    ssize_t done = error && kind != KILL && kind != TEAR ? -1 : syscall(SYS_pwrite64, fd, bytes, length, offset);
    if (done > 0) tell('w', file, offset, bytes, done);
    if (error && kind == KILL) raise(SIGKILL);
    pthread_mutex_unlock(&lock);
    if (error) { errno = error; return -1; }
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    char file = file_of(fd);
    return file ? store_write(fd, file, bytes, length, offset) : syscall(SYS_pwrite64, fd, bytes, length, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return pwrite64(fd, bytes, length, offset); }

ssize_t write(int fd, const void *bytes, size_t length) {
    char file = file_of(fd);
    if (!file) return syscall(SYS_write, fd, bytes, length);
    if (file == 'a') {
        pthread_mutex_lock(&lock);
        ssize_t done = syscall(SYS_write, fd, bytes, length);
        if (done > 0) tell('a', file, 0, bytes, done);
        pthread_mutex_unlock(&lock);
        return done;
    }
    off_t offset = lseek(fd, 0, SEEK_CUR);
    ssize_t done = store_write(fd, file, bytes, length, offset);
    if (done > 0) lseek(fd, done, SEEK_CUR);
    return done;
}

static int store_sync(int fd, long call) {
    char file = file_of(fd);
    if (!file || file == 'a') return syscall(call, fd);
    pthread_mutex_lock(&lock);
    uint64_t count = ++syncs;
    int error = fate(1, count);
    int lies = kind == LIE && on_sync && count >= at;
    int done = error ? -1 : lies ? 0 : syscall(call, fd);
    if (done == 0 && !lies) tell('s', file, 0, NULL, 0);
    if (error && kind == KILL) raise(SIGKILL);
    pthread_mutex_unlock(&lock);
    if (error) { errno = error; return -1; }
    return done;
}

int fsync(int fd) { return store_sync(fd, SYS_fsync); }
int fdatasync(int fd) { return store_sync(fd, SYS_fdatasync); }

int ftruncate64(int fd, off64_t length) {
    char file = file_of(fd);
    pthread_mutex_lock(&lock);
    int done = syscall(SYS_ftruncate, fd, length);
    if (done == 0 && file) tell('t', file, length, NULL, 0);
    pthread_mutex_unlock(&lock);
    return done;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
