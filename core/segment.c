/* Packing: numbers are eight bytes, lowest first; texts are their length in one byte, then
 * themselves. */
#include "core/segment.h"

#include "core/check.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

static const char magic[] = "cgOMarch1";

/* ---- room ---- */

bool segment_make(struct segment *segment, size_t orders, size_t fills, size_t befores) {
    segment->orders = calloc(orders + 1, sizeof *segment->orders);
    segment->fills = calloc(fills + 1, sizeof *segment->fills);
    segment->befores = calloc(befores + 1, sizeof *segment->befores);
    return segment->orders != NULL && segment->fills != NULL && segment->befores != NULL;
}

void segment_free(struct segment *segment) {
    free(segment->orders);
    free(segment->fills);
    free(segment->befores);
    index_free(&segment->by_client_id);
    index_free(&segment->by_broker_id);
    index_free(&segment->by_execution);
    *segment = (struct segment){0};
}

/* ---- packing and unpacking share one description of what is in it ---- */

/* Bytes on their way out (`out`) or in (`in`). A failure stays: what follows does nothing. */
struct stream {
    unsigned char *out;
    size_t used, room;
    const unsigned char *in;
    size_t size;
    bool failed;
};

static unsigned char *reserve(struct stream *stream, size_t more) {
    if (!stream->failed && stream->used + more > stream->room) {
        const size_t room = (stream->used + more) * 2 + 4096;
        unsigned char *grown = realloc(stream->out, room);
        stream->failed = grown == NULL;
        stream->out = grown != NULL ? grown : stream->out;
        stream->room = grown != NULL ? room : stream->room;
    }
    return stream->failed ? NULL : stream->out + stream->used;
}

static const unsigned char *take(struct stream *stream, size_t count) {
    stream->failed = stream->failed || stream->size - stream->used < count;
    stream->used += stream->failed ? 0 : count;
    return stream->failed ? NULL : stream->in + stream->used - count;
}

static void pass_number(struct stream *stream, int64_t *value) {
    uint64_t bits = 0;
    if (stream->in != NULL) {
        const unsigned char *from = take(stream, 8);
        for (int i = 7; from != NULL && i >= 0; i--) {
            bits = bits << 8 | from[i];
        }
        *value = (int64_t)bits;
        return;
    }
    unsigned char *to = reserve(stream, 8);
    bits = (uint64_t)*value;
    for (int i = 0; to != NULL && i < 8; i++) {
        to[i] = (unsigned char)(bits >> 8 * i & 0xff);
    }
    stream->used += to != NULL ? 8 : 0;
}

static void pass_text(struct stream *stream, char *text, size_t size) {
    if (stream->in != NULL) {
        const unsigned char *length = take(stream, 1);
        const unsigned char *from = length != NULL ? take(stream, *length) : NULL;
        stream->failed = stream->failed || from == NULL || *length >= size;
        if (!stream->failed) {
            memcpy(text, from, *length);
            text[*length] = '\0';
        }
        return;
    }
    const size_t length = strlen(text);
    unsigned char *to = reserve(stream, length + 2);
    CHECK(length < 256);
    if (to != NULL) {
        to[0] = (unsigned char)length;
        memcpy(to + 1, text, length + 1); /* what comes next is written over the closing zero */
        stream->used += length + 1;
    }
}

static void pass_wide(struct stream *stream, decimal_wide *value) {
    int64_t high = (int64_t)(*value >> 64), low = (int64_t)(uint64_t)*value;
    pass_number(stream, &high);
    pass_number(stream, &low);
    __extension__ const unsigned __int128 bits =
        (unsigned __int128)(uint64_t)high << 64 | (uint64_t)low;
    *value = (decimal_wide)bits;
}

/* Something that is small: a word, a count, a truth. */
static int pass_small(struct stream *stream, int64_t value) {
    pass_number(stream, &value);
    stream->failed = stream->failed || value < 0 || value > INT32_MAX;
    return stream->failed ? 0 : (int)value;
}

