/* Looks at the fence's lock without taking it. */
#include "core/live/fence.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Where SQLite's unix VFS locks a file: its exclusive lock holds this byte and the ones after it.
 */
enum { PENDING_BYTE = 0x40000000, LOCK_BYTES = 512 };

pid_t fence_holder(const char *db) {
    char whole[PATH_MAX], fence[PATH_MAX + sizeof "-lock"];
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = PENDING_BYTE};
    lock.l_len = LOCK_BYTES;
    if (realpath(db, whole) == NULL)
        return 0;
    snprintf(fence, sizeof fence, "%s-lock", whole);
    int fd = open(fence, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return 0;
    pid_t holder = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
    close(fd);
    return holder;
}
