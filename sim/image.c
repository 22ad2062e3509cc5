/* Copy-on-write file content.
 *
 * (1) A leaf or block with more than one user is never changed: own_leaf and own_block come first.
 * (2) A cached hash is forgotten by whoever owns to change. */
#include "sim/image.h"

#include "sim/disk.h"
#include "sim/hash.h"

#include <stdlib.h>
#include <string.h>

enum { LEAF_BLOCKS = 16, LEAF_SIZE = LEAF_BLOCKS * DISK_BLOCK };

struct block {
    unsigned users;
    bool hashed;
    uint64_t hash;
    unsigned char bytes[DISK_BLOCK];
};

struct leaf {
    unsigned users;
    bool hashed;
    uint64_t hash;
    struct block *blocks[LEAF_BLOCKS];
};

static const unsigned char zeros[DISK_BLOCK];

void *image_alloc(size_t size) {
    void *memory = malloc(size);
    if (!memory)
        abort();
    return memory;
}

static size_t leaf_count(int64_t size) {
    return (size_t)((size + LEAF_SIZE - 1) / LEAF_SIZE);
}

static void block_release(struct block *block) {
    if (block && --block->users == 0)
        free(block);
}

static void leaf_release(struct leaf *leaf) {
    if (!leaf || --leaf->users > 0)
        return;
    for (int i = 0; i < LEAF_BLOCKS; i++)
        block_release(leaf->blocks[i]);
    free(leaf);
}

static struct leaf *leaf_share(struct leaf *leaf) {
    if (leaf)
        leaf->users++;
    return leaf;
}

static struct leaf *leaf_new(const struct leaf *from) {
    struct leaf *leaf = image_alloc(sizeof *leaf);
    *leaf = from ? *from : (struct leaf){0};
    leaf->users = 1;
    for (int i = 0; i < LEAF_BLOCKS; i++)
        if (leaf->blocks[i])
            leaf->blocks[i]->users++;
    return leaf;
}

static struct leaf *own_leaf(struct image *image, size_t index) {
    struct leaf *leaf = image->leaves[index];
    if (!leaf || leaf->users > 1) {
        image->leaves[index] = leaf_new(leaf);
        leaf_release(leaf);
        leaf = image->leaves[index];
    }
    leaf->hashed = false;
    return leaf;
}

/* The caller overwrites all of the block when `whole`: then its old bytes are not copied. */
static struct block *own_block(struct leaf *leaf, size_t index, bool whole) {
    struct block *block = leaf->blocks[index];
    if (!block || block->users > 1) {
        struct block *fresh = image_alloc(sizeof *fresh);
        fresh->users = 1;
        if (!whole)
            memcpy(fresh->bytes, block ? block->bytes : zeros, DISK_BLOCK);
        block_release(block);
        leaf->blocks[index] = block = fresh;
    }
    block->hashed = false;
    return block;
}

static const unsigned char *block_bytes(const struct image *image, int64_t offset) {
    const struct leaf *leaf = image->leaves[offset / LEAF_SIZE];
    const struct block *block = leaf ? leaf->blocks[offset % LEAF_SIZE / DISK_BLOCK] : NULL;
    return block ? block->bytes : zeros;
}

static void make_room(struct image *image, size_t count) {
    if (count <= image->room)
        return;
    size_t room = image->room ? image->room : 4;
    while (room < count)
        room *= 2;
    struct leaf **leaves = image_alloc(room * sizeof *leaves);
    memset(leaves, 0, room * sizeof *leaves);
    if (image->room)
        memcpy(leaves, image->leaves, image->room * sizeof *leaves);
    free(image->leaves);
    image->leaves = leaves;
    image->room = room;
}

static void release_leaves_from(struct image *image, size_t first) {
    for (size_t i = first, end = leaf_count(image->size); i < end; i++) {
        leaf_release(image->leaves[i]);
        image->leaves[i] = NULL;
    }
}

void image_free(struct image *image) {
    release_leaves_from(image, 0);
    free(image->leaves);
    *image = (struct image){0};
}

void image_copy(struct image *to, const struct image *from) {
    *to = (struct image){0};
    image_assign(to, from);
}

void image_assign(struct image *to, const struct image *from) {
    size_t count = leaf_count(from->size);
    release_leaves_from(to, count);
    make_room(to, count);
    for (size_t i = 0; i < count; i++)
        if (to->leaves[i] != from->leaves[i]) {
            leaf_release(to->leaves[i]);
            to->leaves[i] = leaf_share(from->leaves[i]);
        }
    to->size = from->size;
}

/* How much of [offset, offset + length) lies in the block of `offset`. */
static int span_in_block(int64_t offset, int length) {
    int span = DISK_BLOCK - (int)(offset % DISK_BLOCK);
    return span < length ? span : length;
}

