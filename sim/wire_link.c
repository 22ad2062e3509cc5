/* Stands in for four libc functions, so that libcurl and libmicrohttpd run over socketpairs and in
 * virtual time. They are defined in the executable, where the dynamic linker looks first. */
#include "sim/wire_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { FDS = 4096, SECOND_NS = 1000000000 };
enum { NOT_OURS, OURS, OURS_REFUSING };

static unsigned char kind_of[FDS];
static struct port *clock_port;

void wire_link_clock(struct port *port) {
    clock_port = port;
}

bool wire_link_own(int fd, bool refuse) {
    if (fd < 0 || fd >= FDS)
        return false;
    kind_of[fd] = refuse ? OURS_REFUSING : OURS;
    return true;
}

void wire_link_disown(int fd) {
    if (fd >= 0 && fd < FDS)
        kind_of[fd] = NOT_OURS;
}

static unsigned char kind(int fd) {
    return fd >= 0 && fd < FDS ? kind_of[fd] : NOT_OURS;
}

/* A made-up IPv4 loopback address; libcurl keeps no connection alive without one. */
static int made_up(struct sockaddr *out, socklen_t *length, unsigned short port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(out, &at, *length < sizeof at ? *length : sizeof at);
    *length = sizeof at;
    return 0;
}

int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length) {
    switch (kind(fd)) {
    case OURS:
        return 0;
    case OURS_REFUSING:
        errno = ECONNREFUSED;
        return -1;
    default:
        return (int)syscall(SYS_connect, fd, address.__sockaddr__, length);
    }
}

int getpeername(int fd, __SOCKADDR_ARG address, socklen_t *restrict length) {
    if (kind(fd) != NOT_OURS)
        return made_up(address.__sockaddr__, length, 1);
    return (int)syscall(SYS_getpeername, fd, address.__sockaddr__, length);
}

int getsockname(int fd, __SOCKADDR_ARG address, socklen_t *restrict length) {
    if (kind(fd) != NOT_OURS)
        return made_up(address.__sockaddr__, length, 2);
    return (int)syscall(SYS_getsockname, fd, address.__sockaddr__, length);
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