static void pass_order(struct stream *stream, struct order *order) {
    struct oms_order *pub = &order->pub;
    struct oms_decision *decision = &pub->decision;

    pass_number(stream, &order->id);
    pass_text(stream, decision->id, sizeof decision->id);
    pass_text(stream, decision->symbol, sizeof decision->symbol);
    decision->side = (enum broker_side)pass_small(stream, decision->side);
    decision->type = (enum broker_type)pass_small(stream, decision->type);
    decision->tif = (enum broker_tif)pass_small(stream, decision->tif);
    pass_number(stream, &decision->qty_nanos);
    pass_number(stream, &decision->limit_nanos);
    pass_number(stream, &decision->expires_ns);
    pass_text(stream, pub->client_order_id, sizeof pub->client_order_id);
    pass_text(stream, pub->broker_order_id, sizeof pub->broker_order_id);
    pub->state = (enum oms_state)pass_small(stream, pub->state);
    pass_text(stream, pub->reason, sizeof pub->reason);
    pass_number(stream, &pub->filled_nanos);
    pub->sends = pass_small(stream, pub->sends);
    pub->cancel_asked = pass_small(stream, pub->cancel_asked) != 0;
    pass_number(stream, &pub->created_ns);
    pass_number(stream, &order->first_send_ns);
    pass_number(stream, &order->send_by_ns);
    pass_number(stream, &order->seal);
}

static void pass_fill(struct stream *stream, struct segment_fill *row) {
    struct broker_fill *fill = &row->fill;

    pass_text(stream, fill->execution_id, sizeof fill->execution_id);
    pass_number(stream, &row->order_row);
    pass_text(stream, fill->symbol, sizeof fill->symbol);
    fill->side = (enum broker_side)pass_small(stream, fill->side);
    pass_number(stream, &fill->qty_nanos);
    pass_number(stream, &fill->price_nanos);
    pass_number(stream, &fill->at_ns);
    pass_text(stream, fill->refers, sizeof fill->refers);
}

static void pass_before(struct stream *stream, struct segment_before *before) {
    struct position_base *base = &before->base;

    pass_text(stream, before->symbol, sizeof before->symbol);
    base->set = pass_small(stream, base->set) != 0;
    base->adjusted = pass_small(stream, base->adjusted) != 0;
    pass_number(stream, &base->qty);
    pass_wide(stream, &base->cost);
    pass_wide(stream, &base->realized);
    pass_number(stream, &base->last_ns);
    pass_text(stream, base->last_execution, sizeof base->last_execution);
}

static void pass_rows(struct stream *stream, struct segment *segment) {
    for (size_t i = 0; i < segment->before_count; i++) {
        pass_before(stream, &segment->befores[i]);
    }
    for (size_t i = 0; i < segment->order_count; i++) {
        pass_order(stream, &segment->orders[i]);
    }
    for (size_t i = 0; i < segment->fill_count; i++) {
        pass_fill(stream, &segment->fills[i]);
    }
}

unsigned char *segment_pack(const struct segment *segment, size_t *size) {
    struct stream stream = {.out = NULL};
    struct segment copy = *segment; /* what it points to stays as it is, unless memory runs out */
    char mark[sizeof magic];

    memcpy(mark, magic, sizeof magic);
    pass_text(&stream, mark, sizeof mark);
    pass_number(&stream, &copy.id);
    (void)pass_small(&stream, (int64_t)segment->before_count);
    (void)pass_small(&stream, (int64_t)segment->order_count);
    (void)pass_small(&stream, (int64_t)segment->fill_count);
    pass_rows(&stream, &copy);
    if (stream.failed) {
        free(stream.out);
        return NULL;
    }
    *size = stream.used;
    return stream.out;
}

static bool index_rows(struct segment *segment) {
    bool ok = index_reserve(&segment->by_client_id, segment->order_count) &&
              index_reserve(&segment->by_broker_id, segment->order_count) &&
              index_reserve(&segment->by_execution, segment->fill_count);
    for (size_t i = 0; ok && i < segment->order_count; i++) {
        struct order *order = &segment->orders[i];
        (void)index_put(&segment->by_client_id, order->pub.client_order_id, order);
        if (order->pub.broker_order_id[0] != '\0') {
            (void)index_put(&segment->by_broker_id, order->pub.broker_order_id, order);
        }
    }
    for (size_t i = 0; ok && i < segment->fill_count; i++) {
        (void)index_put(&segment->by_execution, segment->fills[i].fill.execution_id,
                        &segment->fills[i]);
    }
    return ok;
}

