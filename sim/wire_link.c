/* Stands in for libc's socket calls and clock, so that libcurl and libmicrohttpd run over memory
 * and in virtual time. The functions are defined in the executable, where the dynamic linker looks
 * first.
 *
 * (1) A link lives until both ends have let go; then its descriptor waits for the next one.
 * (2) Nothing blocks: all of this is one thread, so while a library waits nobody else can act. */
#include "sim/wire_link.h"

#include "sim/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LINKS_MAX = 256, SECOND_NS = 1000000000, MS_NS = 1000000 };

/* What is under way in one direction: bytes[at .. end). */
struct stream {
    size_t at, end;
    char bytes[WIRE_LINK_ROOM];
};

struct link {
    int fd;
    bool refuse;
    bool closed;        /* the library closed its end */
    bool shut;          /* it will write no more */
    bool hung_up;       /* the relay let go ... */
    bool reset;         /* ... and the library has not been told yet that it did so rudely */
    struct link *spare; /* the next one that nobody uses */
    struct stream to_library, to_relay;
};

/* By descriptor. Descriptors of links must be ones that select() can name. */
static struct link *links[FD_SETSIZE];
static struct link *spares;
static size_t link_count;
static struct port *clock_port;

void wire_link_clock(struct port *port) {
    clock_port = port;
}

static struct link *link_of(int fd) {
    return fd >= 0 && fd < FD_SETSIZE ? links[fd] : NULL;
}

/* ---- streams ---- */

static size_t filled(const struct stream *stream) {
    return stream->end - stream->at;
}

static size_t stream_put(struct stream *stream, const char *bytes, size_t n) {
    size_t room = WIRE_LINK_ROOM - filled(stream);
    if (n > room)
        n = room;
    if (n > WIRE_LINK_ROOM - stream->end) {
        memmove(stream->bytes, stream->bytes + stream->at, filled(stream));
        stream->end -= stream->at;
        stream->at = 0;
    }
    if (n > 0)
        memcpy(stream->bytes + stream->end, bytes, n);
    stream->end += n;
    return n;
}

static size_t stream_get(struct stream *stream, char *to, size_t n, bool keep) {
    if (n > filled(stream))
        n = filled(stream);
    memcpy(to, stream->bytes + stream->at, n);
    if (keep)
        return n;
    stream->at += n;
    if (stream->at == stream->end)
        stream->at = stream->end = 0;
    return n;
}

/* ---- links ---- */

/* A descriptor that is ours alone, with a link behind it. NULL: there is none. */
static struct link *reserve(void) {
    int fd = link_count < LINKS_MAX ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0)
        return NULL;
    if (fd >= FD_SETSIZE) {
        syscall(SYS_close, fd);
        return NULL;
    }
    links[fd] = check_alloc(sizeof *links[fd]);
    links[fd]->fd = fd;
    link_count++;
    return links[fd];
}

int wire_link_open(bool refuse) {
    struct link *link = spares;
    if (link != NULL)
        spares = link->spare;
    else
        link = reserve();
    if (link == NULL)
        return -1;
    link->refuse = refuse;
    link->closed = link->shut = link->hung_up = link->reset = false;
    link->to_library.at = link->to_library.end = 0;
    link->to_relay.at = link->to_relay.end = 0;
    return link->fd;
}

static void spare_if_free(struct link *link) {
    if (!link->closed || !link->hung_up)
        return;
    link->spare = spares;
    spares = link;
}

size_t wire_link_put(int fd, const char *bytes, size_t n) {
    struct link *link = link_of(fd);
    CHECK(link != NULL && !link->hung_up);
    return link->closed ? 0 : stream_put(&link->to_library, bytes, n);
}

bool wire_link_take(int fd, const char **bytes, size_t *n) {
    struct link *link = link_of(fd);
    CHECK(link != NULL && !link->hung_up);
    *bytes = link->to_relay.bytes + link->to_relay.at;
    *n = filled(&link->to_relay);
    link->to_relay.at = link->to_relay.end = 0;
    return *n > 0 || !(link->closed || link->shut);
}

void wire_link_hang_up(int fd, bool reset) {
    struct link *link = link_of(fd);
    CHECK(link != NULL && !link->hung_up);
    link->hung_up = true;
    link->reset = reset || filled(&link->to_relay) > 0;
    spare_if_free(link);
}