int image_read(const struct image *image, int64_t offset, void *out, int length) {
    int inside = 0;
    if (offset < image->size)
        inside = image->size - offset < length ? (int)(image->size - offset) : length;
    unsigned char *to = out;
    for (int done = 0, span; done < inside; done += span) {
        int64_t at = offset + done;
        span = span_in_block(at, inside - done);
        memcpy(to + done, block_bytes(image, at) + at % DISK_BLOCK, (size_t)span);
    }
    memset(to + inside, 0, (size_t)(length - inside));
    return inside;
}

void image_write(struct image *image, int64_t offset, const void *bytes, int length) {
    const unsigned char *from = bytes;
    if (offset + length > image->size)
        image_resize(image, offset + length);
    for (int done = 0, span; done < length; done += span) {
        int64_t at = offset + done;
        span = span_in_block(at, length - done);
        if (memcmp(block_bytes(image, at) + at % DISK_BLOCK, from + done, (size_t)span) == 0)
            continue; /* so that rewriting a file keeps its blocks shared, and their hashes */
        struct leaf *leaf = own_leaf(image, (size_t)(at / LEAF_SIZE));
        size_t index = (size_t)(at % LEAF_SIZE / DISK_BLOCK);
        struct block *block = own_block(leaf, index, span == DISK_BLOCK);
        memcpy(block->bytes + at % DISK_BLOCK, from + done, (size_t)span);
    }
}

/* Zeros from `size` to the end of its leaf, so that growing again finds zeros there. */
static void clear_last_leaf(struct image *image, int64_t size) {
    int64_t tail = size % LEAF_SIZE;
    if (tail == 0 || !image->leaves[size / LEAF_SIZE])
        return;
    struct leaf *leaf = own_leaf(image, (size_t)(size / LEAF_SIZE));
    size_t first = (size_t)((tail + DISK_BLOCK - 1) / DISK_BLOCK);
    for (size_t i = first; i < LEAF_BLOCKS; i++) {
        block_release(leaf->blocks[i]);
        leaf->blocks[i] = NULL;
    }
    int64_t inside = tail % DISK_BLOCK;
    if (inside != 0 && leaf->blocks[first - 1]) {
        struct block *block = own_block(leaf, first - 1, false);
        memset(block->bytes + inside, 0, (size_t)(DISK_BLOCK - inside));
    }
}

void image_resize(struct image *image, int64_t size) {
    if (size < image->size) {
        release_leaves_from(image, leaf_count(size));
        clear_last_leaf(image, size);
    } else {
        make_room(image, leaf_count(size));
    }
    image->size = size;
}

bool image_holds(const struct image *image, int64_t offset, const void *bytes, int length) {
    const unsigned char *expected = bytes;
    if (offset + length > image->size)
        return false;
    for (int done = 0, span; done < length; done += span) {
        int64_t at = offset + done;
        span = span_in_block(at, length - done);
        if (memcmp(block_bytes(image, at) + at % DISK_BLOCK, expected + done, (size_t)span) != 0)
            return false;
    }
    return true;
}

static bool leaf_equal(const struct leaf *a, const struct leaf *b) {
    for (int i = 0; i < LEAF_BLOCKS; i++) {
        const struct block *x = a ? a->blocks[i] : NULL;
        const struct block *y = b ? b->blocks[i] : NULL;
        if (x != y && memcmp(x ? x->bytes : zeros, y ? y->bytes : zeros, DISK_BLOCK) != 0)
            return false;
    }
    return true;
}

bool image_equal(const struct image *a, const struct image *b) {
    if (a->size != b->size)
        return false;
    for (size_t i = 0, count = leaf_count(a->size); i < count; i++)
        if (a->leaves[i] != b->leaves[i] && !leaf_equal(a->leaves[i], b->leaves[i]))
            return false;
    return true;
}

static uint64_t block_hash(struct block *block) {
    static struct block zero_block;
    if (!block)
        block = &zero_block;
    if (!block->hashed) {
        block->hash = hash_bytes(0, block->bytes, DISK_BLOCK);
        block->hashed = true;
    }
    return block->hash;
}

static uint64_t leaf_hash(struct leaf *leaf) {
    static struct leaf zero_leaf;
    if (!leaf)
        leaf = &zero_leaf;
    if (!leaf->hashed) {
        leaf->hash = LEAF_BLOCKS;
        for (int i = 0; i < LEAF_BLOCKS; i++)
            leaf->hash = hash_u64(leaf->hash, block_hash(leaf->blocks[i]));
        leaf->hashed = true;
    }
    return leaf->hash;
}

uint64_t image_hash(const struct image *image) {
    uint64_t hash = (uint64_t)image->size;
    for (size_t i = 0, count = leaf_count(image->size); i < count; i++)
        hash = hash_u64(hash, leaf_hash(image->leaves[i]));
    return hash_u64(hash, (uint64_t)image->size);
}

uint64_t image_block_hash(const struct image *image, int64_t n) {
    struct leaf *leaf =
        n / LEAF_BLOCKS < (int64_t)leaf_count(image->size) ? image->leaves[n / LEAF_BLOCKS] : NULL;
    return block_hash(leaf != NULL ? leaf->blocks[n % LEAF_BLOCKS] : NULL);
}