bool segment_unpack(const unsigned char *bytes, size_t size, struct segment *segment) {
    struct stream stream = {.in = bytes, .size = size};
    char mark[sizeof magic] = "";
    size_t befores, orders, fills;

    CHECK(bytes != NULL);
    pass_text(&stream, mark, sizeof mark);
    pass_number(&stream, &segment->id);
    befores = (size_t)pass_small(&stream, 0);
    orders = (size_t)pass_small(&stream, 0);
    fills = (size_t)pass_small(&stream, 0);
    if (stream.failed || strcmp(mark, magic) != 0 || orders > SEGMENT_ORDERS_MAX ||
        fills > SEGMENT_FILLS_MAX || befores > SEGMENT_FILLS_MAX ||
        !segment_make(segment, orders, fills, befores)) {
        return false;
    }
    segment->before_count = befores;
    segment->order_count = orders;
    segment->fill_count = fills;
    pass_rows(&stream, segment);
    CHECK(stream.out == NULL); /* it only read */
    return !stream.failed && stream.used == size && index_rows(segment);
}

/* ---- the filter: of every id some bits are set, and an id of which one is not was never there ----
 *
 * New decisions are asked about in every segment, so that their part is the sharper one: of 500
 * segments one in a hundred thousand decisions or so is looked for in vain. */

enum { CLIENT_BYTES = 4, BROKER_BYTES = 2, LEAST = 8, BITS_SET = 11 };

static size_t part_size(enum segment_id which, int64_t orders) {
    return LEAST + (size_t)orders * (which == SEGMENT_CLIENT_ID ? CLIENT_BYTES : BROKER_BYTES);
}

size_t segment_filter_size(int64_t orders) {
    return part_size(SEGMENT_CLIENT_ID, orders) + part_size(SEGMENT_BROKER_ID, orders);
}

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

struct segment_key segment_key(enum segment_id which, const char *id) {
    struct segment_key key = {.which = which};
    uint64_t hash = 0;
    for (; *id != '\0'; id++) {
        hash = mix(hash, (unsigned char)*id);
    }
    key.start = mix(hash, 1);
    key.step = mix(hash, 2) | 1;
    return key;
}

/* The n-th bit of a key in a part of so many bits. */
static size_t bit_of(const struct segment_key *key, unsigned n, size_t bits) {
    return (size_t)((key->start + n * key->step) % bits);
}

static void note(struct segment_row *row, enum segment_id which, const char *id) {
    const struct segment_key key = segment_key(which, id);
    const size_t bits = part_size(which, row->orders) * 8;
    unsigned char *part =
        row->filter + (which == SEGMENT_CLIENT_ID ? 0 : part_size(SEGMENT_CLIENT_ID, row->orders));
    for (unsigned n = 0; n < BITS_SET; n++) {
        const size_t bit = bit_of(&key, n, bits);
        part[bit / 8] |= (unsigned char)(1u << bit % 8);
    }
}

void segment_filter(const struct segment *segment, struct segment_row *row) {
    memset(row->filter, 0, segment_filter_size(row->orders));
    for (size_t i = 0; i < segment->order_count; i++) {
        const struct oms_order *pub = &segment->orders[i].pub;
        note(row, SEGMENT_CLIENT_ID, pub->client_order_id);
        if (pub->broker_order_id[0] != '\0') {
            note(row, SEGMENT_BROKER_ID, pub->broker_order_id);
        }
    }
}

bool segment_may_have(const struct segment_row *row, const struct segment_key *key) {
    const size_t bits = part_size(key->which, row->orders) * 8;
    const unsigned char *part =
        row->filter +
        (key->which == SEGMENT_CLIENT_ID ? 0 : part_size(SEGMENT_CLIENT_ID, row->orders));
    for (unsigned n = 0; n < BITS_SET; n++) {
        const size_t bit = bit_of(key, n, bits);
        if ((part[bit / 8] >> bit % 8 & 1) == 0) {
            return false;
        }
    }
    return true;
}

static uint64_t mix_bytes(uint64_t hash, const unsigned char *bytes, size_t size) {
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        uint64_t word = 0;
        for (size_t i = 8; i-- > 0;) {
            word = word << 8 | bytes[at + i];
        }
        hash = mix(hash, word);
    }
    for (; at < size; at++) {
        hash = mix(hash, bytes[at]);
    }
    return hash;
}

int64_t segment_seal(const struct segment_row *row) {
    uint64_t hash = mix(mix(mix(0, (uint64_t)row->id), (uint64_t)row->orders), (uint64_t)row->size);
    hash = mix_bytes(hash, row->digest, sizeof row->digest);
    return (int64_t)mix_bytes(hash, row->filter, segment_filter_size(row->orders));
}