void wire_link_forget(void) {
    while (spares != NULL) {
        struct link *link = spares;
        spares = link->spare;
        syscall(SYS_close, link->fd);
        links[link->fd] = NULL;
        link_count--;
        free(link);
    }
}

/* ---- what a library asks of a link ---- */

static ssize_t fail(int error) {
    errno = error;
    return -1;
}

static bool takes_bytes(const struct link *link) {
    return link->hung_up || filled(&link->to_relay) < WIRE_LINK_ROOM;
}

static ssize_t link_send(struct link *link, const char *bytes, size_t n) {
    if (link->hung_up || link->shut)
        return fail(EPIPE);
    if (n > 0 && !takes_bytes(link))
        return fail(EAGAIN);
    return (ssize_t)stream_put(&link->to_relay, bytes, n);
}

static ssize_t link_receive(struct link *link, char *to, size_t n, bool keep) {
    if (filled(&link->to_library) > 0)
        return (ssize_t)stream_get(&link->to_library, to, n, keep);
    if (link->reset) {
        link->reset = keep;
        return fail(ECONNRESET);
    }
    return link->hung_up ? 0 : fail(EAGAIN);
}

static short events_of(const struct link *link, short wanted) {
    short events = 0;
    if (filled(&link->to_library) > 0 || link->hung_up)
        events |= POLLIN | POLLRDNORM;
    if (takes_bytes(link))
        events |= POLLOUT | POLLWRNORM;
    events &= wanted;
    if (link->reset)
        events |= POLLERR;
    if (link->hung_up)
        events |= POLLHUP;
    return events;
}

static int link_close(struct link *link) {
    CHECK(!link->closed);
    link->closed = true;
    spare_if_free(link);
    return 0;
}

/* A made-up IPv4 loopback address; libcurl keeps no connection alive without one. */
static int made_up(struct sockaddr *out, socklen_t *length, unsigned short port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(out, &at, *length < sizeof at ? *length : sizeof at);
    *length = sizeof at;
    return 0;
}

/* ---- libc's functions ---- */

int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length) {
    const struct link *link = link_of(fd);
    if (link == NULL)
        return (int)syscall(SYS_connect, fd, address.__sockaddr__, length);
    return link->refuse ? (int)fail(ECONNREFUSED) : 0;
}

int getpeername(int fd, __SOCKADDR_ARG address, socklen_t *restrict length) {
    if (link_of(fd) != NULL)
        return made_up(address.__sockaddr__, length, 1);
    return (int)syscall(SYS_getpeername, fd, address.__sockaddr__, length);
}

int getsockname(int fd, __SOCKADDR_ARG address, socklen_t *restrict length) {
    if (link_of(fd) != NULL)
        return made_up(address.__sockaddr__, length, 2);
    return (int)syscall(SYS_getsockname, fd, address.__sockaddr__, length);
}

ssize_t recv(int fd, void *to, size_t n, int flags) {
    struct link *link = link_of(fd);
    return link == NULL ? recvfrom(fd, to, n, flags, NULL, NULL)
                        : link_receive(link, to, n, (flags & MSG_PEEK) != 0);
}

ssize_t send(int fd, const void *bytes, size_t n, int flags) {
    struct link *link = link_of(fd);
    return link == NULL ? sendto(fd, bytes, n, flags, NULL, 0) : link_send(link, bytes, n);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    struct link *link = link_of(fd);
    ssize_t all = 0;
    if (link == NULL)
        return syscall(SYS_sendmsg, fd, message, flags);
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        const struct iovec *part = &message->msg_iov[i];
        ssize_t n = link_send(link, part->iov_base, part->iov_len);
        if (n < 0)
            return all > 0 ? all : n;
        all += n;
        if ((size_t)n < part->iov_len)
            break;
    }
    return all;
}

int shutdown(int fd, int how) {
    struct link *link = link_of(fd);
    if (link == NULL)
        return (int)syscall(SYS_shutdown, fd, how);
    link->shut = link->shut || how != SHUT_RD;
    return 0;
}

int close(int fd) {
    struct link *link = link_of(fd);
    return link == NULL ? (int)syscall(SYS_close, fd) : link_close(link);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t length) {
    if (link_of(fd) == NULL)
        return (int)syscall(SYS_setsockopt, fd, level, option, value, length);
    return 0; /* nothing about delays, buffers or keeping alive applies to memory */
}

