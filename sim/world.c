/* The world as a value: made, copied, hashed; and the requests under way in it. */
#include "sim/world.h"

#include "sim/check.h"
#include "sim/hash.h"

#include <stdlib.h>
#include <string.h>

void world_init(struct world *world, const struct profile *profile, int64_t now_ns) {
    *world = (struct world){.now_ns = now_ns};
    world->disk = disk_new();
    exchange_init(&world->exchange, profile);
}

void world_copy(struct world *to, const struct world *from) {
    *to = *from;
    to->disk = disk_copy(from->disk);
    to->flights = check_copy(from->flights, from->flight_count, sizeof *from->flights);
    to->flight_cap = from->flight_count;
    exchange_copy(&to->exchange, &from->exchange);
}

void world_free(struct world *world) {
    disk_free(world->disk);
    free(world->flights);
    exchange_free(&world->exchange);
    *world = (struct world){0};
}

static uint64_t hash_flight(uint64_t hash, const struct flight *flight) {
    hash = hash_u64(hash_u64(hash, (uint64_t)flight->due_ns),
                    (uint64_t)flight->is_cancel * 2 + flight->is_copy +
                        (uint64_t)flight->request.possible_resend * 4);
    hash = hash_text(hash_text(hash, flight->request.client_order_id), flight->request.symbol);
    hash = hash_u64(hash_u64(hash, (uint64_t)flight->request.side),
                    (uint64_t)flight->request.qty_nanos);
    hash = hash_text(hash_u64(hash, (uint64_t)flight->request.limit_nanos), flight->order_id);
    return hash_bytes(hash, flight->bytes, flight->length);
}

uint64_t world_hash_beside_disk(const struct world *world) {
    uint64_t hash = hash_u64(0, exchange_hash(&world->exchange));
    hash = hash_u64(hash_u64(hash, (uint64_t)world->now_ns), world->broker_down);
    hash = hash_u64(hash_u64(hash, (uint64_t)world->halt_file), (uint64_t)world->ahead_ns);
    for (size_t i = 0; i < world->flight_count; i++)
        hash = hash_flight(hash, &world->flights[i]);
    return hash;
}

uint64_t world_hash(const struct world *world) {
    return hash_u64(disk_hash(world->disk), world_hash_beside_disk(world));
}

uint64_t world_send(struct world *world, const struct flight *flight) {
    size_t at = world->flight_count;
    CHECK_ROOM(world->flights, world->flight_count, world->flight_cap, FLIGHTS_MAX);
    while (at > 0 && world->flights[at - 1].due_ns > flight->due_ns)
        at--;
    memmove(&world->flights[at + 1], &world->flights[at],
            (world->flight_count - at) * sizeof *world->flights);
    world->flight_count++;
    world->flights[at] = *flight;
    world->flights[at].id = ++world->flight_ids;
    return world->flight_ids;
}

int64_t world_next_flight(const struct world *world) {
    return world->flight_count > 0 ? world->flights[0].due_ns : INT64_MAX;
}

void world_take_flight(struct world *world, struct flight *flight) {
    CHECK(world->flight_count > 0);
    *flight = world->flights[0];
    world->flight_count--;
    memmove(&world->flights[0], &world->flights[1], world->flight_count * sizeof *world->flights);
}

/* Is a request of an order's own, not a proxy's copy, with this id still on its way? */
static bool is_under_way(const struct world *world, const char *client_order_id) {
    for (size_t i = 0; i < world->flight_count; i++) {
        const struct flight *flight = &world->flights[i];
        if (!flight->is_cancel && !flight->is_copy &&
            strcmp(flight->request.client_order_id, client_order_id) == 0)
            return true;
    }
    return false;
}

enum exchange_verdict world_submit(struct world *world, const struct broker_request *request) {
    struct exchange *exchange = &world->exchange;
    if (exchange->profile->replays && is_under_way(world, request->client_order_id)) {
        exchange_put_off(exchange, request);
        return world->delivered_verdict = EXCHANGE_BUSY;
    }
    world->delivered_verdict = exchange_submit(exchange, world->now_ns, request,
                                               &world->delivered_index, world->delivered_message);
    return world->delivered_verdict;
}

/* The exchange cannot tell a copy from a second order; the judge must. */
void world_disown_copy(struct world *world, const struct flight *flight) {
    if (flight->is_copy && !flight->is_cancel && world->delivered_verdict == EXCHANGE_ACCEPTED)
        world->exchange.orders[world->delivered_index].foreign = true;
}

void world_deliver(struct world *world, const struct flight *flight) {
    world->delivered_id = flight->id;
    if (flight->is_cancel) {
        world->delivered_cancel = exchange_cancel(&world->exchange, flight->order_id);
        return;
    }
    world_submit(world, &flight->request);
    world_disown_copy(world, flight);
}
