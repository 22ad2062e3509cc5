/* The key of a world by what it means; stores are read once per content. */
#include "sim/meaning.h"

#include "sim/check.h"
#include "sim/content.h"
#include "sim/hash.h"
#include "sim/outcomes.h"
#include "sim/sut_call.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* A log this close to its next checkpoint counts frame by frame. */
enum { FRAMES_NEAR = 64, MOMENTS_MAX = 4096 };

/* ---- moments ---- */

void moments_add(struct moments *moments, int64_t at_ns) {
    for (size_t i = moments->n; i-- > 0;) {
        if (moments->v[i] == at_ns)
            return;
    }
    CHECK_ROOM(moments->v, moments->n, moments->cap, MOMENTS_MAX);
    moments->v[moments->n++] = at_ns;
}

static int by_time(const void *a, const void *b) {
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

void moments_sort(struct moments *moments) {
    size_t kept = 0;
    if (moments->n > 1)
        qsort(moments->v, moments->n, sizeof *moments->v, by_time);
    for (size_t i = 0; i < moments->n; i++) {
        if (kept == 0 || moments->v[kept - 1] != moments->v[i])
            moments->v[kept++] = moments->v[i];
    }
    moments->n = kept;
}

void moments_free(struct moments *moments) {
    free(moments->v);
    *moments = (struct moments){0};
}

uint64_t meaning_time(uint64_t hash, int64_t at_ns, int64_t now_ns, struct moments *pending) {
    if (at_ns <= now_ns)
        return hash_u64(hash, 0);
    if (pending != NULL)
        moments_add(pending, at_ns);
    return hash_u64(hash, (uint64_t)(at_ns - now_ns));
}

/* ---- stores that were read, by content ---- */

/* Direct-mapped: losing a place only costs another look. */
enum { STORES = 1 << 13, PAGES = 1 << 15 };
struct store_slot {
    uint64_t key; /* 0: empty */
    bool readable;
    struct sut_meaning meaning;
};
/* What the bytes of a disk say, so that a log is not read frame by frame again. */
struct bytes_slot {
    uint64_t key;
    bool known;
    struct content content;
};
static struct store_slot *stores;
static struct bytes_slot *bytes_seen;

void meaning_forget(void) {
    for (size_t i = 0; stores != NULL && i < STORES; i++)
        sut_meaning_free(&stores[i].meaning);
    free(stores);
    free(bytes_seen);
    stores = NULL;
    bytes_seen = NULL;
}

static const struct bytes_slot *content_of(const struct disk *disk, const char *path) {
    uint64_t key = disk_cache_hash(disk) | 1;
    struct bytes_slot *slot = NULL;
    if (bytes_seen == NULL)
        bytes_seen = check_zalloc(PAGES, sizeof *bytes_seen);
    slot = &bytes_seen[(key >> 1) % PAGES];
    if (slot->key != key) {
        slot->known = content_look(disk, path, &slot->content);
        slot->key = key;
    }
    return slot;
}

static const struct store_slot *read_store(const struct sut *sut, const struct sut_config *config,
                                           struct disk *disk, const char *path, uint64_t content) {
    uint64_t key =
        hash_u64(hash_u64(content, (uint64_t)(uintptr_t)sut), (uint64_t)(uintptr_t)config->profile);
    struct store_slot *slot = NULL;
    if (stores == NULL)
        stores = check_zalloc(STORES, sizeof *stores);
    key += key == 0;
    slot = &stores[key % STORES];
    if (slot->key == key)
        return slot;
    sut_meaning_free(&slot->meaning);
    /* A look must not move the generator that the OMS under test draws from. */
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SAVE);
    disk_vfs_attach("sim-peek", disk, NULL, 0);
    slot->readable = sut_meaning(sut, "sim-peek", path, config, &slot->meaning);
    sqlite3_test_control(SQLITE_TESTCTRL_PRNG_RESTORE);
    slot->key = key;
    return slot;
}

/* ---- what a store means in a world ---- */

static uint64_t booked_index(const struct exchange *exchange, const char *execution_id) {
    for (size_t i = 0; i < exchange->fill_count; i++) {
        if (strcmp(exchange->fills[i].execution_id, execution_id) == 0)
            return i + 1;
    }
    return hash_text(0, execution_id);
}

