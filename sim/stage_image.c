/* Disks with a fresh store on them, made once and copied. */
#include "sim/stage_parts.h"

#include "sim/check.h"
#include "sim/hash.h"
#include "sim/sut_call.h"

#include <stdlib.h>

/* ---- remembered ---- */

struct image {
    uint64_t key;
    struct disk *disk;
    struct image *older;
};
static struct image *images;
enum { IMAGES_MAX = 1024 }; /* then all are forgotten */
static unsigned image_count;

void stage_forget_images(void) {
    while (images != NULL) {
        struct image *older = images->older;
        disk_free(images->disk);
        free(images);
        images = older;
    }
    image_count = 0;
}

/* ---- a port at which nothing happens ---- */

static struct port_answer let_pass(void *ctx, const struct port_call *call) {
    (void)ctx;
    (void)call;
    return (struct port_answer){0};
}
static void ignore_call(void *ctx, const struct port_call *call) {
    (void)ctx;
    (void)call;
}
static void ignore_wait(void *ctx, int64_t until_ns) {
    (void)ctx;
    (void)until_ns;
}

struct port stage_calm_port(void *ctx, int64_t (*now)(void *ctx)) {
    return (struct port){
        .ctx = ctx, .before = let_pass, .after = ignore_call, .wait = ignore_wait, .now = now};
}

void stage_tell_nobody(void *ctx, const struct oms_event *event) {
    (void)ctx;
    (void)event;
}

/* ---- making one ---- */

static int64_t time_at(void *ctx) {
    return *(const int64_t *)ctx;
}
static enum oms_halt_file no_halt_file(void *ctx) {
    (void)ctx;
    return OMS_HALT_ABSENT;
}

static uint64_t image_key(const struct sut *sut, const struct sut_config *config, int64_t now_ns,
                          const struct oms_opening *opening, size_t opening_count) {
    uint64_t key = hash_text((uint64_t)(uintptr_t)sut, config->profile->name);
    key = hash_u64(hash_text(key, config->account), (uint64_t)config->page_size);
    key = hash_u64(hash_u64(key, (uint64_t)config->checkpoint_frames), (uint64_t)now_ns);
    key = hash_u64(key, (uint64_t)config->store_version);
    for (size_t i = 0; i < opening_count; i++) {
        key = hash_u64(hash_text(key, opening[i].symbol), (uint64_t)opening[i].qty_nanos);
        key = hash_u64(key, (uint64_t)opening[i].price_nanos);
    }
    return key;
}

struct disk *stage_image(const struct sut *sut, const struct sut_config *config, int64_t now_ns,
                         const struct oms_opening *opening, size_t opening_count,
                         char why[SUT_WHY_SIZE]) {
    uint64_t key = image_key(sut, config, now_ns, opening, opening_count);
    struct port port = stage_calm_port(&now_ns, time_at);
    struct sut_ports ports = {.vfs = "sim",
                              .path = STAGE_STORE,
                              .env = {.ctx = &now_ns,
                                      .now_ns = time_at,
                                      .steady_ns = time_at,
                                      .halt_file = no_halt_file,
                                      .emit = stage_tell_nobody}};
    struct image *image = images;
    struct disk *disk = NULL;
    bool made = false;
    while (image != NULL && image->key != key)
        image = image->older;
    if (image != NULL)
        return disk_copy(image->disk);
    disk = disk_new();
    sut_catch_stops();
    disk_vfs_attach("sim", disk, &port, 1);
    made = sut_create(sut, &ports, config, opening, opening_count, why);
    disk_vfs_attach("sim", NULL, NULL, 0);
    if (!made) {
        (void)sut_stopped(why);
        disk_free(disk);
        return NULL;
    }
    disk_kill(disk);
    if (image_count == IMAGES_MAX)
        stage_forget_images();
    image_count++;
    image = check_zalloc(1, sizeof *image);
    *image = (struct image){.key = key, .disk = disk, .older = images};
    images = image;
    return disk_copy(disk);
}
