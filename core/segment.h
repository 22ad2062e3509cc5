/* A segment of the archive: finished orders with their executions, as bytes that never change, and
 * the filter that tells which of them may be in it.
 *
 * What is here knows nothing of files; core/archive.h does. */
#ifndef CORE_SEGMENT_H
#define CORE_SEGMENT_H

#include "core/index.h"
#include "core/order.h"
#include "core/position.h"
#include "core/sha256.h"

enum { SEGMENT_ORDERS_MAX = 4096, SEGMENT_FILLS_MAX = 1 << 18 };

struct segment_fill {
    struct broker_fill fill;
    int64_t order_row; /* 0: an adjustment */
};
/* What the archive held of a position before this segment was added to it. */
struct segment_before {
    char symbol[BROKER_SYMBOL_SIZE];
    struct position_base base;
};

struct segment {          /* all zero is empty; release with segment_free */
    int64_t id;           /* 0: none */
    struct order *orders; /* by row */
    size_t order_count;
    struct segment_fill *fills; /* by symbol, time and execution id */
    size_t fill_count;
    struct segment_before *befores; /* by symbol: the positions that its executions moved */
    size_t before_count;
    struct index by_client_id, by_broker_id; /* of its orders, once it was unpacked ... */
    struct index by_execution;               /* ... and of its executions */
};

/* Room for that many of each; false: no memory. */
bool segment_make(struct segment *segment, size_t orders, size_t fills, size_t befores);
void segment_free(struct segment *segment);

/* Its bytes, to be freed by the caller. NULL: no memory. */
unsigned char *segment_pack(const struct segment *segment, size_t *size);
/* And back; *segment was empty. False: these are no segment's bytes, or no memory. */
bool segment_unpack(const unsigned char *bytes, size_t size, struct segment *segment);

/* What the live store keeps of a segment. */
enum segment_id { SEGMENT_CLIENT_ID, SEGMENT_BROKER_ID };
struct segment_row {
    int64_t id, orders, size;
    unsigned char digest[SHA256_SIZE]; /* of its bytes */
    unsigned char *filter;             /* segment_filter_size(orders) bytes, owned */
    int64_t seal;                      /* segment_seal, if the row is whole */
};
size_t segment_filter_size(int64_t orders);
/* Fills row->filter, which has room. */
void segment_filter(const struct segment *segment, struct segment_row *row);
/* An id made ready for being asked about in many filters. */
struct segment_key {
    enum segment_id which;
    uint64_t start, step;
};
struct segment_key segment_key(enum segment_id which, const char *id);
/* False: it is certainly not in the segment. */
bool segment_may_have(const struct segment_row *row, const struct segment_key *key);
/* A number that any change of the rest of the row changes: a bit that flips in a filter would hide a
 * decision. */
int64_t segment_seal(const struct segment_row *row);

#endif
