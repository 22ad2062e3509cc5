/* Hashing a database by its pages, reading the log as SQLite's recovery does.
 *
 * (1) A frame counts when its salts are the log's, its running checksum is right, every frame
 *     before it counts, and a commit frame comes at or after it.
 * (2) Pages are hashed block by block, because the disk remembers the hashes of its blocks.
 * (3) Frames that equal those of the log read before, from its header on, are not summed and hashed
 *     again: a log is read many times while it grows. */
#include "sim/content.h"

#include "sim/check.h"
#include "sim/disk_file.h"
#include "sim/hash.h"

#include <stdlib.h>
#include <string.h>

/* SQLite's file format: https://www.sqlite.org/fileformat2.html */
enum {
    DB_HEADER = 100,
    DB_VERSIONS = 18, /* write and read version; 2, 2: WAL */
    WAL_HEADER = 32,
    WAL_FRAME_HEADER = 24,
    WAL_VERSION = 3007000,
    PAGE_MIN = 512,
    PAGE_MAX = 65536,
    PAGES_MAX = 1024 /* more are not worth it */
};
#define WAL_MAGIC UINT32_C(0x377f0682) /* the last bit: checksums of big-endian words */

struct checksum {
    uint32_t a, b;
};

/* The log that was read last: its header, then its good frames. Frame n is frames[n - 1]. */
struct kept_frame {
    struct checksum sum; /* after it */
    uint64_t page_hash;
};
static struct {
    unsigned char header[WAL_HEADER];
    int page_size;
    struct kept_frame *frames;
    unsigned char *bytes;
    uint32_t count, room;
} kept;

/* The log up to its last commit: which frame has the newest copy of each page. */
struct log {
    int slot;
    int page_size;
    bool big_endian;
    unsigned char salts[8];
    uint32_t committed;               /* frames that count */
    uint32_t page_count;              /* after the last commit; 0: nothing is committed */
    uint32_t frame_of[PAGES_MAX + 1]; /* 1, 2 ...; 0: the page is in the file */
};

