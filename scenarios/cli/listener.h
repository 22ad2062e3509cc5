/* The simulated exchange on a real loopback socket: programs of any kind connect to it over TCP.
 *
 *      client == TCP == listener == link (sim/wire_link.h) == relay (sim/wire.h) == struct wire_exchange
 *
 * The relay is the one of simulated runs: it frames requests, asks what goes wrong with each, and
 * cuts, delays or damages. Here only bytes are moved, and the clock is the real one. One thread: the
 * owner calls listener_run over and over.
 *
 * (1) It listens on loopback addresses only.
 * (2) Whatever a client sends or leaves out ends at worst with its connection. */
#ifndef SCENARIOS_CLI_LISTENER_H
#define SCENARIOS_CLI_LISTENER_H

#include "sim/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LISTENER_WHY_SIZE = 300, LISTENER_URL_SIZE = 80 };

enum listener_open {
    LISTENER_OPEN,
    LISTENER_MISTAKE, /* the address is none, or not on loopback */
    LISTENER_CANNOT   /* the system says no: the port is taken, ... */
};

/* Who is asked and told while it runs. `ctx` is given back; each function may be NULL. */
struct listener_owner {
    void *ctx;
    /* It is that late: time for what is due. Before anything is served, and whenever a guest was,
     * so that he finds what came of it with his next request. */
    void (*due)(void *ctx, int64_t now_ns);
    /* What goes wrong with this call? As struct port's `before`. */
    struct port_answer (*ask)(void *ctx, const struct port_call *call);
};

struct listener;

/* `address` is HOST:PORT, HOST being 127.x.y.z, localhost or [::1]; port 0 picks one. `exchange` and
 * `owner` (NULL: nobody) are borrowed. LISTENER_OPEN: *listener is the caller's; else `why` names
 * the value and the rule. */
enum listener_open listener_open(const char *address, const struct wire_exchange *exchange,
                                 const struct listener_owner *owner, struct listener **listener,
                                 char why[LISTENER_WHY_SIZE]);
void listener_close(struct listener *listener); /* NULL is allowed */

unsigned short listener_port(const struct listener *listener);
/* "http://127.0.0.1:40123"; returns out. */
char *listener_url(const struct listener *listener, char out[LISTENER_URL_SIZE]);

/* Waits at most so long for something to happen (a signal counts), then serves all that is there. */
void listener_run(struct listener *listener, int wait_ms);
/* A flight (struct wire_exchange) has arrived. */
void listener_deliver(struct listener *listener, int64_t due_ns, const void *bytes, size_t length);
/* Connections that clients hold open now. */
size_t listener_clients(const struct listener *listener);
/* Requests served so far. */
uint64_t listener_served(const struct listener *listener);

#endif
