/* Bytes between TCP clients and the relay of the wire. */
#include "scenarios/cli/listener.h"

#include "core/live/clock.h"
#include "sim/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64, BUFFER_SIZE = 16 * 1024, MS_NS = 1000000, PORT_MAX = 65535, HOST_SIZE = 64 };
enum { TURNS_MAX = 64 /* until the clock is read again */ };

/* A connection of somebody else's. */
struct guest {
    int fd;
    int link;
    int64_t active_ns; /* when a byte last moved */
    bool has_ended;    /* the client sends no more */
    bool is_over;      /* the relay says no more */
    bool is_reset;     /* ... and rudely */
    size_t in_n, in_at, out_n, out_at;
    char in[BUFFER_SIZE], out[BUFFER_SIZE];
};

struct listener {
    int fd;
    struct wire *wire;
    struct port port;
    struct listener_owner owner;
    const struct wire_exchange *exchange;
    int64_t now_ns;
    bool is_busy;                           /* something moved when it was last looked */
    struct guest *guests[WIRE_CONNECTIONS]; /* NULL: free */
};

/* ---- the port: time, and what goes wrong ---- */

static struct port_answer before(void *ctx, const struct port_call *call) {
    struct listener *l = ctx;
    return l->owner.ask != NULL ? l->owner.ask(l->owner.ctx, call)
                                : (struct port_answer){.act = ACT_NONE};
}

static void after(void *ctx, const struct port_call *call) {
    (void)ctx, (void)call;
}

static void replied(void *ctx, const struct port_reply *reply) {
    (void)ctx, (void)reply;
}

static void posted(void *ctx, const struct broker_request *request, unsigned posts) {
    (void)ctx, (void)request, (void)posts;
}

static int64_t now(void *ctx) {
    const struct listener *l = ctx;
    return l->now_ns;
}

/* ---- the address ---- */

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } at;
    socklen_t length;
};