static uint32_t big32(const unsigned char *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t little32(const unsigned char *at) {
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static void add_words(struct checksum *sum, const unsigned char *bytes, int length, bool big) {
    for (int i = 0; i < length; i += 8) {
        sum->a += (big ? big32(bytes + i) : little32(bytes + i)) + sum->b;
        sum->b += (big ? big32(bytes + i + 4) : little32(bytes + i + 4)) + sum->a;
    }
}

static bool is_sum(const struct checksum *sum, const unsigned char *at) {
    return sum->a == big32(at) && sum->b == big32(at + 4);
}

static bool is_page_size(uint32_t size) {
    return size >= PAGE_MIN && size <= PAGE_MAX && (size & (size - 1)) == 0;
}

static uint64_t hash_content(const unsigned char *page, int size) {
    uint64_t hash = 0;
    for (int at = 0; at < size; at += DISK_BLOCK)
        hash = hash_u64(hash, hash_bytes(0, page + at, DISK_BLOCK));
    return hash;
}

/* (3) What is kept of a log with another header is forgotten. */
static void keep_header(const unsigned char *header, int page_size) {
    if (kept.page_size == page_size && memcmp(kept.header, header, WAL_HEADER) == 0)
        return;
    if (kept.page_size != page_size) {
        free(kept.frames);
        free(kept.bytes);
        kept.frames = NULL;
        kept.bytes = NULL;
        kept.room = 0;
    }
    memcpy(kept.header, header, WAL_HEADER);
    kept.page_size = page_size;
    kept.count = 0;
}

static void keep_frame(uint32_t n, const unsigned char *frame, struct checksum sum) {
    size_t length = WAL_FRAME_HEADER + (size_t)kept.page_size;
    if (n > kept.room) {
        kept.room = kept.room == 0 ? 64 : 2 * kept.room;
        kept.frames = check_realloc(kept.frames, kept.room * sizeof *kept.frames);
        kept.bytes = check_realloc(kept.bytes, kept.room * length);
    }
    memcpy(kept.bytes + (n - 1) * length, frame, length);
    kept.frames[n - 1] = (struct kept_frame){
        .sum = sum, .page_hash = hash_content(frame + WAL_FRAME_HEADER, kept.page_size)};
    kept.count = n;
}

/* False: SQLite may refuse it. A log too short or damaged at its start is an empty one. */
static bool read_log_header(const struct disk *disk, struct log *log, struct checksum *sum,
                            bool *empty) {
    unsigned char header[WAL_HEADER];
    *empty = log->slot == DISK_NO_FILE ||
             disk_slot_read(disk, log->slot, 0, header, WAL_HEADER) < WAL_HEADER ||
             (big32(header) & ~UINT32_C(1)) != WAL_MAGIC || !is_page_size(big32(header + 8));
    if (*empty)
        return true;
    log->big_endian = (big32(header) & 1) != 0;
    add_words(sum, header, 24, log->big_endian);
    *empty = !is_sum(sum, header + 24);
    memcpy(log->salts, header + 16, sizeof log->salts);
    keep_header(header, log->page_size);
    return *empty ||
           (big32(header + 4) == WAL_VERSION && big32(header + 8) == (uint32_t)log->page_size);
}

static int64_t frame_at(const struct log *log, uint32_t frame) {
    return WAL_HEADER + (int64_t)(frame - 1) * (WAL_FRAME_HEADER + log->page_size);
}

/* Marks the pages of frames first .. last as being in them. */
static bool take_frames(const struct disk *disk, struct log *log, uint32_t first, uint32_t last) {
    for (uint32_t frame = first; frame <= last; frame++) {
        unsigned char number[4];
        disk_slot_read(disk, log->slot, frame_at(log, frame), number, sizeof number);
        if (big32(number) > PAGES_MAX)
            return false;
        log->frame_of[big32(number)] = frame;
    }
    return true;
}

/* Whether frame n, these bytes, is good after frames whose sum is *sum, which then includes it. */
static bool is_good_frame(const struct log *log, uint32_t n, const unsigned char *frame,
                          struct checksum *sum) {
    size_t length = WAL_FRAME_HEADER + (size_t)log->page_size;
    if (n <= kept.count && memcmp(kept.bytes + (n - 1) * length, frame, length) == 0) {
        *sum = kept.frames[n - 1].sum;
        return true;
    }
    if (memcmp(frame + 8, log->salts, sizeof log->salts) != 0 || big32(frame) == 0)
        return false;
    add_words(sum, frame, 8, log->big_endian);
    add_words(sum, frame + WAL_FRAME_HEADER, log->page_size, log->big_endian);
    if (!is_sum(sum, frame + 16))
        return false;
    keep_frame(n, frame, *sum);
    return true;
}

/* False: a page number beyond what is kept here. */
static bool read_frames(const struct disk *disk, struct log *log, struct checksum sum) {
    unsigned char frame[WAL_FRAME_HEADER + PAGE_MAX];
    int length = WAL_FRAME_HEADER + log->page_size;
    log->committed = 0;
    for (uint32_t i = 1; disk_slot_read(disk, log->slot, frame_at(log, i), frame, length) == length;
         i++) {
        if (!is_good_frame(log, i, frame, &sum))
            break;
        if (big32(frame + 4) == 0)
            continue;
        if (!take_frames(disk, log, log->committed + 1, i))
            return false;
        log->page_count = big32(frame + 4);
        log->committed = i;
    }
    return true;
}

static uint64_t hash_page(const struct disk *disk, int slot, const struct log *log, uint32_t page,
                          uint64_t hash) {
    int64_t block = (int64_t)(page - 1) * log->page_size / DISK_BLOCK;
    uint64_t content = 0;
    if (log->frame_of[page] != 0)
        return hash_u64(hash, kept.frames[log->frame_of[page] - 1].page_hash);
    for (int i = 0; i < log->page_size / DISK_BLOCK; i++)
        content = hash_u64(content, disk_slot_block_hash(disk, slot, block + i));
    return hash_u64(hash, content);
}

static bool is_wal_mode(const unsigned char *header) {
    return header[DB_VERSIONS] == 2 && header[DB_VERSIONS + 1] == 2;
}

/* The file whose name is `path` with this at its end; looked for too often to print the name. */
static int find_beside(const struct disk *disk, const char *path, const char *ending) {
    char name[DISK_NAME_SIZE + sizeof "-journal"];
    size_t length = strlen(path);
    CHECK(length < DISK_NAME_SIZE && strlen(ending) < sizeof "-journal");
    memcpy(name, path, length);
    memcpy(name + length, ending, strlen(ending) + 1);
    return disk_slot_find(disk, name);
}

/* Whether the file is whole pages in WAL mode, beside no rollback journal. */
static bool is_plain(const struct disk *disk, const char *path, int slot, int *page_size) {
    unsigned char header[DB_HEADER];
    uint32_t size = 0;
    if (find_beside(disk, path, "-journal") != DISK_NO_FILE ||
        disk_slot_read(disk, slot, 0, header, DB_HEADER) < DB_HEADER || !is_wal_mode(header))
        return false;
    size = (uint32_t)header[16] << 8 | header[17];
    *page_size = size == 1 ? PAGE_MAX : (int)size;
    return is_page_size((uint32_t)*page_size) && disk_slot_size(disk, slot) % *page_size == 0;
}

/* Page 1 may be in the log: there it must say WAL mode too. */
static bool stays_plain(const struct disk *disk, const struct log *log) {
    unsigned char header[DB_HEADER];
    if (log->frame_of[1] == 0)
        return true;
    disk_slot_read(disk, log->slot, frame_at(log, log->frame_of[1]) + WAL_FRAME_HEADER, header,
                   DB_HEADER);
    return is_wal_mode(header) && header[16] << 8 == (log->page_size & 0xff00);
}

bool content_look(const struct disk *disk, const char *path, struct content *content) {
    static struct log log; /* large; every field is set below */
    struct checksum sum = {0, 0};
    int slot = strlen(path) < DISK_NAME_SIZE ? disk_slot_find(disk, path) : DISK_NO_FILE;
    bool empty = false;
    if (slot == DISK_NO_FILE || !is_plain(disk, path, slot, &log.page_size))
        return false;
    log.slot = find_beside(disk, path, "-wal");
    log.page_count = log.committed = 0;
    memset(log.frame_of, 0, sizeof log.frame_of);
    if (!read_log_header(disk, &log, &sum, &empty) || (!empty && !read_frames(disk, &log, sum)))
        return false;
    if (log.page_count == 0)
        log.page_count = (uint32_t)(disk_slot_size(disk, slot) / log.page_size);
    if (log.page_count > PAGES_MAX || !stays_plain(disk, &log))
        return false;
    content->frames = log.committed;
    content->hash = hash_u64(log.page_count, (uint64_t)log.page_size);
    for (uint32_t page = 1; page <= log.page_count; page++)
        content->hash = hash_page(disk, slot, &log, page, content->hash);
    return true;
}

bool content_hash(const struct disk *disk, const char *path, uint64_t *hash) {
    struct content content;
    bool known = content_look(disk, path, &content);
    if (known)
        *hash = content.hash;
    return known;
}