static bool is_known(const struct sut_meaning *meaning, const char *client_order_id) {
    uint64_t id = hash_text(0, client_order_id);
    for (size_t i = 0; i < meaning->known_count; i++) {
        if (meaning->known[i] == id)
            return true;
    }
    return false;
}

/* An order or an execution at the broker that the next start notices only if its look goes back far enough. */
static uint64_t notice(uint64_t hash, const struct sut_meaning *meaning, int64_t from_ns,
                       int64_t at_ns, int64_t now_ns, struct moments *pending) {
    hash = hash_u64(hash, (at_ns >= meaning->since_ns) + 2u * (at_ns >= from_ns));
    for (size_t i = 0; i < meaning->anchor_count; i++)
        hash = hash_u64(hash, (uint64_t)(at_ns - meaning->anchors[i]));
    return meaning_time(hash, at_ns + meaning->look_back_ns, now_ns, pending);
}

static const char *client_id_of(const struct exchange *exchange, const struct broker_fill *fill) {
    for (size_t i = 0; i < exchange->order_count; i++) {
        if (strcmp(exchange->orders[i].told.id, fill->order_id) == 0)
            return exchange->orders[i].told.client_order_id;
    }
    return "";
}

static uint64_t store_in_world(const struct sut_meaning *meaning, const struct world *world,
                               unsigned without, struct moments *pending) {
    uint64_t hash = meaning->fixed;
    const struct exchange *exchange = &world->exchange;
    for (size_t i = 0; i < meaning->booked_count; i++)
        hash = hash_u64(hash_u64(hash, meaning->booked[i].row),
                        booked_index(exchange, meaning->booked[i].execution_id));
    if ((without & MEANING_WITHOUT_TIMES) != 0)
        return hash;
    for (size_t i = 0; i < meaning->moment_count; i++)
        hash = meaning_time(hash, meaning->moments[i], world->now_ns, pending);
    if ((without & MEANING_WITHOUT_EXCHANGE) != 0)
        return hash;
    for (size_t i = 0; i < exchange->order_count; i++) {
        const struct broker_order *told = &exchange->orders[i].told;
        if (!is_known(meaning, told->client_order_id))
            hash = notice(hash, meaning, meaning->others_since_ns, told->submitted_ns,
                          world->now_ns, pending);
    }
    for (size_t i = 0; i < exchange->fill_count; i++) {
        if (!is_known(meaning, client_id_of(exchange, &exchange->fills[i])))
            hash = notice(hash, meaning, meaning->others_fills_since_ns, exchange->fills[i].at_ns,
                          world->now_ns, pending);
    }
    return hash;
}

/* The frames of the log as far as they decide when it is checkpointed. */
static uint64_t frames_that_count(const struct sut_config *config, unsigned frames) {
    int64_t left = (int64_t)config->checkpoint_frames - (int64_t)frames;
    return config->checkpoint_frames > 0 && left < FRAMES_NEAR ? frames + 1u : 0;
}

/* The archive is a part of the store: what reads its meaning reads it too. */
static uint64_t hash_archive(uint64_t hash, const struct disk *disk, const char *path) {
    uint64_t archive = disk_archive_hash(disk, path);
    return archive == 0 ? hash : hash_u64(hash, archive);
}

/* What reads show of the store on this disk. */
static uint64_t one_store(const struct sut *sut, const struct sut_config *config,
                          const struct world *world, struct disk *disk, const char *path,
                          unsigned without, struct moments *pending) {
    const struct bytes_slot *bytes = content_of(disk, path);
    const struct store_slot *slot = NULL;
    uint64_t hash = 0, content = 0;
    if (!bytes->known)
        return hash_u64(disk_cache_hash(disk), 1);
    hash = frames_that_count(config, bytes->content.frames);
    content = hash_u64(hash_archive(bytes->content.hash, disk, path), disk_fence_hash(disk, path));
    if (sut->meaning == NULL)
        return hash_u64(hash, content);
    slot = read_store(sut, config, disk, path, content);
    if (!slot->readable)
        return hash_u64(hash, content);
    return hash_u64(hash, store_in_world(&slot->meaning, world, without, pending));
}