int getsockopt(int fd, int level, int option, void *restrict value, socklen_t *restrict length) {
    struct link *link = link_of(fd);
    int answer = 0;
    if (link == NULL)
        return (int)syscall(SYS_getsockopt, fd, level, option, value, length);
    if (level != SOL_SOCKET || option != SO_ERROR || *length < sizeof answer)
        return (int)fail(ENOPROTOOPT);
    answer = link->reset ? ECONNRESET : 0;
    link->reset = false;
    memcpy(value, &answer, sizeof answer);
    *length = sizeof answer;
    return 0;
}

/* What the flags of a link are does not change, whatever is set. */
static int link_fcntl(int command) {
    switch (command) {
    case F_GETFL:
        return O_RDWR | O_NONBLOCK;
    case F_GETFD:
        return FD_CLOEXEC;
    case F_SETFL:
    case F_SETFD:
        return 0;
    default: /* commands are no enum: locks, duplicates and the like are not for sockets of ours */
        return (int)fail(EINVAL);
    }
}

static int any_fcntl(int fd, int command, long argument) {
    return link_of(fd) != NULL ? link_fcntl(command)
                               : (int)syscall(SYS_fcntl, fd, command, argument);
}

/* Both names of it: which one a library calls is a matter of how it was built. */
#define FCNTL(name)                              \
    int name(int fd, int command, ...) {         \
        va_list more;                            \
        va_start(more, command);                 \
        long argument = va_arg(more, long);      \
        va_end(more);                            \
        return any_fcntl(fd, command, argument); \
    }
FCNTL(fcntl)
FCNTL(fcntl64)

/* Either all of them are links or none is: nobody watches both (2). */
int poll(struct pollfd *watched, nfds_t count, int wait_ms) {
    struct timespec wait = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * MS_NS};
    int ours = 0, others = 0, ready = 0;
    for (nfds_t i = 0; i < count; i++) {
        const struct link *link = link_of(watched[i].fd);
        ours += link != NULL;
        others += link == NULL && watched[i].fd >= 0;
        watched[i].revents = 0;
        if (link == NULL)
            continue;
        watched[i].revents = events_of(link, watched[i].events);
        ready += watched[i].revents != 0;
    }
    CHECK(ours == 0 || others == 0);
    return ours > 0 ? ready : ppoll(watched, count, wait_ms < 0 ? NULL : &wait, NULL);
}

static bool keep_if(int fd, fd_set *set, bool ready) {
    if (set == NULL || !FD_ISSET(fd, set))
        return false;
    if (!ready)
        FD_CLR(fd, set);
    return ready;
}

static bool is_in(int fd, const fd_set *set) {
    return set != NULL && FD_ISSET(fd, set);
}

/* As poll: all or none. */
int select(int end, fd_set *restrict to_read, fd_set *restrict to_write, fd_set *restrict odd,
           struct timeval *restrict wait) {
    int ours = 0, others = 0, ready = 0;
    for (int fd = 0; fd < end; fd++) {
        const struct link *link = link_of(fd);
        if (!is_in(fd, to_read) && !is_in(fd, to_write) && !is_in(fd, odd))
            continue;
        ours += link != NULL;
        others += link == NULL;
        if (link == NULL)
            continue;
        ready += keep_if(fd, to_read, filled(&link->to_library) > 0 || link->hung_up);
        ready += keep_if(fd, to_write, takes_bytes(link));
        ready += keep_if(fd, odd, false);
    }
    CHECK(ours == 0 || others == 0);
    if (ours > 0 || (others == 0 && wait != NULL && wait->tv_sec == 0 && wait->tv_usec == 0))
        return ready;
    struct timespec limit = {.tv_sec = wait != NULL ? wait->tv_sec : 0,
                             .tv_nsec = wait != NULL ? wait->tv_usec * 1000 : 0};
    return pselect(end, to_read, to_write, odd, wait != NULL ? &limit : NULL, NULL);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    bool of_the_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ||
                       clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE ||
                       clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_BOOTTIME;
    if (clock_port == NULL || !of_the_wall)
        return (int)syscall(SYS_clock_gettime, clock, now);
    int64_t ns = clock_port->now(clock_port->ctx);
    now->tv_sec = ns / SECOND_NS;
    now->tv_nsec = ns % SECOND_NS;
    return 0;
}
