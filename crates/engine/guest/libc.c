/* Fixed answers for what wasi-libc would ask a WASI host: there is a clock that moves with events only, and
 * no file, no argument and no process. With these the guest imports nothing but `host.h`. */
#include <stdint.h>
#include <wasi/api.h>

/* Microseconds since 1970, set by each event and by the first. */
int64_t carrel_now_us = 0, carrel_began_us = 0;

__wasi_errno_t __wasi_clock_time_get(__wasi_clockid_t id, __wasi_timestamp_t precision, __wasi_timestamp_t *now)
{
    (void)id;
    (void)precision;
    *now = (__wasi_timestamp_t)carrel_now_us * 1000;
    return __WASI_ERRNO_SUCCESS;
}

__wasi_errno_t __wasi_fd_close(__wasi_fd_t fd)
{
    (void)fd;
    return __WASI_ERRNO_BADF;
}

__wasi_errno_t __wasi_fd_fdstat_get(__wasi_fd_t fd, __wasi_fdstat_t *stat)
{
    (void)fd;
    (void)stat;
    return __WASI_ERRNO_BADF;
}

__wasi_errno_t __wasi_fd_seek(__wasi_fd_t fd, __wasi_filedelta_t offset, __wasi_whence_t whence, __wasi_filesize_t *at)
{
    (void)fd;
    (void)offset;
    (void)whence;
    (void)at;
    return __WASI_ERRNO_BADF;
}

__wasi_errno_t __wasi_fd_write(__wasi_fd_t fd, const __wasi_ciovec_t *iovs, size_t iovs_len, __wasi_size_t *written)
{
    (void)fd;
    (void)iovs;
    (void)iovs_len;
    (void)written;
    return __WASI_ERRNO_BADF;
}
