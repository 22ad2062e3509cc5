/* The world: everything that survives a crash of the OMS, as one value. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "core/env.h"
#include "sim/disk.h"
#include "sim/exchange.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A request on its way to the broker that outlives whoever sent it. */
enum { FLIGHT_BYTES_MAX = 2048, FLIGHTS_MAX = 4096 };
struct flight {
    uint64_t id;
    int64_t due_ns;
    bool is_cancel;
    bool is_copy; /* a proxy's: what the exchange accepts of it is nobody's order of the OMS */
    struct broker_request request;       /* an order ... */
    char order_id[BROKER_ORDER_ID_SIZE]; /* ... or a cancel */
    size_t length;                       /* at the wire: the request as it left, 0: none */
    unsigned char bytes[FLIGHT_BYTES_MAX];
};

struct world {
    int64_t now_ns;
    int64_t
        ahead_ns; /* by how much the clock of the OMS's machine is ahead of now; negative: behind.
                         Whatever happens in the world happens by now_ns */
    struct disk *disk;
    struct exchange exchange;
    struct flight *flights; /* by due time, then by id */
    size_t flight_count, flight_cap;
    uint64_t flight_ids; /* handed out so far */
    /* What became of the newest delivered flight, for a sender that still listens. */
    uint64_t delivered_id;
    enum exchange_verdict delivered_verdict;
    size_t delivered_index;
    char delivered_message[BROKER_TEXT_SIZE];
    enum exchange_cancel delivered_cancel;
    bool broker_down;
    enum oms_halt_file halt_file;
};

/* What the clock of the OMS's machine shows. */
static inline int64_t world_wall_ns(const struct world *world) {
    return world->now_ns + world->ahead_ns;
}

void world_init(struct world *world, const struct profile *profile, int64_t now_ns);
void world_copy(struct world *to, const struct world *from); /* `to` is uninitialized */
void world_free(struct world *world);
uint64_t world_hash(const struct world *world);
/* The same without the disk. */
uint64_t world_hash_beside_disk(const struct world *world);

/* Puts a request on its way; returns its id. */
uint64_t world_send(struct world *world, const struct flight *flight);
/* When the next flight is due; INT64_MAX: none. */
int64_t world_next_flight(const struct world *world);
/* Takes the next flight out of the world. */
void world_take_flight(struct world *world, struct flight *flight);
/* A request for an order reaches the exchange; what became of it is also in world->delivered_*. At a
 * broker that replays answers, one whose id is that of a request still under way is put off. */
enum exchange_verdict world_submit(struct world *world, const struct broker_request *request);
/* Delivers a flight to the exchange (also when the broker is down: it is past the door); what
 * became of it is in world->delivered_*. */
void world_deliver(struct world *world, const struct flight *flight);
/* After a flight was delivered through the wire: an order that the exchange made of a copy is
 * foreign from here on. world_deliver does that itself. */
void world_disown_copy(struct world *world, const struct flight *flight);

#endif
