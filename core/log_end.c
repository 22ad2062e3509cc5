/* A frame counts when its salts are the log's and its running checksum is right; frames count up to
 * the last of them that is a commit. */
#include "core/log_end.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 32, FRAME_HEADER = 24, SALTS = 8, PAGE_MIN = 512, PAGE_MAX = 65536 };
#define MAGIC UINT32_C(0x377f0682) /* the last bit: checksums of big-endian words */

struct checksum {
    uint32_t a, b;
};

static uint32_t big32(const unsigned char *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t little32(const unsigned char *at) {
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static void add_words(struct checksum *sum, const unsigned char *bytes, size_t length, bool big) {
    for (size_t i = 0; i < length; i += 8) {
        sum->a += (big ? big32(bytes + i) : little32(bytes + i)) + sum->b;
        sum->b += (big ? big32(bytes + i + 4) : little32(bytes + i + 4)) + sum->a;
    }
}

static bool is_sum(const struct checksum *sum, const unsigned char *at) {
    return sum->a == big32(at) && sum->b == big32(at + 4);
}

/* Is it the header of a log, and of what page size? */
static bool read_header(const unsigned char header[HEADER], struct checksum *sum,
                        uint32_t *page_size) {
    *page_size = big32(header + 8);
    if ((big32(header) & ~UINT32_C(1)) != MAGIC || *page_size < PAGE_MIN || *page_size > PAGE_MAX ||
        (*page_size & (*page_size - 1)) != 0) {
        return false;
    }
    add_words(sum, header, HEADER - 8, (big32(header) & 1) != 0);
    return is_sum(sum, header + HEADER - 8);
}

static bool frame_counts(const unsigned char header[HEADER], const unsigned char *frame,
                         uint32_t page_size, struct checksum *sum) {
    const bool big = (big32(header) & 1) != 0;
    if (memcmp(frame + 8, header + 16, SALTS) != 0 || big32(frame) == 0) {
        return false;
    }
    add_words(sum, frame, 8, big);
    add_words(sum, frame + FRAME_HEADER, page_size, big);
    return is_sum(sum, frame + 16);
}

/* A file, or the bytes of one. */
struct source {
    sqlite3_file *file;
    const unsigned char *bytes;
};

static int read_source(const struct source *source, void *out, int length, sqlite3_int64 at) {
    if (source->file != NULL) {
        return source->file->pMethods->xRead(source->file, out, length, at);
    }
    memcpy(out, source->bytes + at, (size_t)length);
    return SQLITE_OK;
}

static int find_end(const struct source *log, sqlite3_int64 size, sqlite3_int64 *end) {
    unsigned char header[HEADER], next[FRAME_HEADER];
    unsigned char *frame = NULL;
    struct checksum sum = {0, 0};
    uint32_t page_size = 0;
    sqlite3_int64 at = HEADER, committed = HEADER, length = 0;
    int rc = SQLITE_OK;

    *end = size;
    if (size < HEADER + FRAME_HEADER) {
        return SQLITE_OK;
    }
    rc = read_source(log, header, HEADER, 0);
    if (rc != SQLITE_OK || !read_header(header, &sum, &page_size)) {
        return rc;
    }
    length = FRAME_HEADER + (sqlite3_int64)page_size;
    frame = malloc((size_t)length);
    if (frame == NULL) {
        return SQLITE_NOMEM;
    }
    for (; at + length <= size; at += length) {
        rc = read_source(log, frame, (int)length, at);
        if (rc != SQLITE_OK || !frame_counts(header, frame, page_size, &sum)) {
            break;
        }
        committed = big32(frame + 4) != 0 ? at + length : committed;
    }
    free(frame);
    if (rc == SQLITE_OK && committed + FRAME_HEADER <= size) {
        rc = read_source(log, next, FRAME_HEADER, committed);
        if (rc == SQLITE_OK && memcmp(next + 8, header + 16, SALTS) == 0) {
            *end = committed;
        }
    }
    return rc;
}

int log_end_find(sqlite3_file *log, sqlite3_int64 size, sqlite3_int64 *end) {
    return find_end(&(struct source){.file = log}, size, end);
}

int log_end_in(const void *bytes, sqlite3_int64 size, sqlite3_int64 *end) {
    return find_end(&(struct source){.bytes = bytes}, size, end);
}