static bool loopback_host(const char *host, unsigned short port, struct address *out) {
    *out = (struct address){.length = sizeof out->at.four};
    if (strcmp(host, "[::1]") == 0) {
        out->at.six = (struct sockaddr_in6){
            .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
        out->length = sizeof out->at.six;
        return true;
    }
    out->at.four = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
                  &out->at.four.sin_addr) != 1)
        return false;
    return ntohl(out->at.four.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static bool read_address(const char *text, struct address *out, char why[LISTENER_WHY_SIZE]) {
    const char *colon = strrchr(text, ':');
    char host[HOST_SIZE], *end = NULL;
    if (colon == NULL || colon == text || (size_t)(colon - text) >= sizeof host) {
        snprintf(why, LISTENER_WHY_SIZE, "'%s' is no address: HOST:PORT, as 127.0.0.1:0", text);
        return false;
    }
    snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    errno = 0;
    unsigned long port = strtoul(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || errno != 0 || port > PORT_MAX) {
        snprintf(why, LISTENER_WHY_SIZE, "'%s' is no port: a number from 0 (any free one) to %d",
                 colon + 1, PORT_MAX);
        return false;
    }
    if (!loopback_host(host, (unsigned short)port, out)) {
        snprintf(why, LISTENER_WHY_SIZE,
                 "'%s' is not on loopback: nobody but this machine may reach a broker that anyone "
                 "can order at; 127.0.0.1, localhost and [::1] are",
                 host);
        return false;
    }
    return true;
}

static int listen_at(const struct address *address) {
    int fd = socket(address->at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int yes = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, &address->at.any, address->length) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int failed = errno;
    close(fd);
    errno = failed;
    return -1;
}

enum listener_open listener_open(const char *address, const struct wire_exchange *exchange,
                                 const struct listener_owner *owner, struct listener **listener,
                                 char why[LISTENER_WHY_SIZE]) {
    struct address at;
    *listener = NULL;
    if (!read_address(address, &at, why))
        return LISTENER_MISTAKE;
    int fd = listen_at(&at);
    if (fd < 0) {
        snprintf(why, LISTENER_WHY_SIZE, "cannot listen on %s: %s", address, strerror(errno));
        return LISTENER_CANNOT;
    }
    struct listener *l = check_zalloc(1, sizeof *l);
    l->fd = fd;
    l->exchange = exchange;
    if (owner != NULL)
        l->owner = *owner;
    l->now_ns = clock_now_ns();
    l->port = (struct port){.ctx = l,
                            .before = before,
                            .after = after,
                            .replied = replied,
                            .posted = posted,
                            .now = now};
    l->wire = wire_open();
    CHECK(l->wire != NULL);
    wire_begin_outside(l->wire, &l->port, exchange);
    *listener = l;
    return LISTENER_OPEN;
}

unsigned short listener_port(const struct listener *l) {
    struct address at = {.length = sizeof at.at};
    CHECK(getsockname(l->fd, &at.at.any, &at.length) == 0);
    return ntohs(at.at.any.sa_family == AF_INET6 ? at.at.six.sin6_port : at.at.four.sin_port);
}

char *listener_url(const struct listener *l, char out[LISTENER_URL_SIZE]) {
    struct address at = {.length = sizeof at.at};
    char host[INET6_ADDRSTRLEN] = "";
    CHECK(getsockname(l->fd, &at.at.any, &at.length) == 0);
    if (at.at.any.sa_family == AF_INET6)
        snprintf(out, LISTENER_URL_SIZE, "http://[::1]:%u", listener_port(l));
    else
        snprintf(out, LISTENER_URL_SIZE, "http://%s:%u",
                 inet_ntop(AF_INET, &at.at.four.sin_addr, host, sizeof host), listener_port(l));
    return out;
}

/* ---- guests ---- */

static void let_go(struct listener *l, size_t at) {
    static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    struct guest *g = l->guests[at];
    if (g->is_reset)
        setsockopt(g->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    wire_client_close(l->wire, g->link);
    close(g->fd);
    free(g);
    l->guests[at] = NULL;
}

/* A free place; when there is none, that of whoever has been silent for longest. */
static size_t make_place(struct listener *l) {
    size_t oldest = 0;
    for (size_t i = 0; i < WIRE_CONNECTIONS; i++) {
        if (l->guests[i] == NULL)
            return i;
        if (l->guests[i]->active_ns < l->guests[oldest]->active_ns)
            oldest = i;
    }
    let_go(l, oldest);
    return oldest;
}

static bool welcome(struct listener *l) {
    int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int yes = 1;
    if (fd < 0)
        return false;
    size_t at = make_place(l);
    int link = wire_client_open(l->wire);
    if (link < 0) {
        close(fd);
        return true;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct guest *g = check_zalloc(1, sizeof *g);
    g->fd = fd;
    g->link = link;
    g->active_ns = l->now_ns;
    l->guests[at] = g;
    return true;
}

/* From the client towards the relay, as far as it takes it. */
static bool carry_in(struct guest *g) {
    bool moved = false;
    for (;;) {
        while (g->in_at < g->in_n && !g->is_over) {
            ssize_t n = send(g->link, g->in + g->in_at, g->in_n - g->in_at, MSG_NOSIGNAL);
            if (n <= 0)
                return moved;
            g->in_at += (size_t)n;
            moved = true;
        }
        if (g->has_ended || g->is_over)
            return moved;
        ssize_t n = recv(g->fd, g->in, sizeof g->in, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return moved;
        g->in_at = 0;
        g->in_n = n > 0 ? (size_t)n : 0;
        g->has_ended = n <= 0;
        moved = true;
    }
}

/* From the relay to the client, as far as he takes it. */
static bool carry_out(struct guest *g) {
    bool moved = false;
    for (;;) {
        while (g->out_at < g->out_n) {
            ssize_t n = send(g->fd, g->out + g->out_at, g->out_n - g->out_at, MSG_NOSIGNAL);
            if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return moved;
            if (n < 0) { /* nobody listens */
                g->out_n = g->out_at = 0;
                g->has_ended = g->is_over = true;
                return true;
            }
            g->out_at += (size_t)n;
            moved = true;
        }
        if (g->is_over)
            return moved;
        ssize_t n = recv(g->link, g->out, sizeof g->out, 0);
        if (n < 0 && errno == EAGAIN)
            return moved;
        g->out_at = 0;
        g->out_n = n > 0 ? (size_t)n : 0;
        g->is_over = n <= 0;
        g->is_reset = n < 0;
        moved = true;
    }
}

static void tell_owner(struct listener *l) {
    if (l->owner.due != NULL)
        l->owner.due(l->owner.ctx, l->now_ns);
}

static bool serve_guests(struct listener *l) {
    bool moved = false;
    for (size_t i = 0; i < WIRE_CONNECTIONS; i++) {
        struct guest *g = l->guests[i];
        if (g == NULL)
            continue;
        bool his = carry_in(g);
        while (wire_client_move(l->wire))
            his = true;
        his = carry_out(g) || his;
        if (his) {
            g->active_ns = l->now_ns;
            tell_owner(l);
        }
        if ((g->is_over && g->out_at == g->out_n) || (g->has_ended && !his))
            let_go(l, i);
        moved = moved || his;
    }
    return moved;
}

/* ---- the loop ---- */

/* In ms, rounded up: waiting ends once the moment has come. */
static int wait_for(const struct listener *l, int wait_ms) {
    int64_t next_ns = wire_client_next_ns(l->wire, l->now_ns);
    int64_t left_ms = next_ns == INT64_MAX ? INT64_MAX : (next_ns - l->now_ns + MS_NS - 1) / MS_NS;
    return left_ms < wait_ms ? (int)(left_ms > 0 ? left_ms : 0) : wait_ms;
}

/* Waits until a guest or the clock wants something. Who has gone is noticed here also while nothing
 * more is taken from him. */
static void wait_for_guests(struct listener *l, int wait_ms) {
    struct pollfd watched[WIRE_CONNECTIONS + 1] = {{.fd = l->fd, .events = POLLIN}};
    struct guest *by_row[WIRE_CONNECTIONS + 1] = {NULL};
    nfds_t count = 1;
    for (size_t i = 0; i < WIRE_CONNECTIONS; i++) {
        struct guest *g = l->guests[i];
        if (g == NULL)
            continue;
        int takes = g->in_at == g->in_n ? POLLIN : 0, gives = g->out_at < g->out_n ? POLLOUT : 0;
        by_row[count] = g;
        watched[count++] = (struct pollfd){.fd = g->fd, .events = (short)(takes | gives)};
    }
    if (poll(watched, count, wait_for(l, wait_ms)) <= 0)
        return;
    for (nfds_t i = 1; i < count; i++)
        if ((watched[i].revents & (POLLHUP | POLLERR)) != 0)
            by_row[i]->has_ended = true;
}

void listener_run(struct listener *l, int wait_ms) {
    l->now_ns = clock_now_ns();
    wait_for_guests(l, l->is_busy ? 0 : wait_ms);
    l->now_ns = clock_now_ns();
    tell_owner(l);
    l->is_busy = true;
    for (int turn = 0; turn < TURNS_MAX && l->is_busy; turn++) {
        bool came = welcome(l);
        l->is_busy = serve_guests(l) || came;
    }
}

void listener_deliver(struct listener *l, int64_t due_ns, const void *bytes, size_t length) {
    wire_deliver(l->wire, l->exchange, due_ns, bytes, length);
}

size_t listener_clients(const struct listener *l) {
    size_t count = 0;
    for (size_t i = 0; i < WIRE_CONNECTIONS; i++)
        count += l->guests[i] != NULL;
    return count;
}

uint64_t listener_served(const struct listener *l) {
    return wire_served(l->wire);
}

void listener_close(struct listener *l) {
    if (l == NULL)
        return;
    for (size_t i = 0; i < WIRE_CONNECTIONS; i++)
        if (l->guests[i] != NULL)
            let_go(l, i);
    wire_end(l->wire);
    wire_close(l->wire);
    close(l->fd);
    free(l);
}