/* What the next life can meet on this disk. */
static uint64_t one_disk(const struct sut *sut, const struct sut_config *config,
                         const struct world *world, struct disk *disk, const char *path,
                         unsigned without, struct moments *pending) {
    uint64_t store = one_store(sut, config, world, disk, path, without, pending);
    uint64_t aside = disk_aside_hash(disk, path);
    return aside == 0 ? store : hash_u64(store, aside);
}

static int by_value(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The set of what every power loss here would show; order and number of ways do not count. 0: that
 * is what reads show now (`shown`), whichever it is. */
static uint64_t all_outcomes(const struct sut *sut, const struct sut_config *config,
                             const struct world *world, const char *path, unsigned without,
                             uint64_t shown, struct moments *pending) {
    struct outcomes outcomes;
    uint64_t *seen = NULL, hash = 2;
    bool differs = false;
    outcomes_pick(world->disk, &outcomes);
    if (outcomes.reduced)
        hash = hash_u64(disk_hash(world->disk), 3);
    else
        seen = check_alloc(outcomes.count * sizeof *seen);
    for (unsigned i = 0; seen != NULL && i < outcomes.count; i++) {
        struct disk *after = disk_copy(world->disk);
        disk_power(after, outcomes.which[i]);
        seen[i] = one_disk(sut, config, world, after, path, without, pending);
        differs = differs || seen[i] != shown;
        disk_free(after);
    }
    if (seen != NULL)
        qsort(seen, outcomes.count, sizeof *seen, by_value);
    for (unsigned i = 0; seen != NULL && i < outcomes.count; i++) {
        if (i == 0 || seen[i] != seen[i - 1])
            hash = hash_u64(hash, seen[i]);
    }
    free(seen);
    differs = differs || outcomes.reduced;
    outcomes_free(&outcomes);
    return differs ? hash : 0;
}

/* ---- the exchange, and what is under way ---- */

/* When the broker forgets an id, and when the OMS no longer trusts it to know it. */
static uint64_t id_in_time(uint64_t hash, const struct profile *profile, int64_t seen_ns,
                           int64_t now_ns, struct moments *pending) {
    int64_t forgets_ns = profile_forgets_ns(profile, seen_ns);
    if (forgets_ns == INT64_MAX)
        return hash;
    hash = meaning_time(hash, forgets_ns - profile->forget_margin_ns, now_ns, pending);
    return meaning_time(hash, forgets_ns, now_ns, pending);
}

static uint64_t one_order(uint64_t hash, const struct exchange *exchange, size_t i, int64_t now_ns,
                          unsigned without, struct moments *pending) {
    const struct broker_order *told = &exchange->orders[i].told;
    const struct profile *profile = exchange->profile;
    hash = hash_text(hash_text(hash, told->client_order_id), told->symbol);
    hash = hash_u64(hash, (uint64_t)told->side * 128 + (uint64_t)told->type * 16 +
                              (uint64_t)told->tif * 2 + exchange->orders[i].foreign);
    hash = hash_u64(hash, exchange->orders[i].lost);
    hash = hash_u64(hash_u64(hash, (uint64_t)told->qty_nanos), (uint64_t)told->limit_nanos);
    hash = hash_u64(hash_u64(hash, (uint64_t)told->filled_nanos), (uint64_t)told->status);
    if ((without & MEANING_WITHOUT_TIMES) != 0)
        return hash;
    if (profile->query_lag_ns > 0)
        hash = meaning_time(hash, told->submitted_ns + profile->query_lag_ns, now_ns, pending);
    return id_in_time(hash, profile, told->submitted_ns, now_ns, pending);
}

/* Ids of refused orders, and the day of ids that are to be: where a day turns, now is not like any
 * other moment. */
static uint64_t ids(uint64_t hash, const struct exchange *exchange, int64_t now_ns,
                    unsigned without, struct moments *pending) {
    for (size_t i = 0; i < exchange->burned_count; i++) {
        hash = hash_text(hash, exchange->burned[i].client_order_id);
        if ((without & MEANING_WITHOUT_TIMES) == 0)
            hash = id_in_time(hash, exchange->profile, exchange->burned[i].at_ns, now_ns, pending);
    }
    if (exchange->profile->day_turns_ns != PROFILE_NO_DAY && (without & MEANING_WITHOUT_TIMES) == 0)
        hash = id_in_time(hash, exchange->profile, now_ns, now_ns, pending);
    return hash_u64(hash, exchange->burned_count);
}

static uint64_t books(uint64_t hash, const struct exchange *exchange, int64_t now_ns,
                      unsigned without, struct moments *pending) {
    for (size_t i = 0; i < exchange->order_count; i++)
        hash = one_order(hash, exchange, i, now_ns, without, pending);
    for (size_t i = 0; i < exchange->fill_count; i++) {
        const struct broker_fill *fill = &exchange->fills[i];
        hash = hash_u64(hash_text(hash, fill->order_id), (uint64_t)fill->qty_nanos);
        hash = hash_u64(hash, (uint64_t)fill->price_nanos);
        hash = hash_u64(hash, fill->refers[0] == '\0' ? 0 : booked_index(exchange, fill->refers));
        /* Of their times only the order counts. */
        hash = hash_u64(hash, i > 0 && fill->at_ns == exchange->fills[i - 1].at_ns);
    }
    for (size_t i = 0; i < exchange->position_count; i++) {
        const struct exchange_position *position = &exchange->positions[i];
        hash = hash_u64(hash_text(hash, position->symbol), (uint64_t)position->qty_nanos);
        hash = hash_u64(hash_u64(hash, (uint64_t)position->cost), (uint64_t)(position->cost >> 64));
        hash = hash_u64(hash_u64(hash, (uint64_t)position->realized),
                        (uint64_t)(position->realized >> 64));
    }
    for (size_t i = 0; i < exchange->refusal_count; i++) {
        const struct exchange_refusal *refusal = &exchange->refusals[i];
        hash = hash_text(hash_text(hash, refusal->symbol), refusal->message);
        hash = hash_u64(hash_u64(hash, (uint64_t)refusal->side), (uint64_t)refusal->qty_nanos);
        hash = hash_u64(hash, (uint64_t)refusal->limit_nanos);
    }
    hash = ids(hash, exchange, now_ns, without, pending);
    return hash_u64(hash_u64(hash, exchange->order_count), exchange->fill_count);
}

static uint64_t under_way(uint64_t hash, const struct world *world, struct moments *pending) {
    for (size_t i = 0; i < world->flight_count; i++) {
        const struct flight *flight = &world->flights[i];
        hash = hash_text(hash_text(hash, flight->request.client_order_id), flight->request.symbol);
        hash = hash_u64(hash_u64(hash, (uint64_t)flight->request.side),
                        (uint64_t)flight->request.qty_nanos);
        hash = hash_u64(hash_text(hash, flight->order_id), (uint64_t)flight->request.limit_nanos);
        hash = hash_u64(hash_bytes(hash, flight->bytes, flight->length),
                        flight->is_copy + 2u * flight->request.possible_resend);
        /* What is due is not past: it still has to arrive. */
        hash = meaning_time(hash_u64(hash, 1), flight->due_ns, world->now_ns, pending);
    }
    return hash_u64(hash, world->flight_count);
}

uint64_t meaning_of_world(const struct sut *sut, const struct sut_config *config,
                          struct world *world, const char *path, unsigned without,
                          struct moments *pending) {
    uint64_t hash = 0, others = 0;
    CHECK(world->ahead_ns == 0);
    hash = one_disk(sut, config, world, world->disk, path, without, pending);
    if (!disk_is_clean(world->disk) && (without & MEANING_CACHE_ONLY) == 0)
        others = all_outcomes(sut, config, world, path, without, hash, pending);
    if (others != 0)
        hash = hash_u64(hash, others);
    if ((without & MEANING_WITHOUT_EXCHANGE) == 0)
        hash = books(hash, &world->exchange, world->now_ns, without, pending);
    hash = under_way(hash, world, pending);
    return hash_u64(hash_u64(hash, world->broker_down), (uint64_t)world->halt_file);
}
