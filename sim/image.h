/* The content of a file as a value: blocks shared copy-on-write between copies, hashed once.
 *
 * Two levels: an image points to leaves, a leaf to blocks; both are counted by their users. A
 * missing leaf or block is zeros. Bytes past `size` in the last block are zeros, always, so equal
 * content is equal blocks. Single-threaded. */
#ifndef SIM_IMAGE_H
#define SIM_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IMAGE_SIZE_MAX = 64 << 20 }; /* callers refuse what would grow beyond it */

struct leaf;
struct image { /* all zero: an empty file */
    int64_t size;
    size_t room; /* leaves allocated; those not in use are NULL */
    struct leaf **leaves;
};

void image_free(struct image *image);
void image_copy(struct image *to, const struct image *from);   /* `to` is uninitialized */
void image_assign(struct image *to, const struct image *from); /* `to` holds an image */

/* Reads; what lies past the end reads as zeros. Returns how many bytes were inside. */
int image_read(const struct image *image, int64_t offset, void *out, int length);
/* Writes; a write past the end extends the image, with zeros between. */
void image_write(struct image *image, int64_t offset, const void *bytes, int length);
void image_resize(struct image *image, int64_t size);

/* Whether a write of these bytes there would change nothing. */
bool image_holds(const struct image *image, int64_t offset, const void *bytes, int length);
bool image_equal(const struct image *a, const struct image *b);
uint64_t image_hash(const struct image *image);
/* hash_bytes(0, ...) of the n-th block of DISK_BLOCK bytes; past the end they are zeros. */
uint64_t image_block_hash(const struct image *image, int64_t n);

/* Memory or the end of the process: a simulation that lacks memory has no result. */
void *image_alloc(size_t size);

#endif
