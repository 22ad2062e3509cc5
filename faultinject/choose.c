/* The answerers: nothing, odometer, single, seeded. */
#include "faultinject/choose.h"

#include "sim/check.h"
#include "sim/hash.h"

#include <stdlib.h>

static uint32_t answer_nothing(void *ctx, enum choice kind, uint32_t n) {
    (void)ctx;
    (void)kind;
    (void)n;
    return 0;
}

struct chooser chooser_nothing(void) {
    return (struct chooser){.choose = answer_nothing};
}

/* ---- odometer: depth first, the last digit turns fastest ---- */

void odometer_init(struct odometer *odometer) {
    *odometer = (struct odometer){.paths = 1};
}

void odometer_free(struct odometer *odometer) {
    free(odometer->digits);
    *odometer = (struct odometer){0};
}

static uint32_t answer_odometer(void *ctx, enum choice kind, uint32_t n) {
    struct odometer *odometer = ctx;
    struct digit *digit = NULL;
    if (odometer->asked == odometer->count) {
        CHECK_ROOM(odometer->digits, odometer->count, odometer->cap, ODOMETER_MAX);
        odometer->digits[odometer->count++] = (struct digit){.answer = 0, .n = n, .kind = kind};
    }
    digit = &odometer->digits[odometer->asked++];
    /* The same answers must lead to the same questions, or the enumeration is not complete. */
    CHECK(digit->n == n && digit->kind == kind);
    return digit->answer;
}

struct chooser odometer_chooser(struct odometer *odometer) {
    return (struct chooser){.ctx = odometer, .choose = answer_odometer};
}

bool odometer_next(struct odometer *odometer) {
    CHECK(odometer->asked == odometer->count);
    odometer->asked = 0;
    while (odometer->count > 0) {
        struct digit *last = &odometer->digits[odometer->count - 1];
        if (++last->answer < last->n) {
            odometer->paths++;
            return true;
        }
        odometer->count--;
    }
    return false;
}

/* ---- single ---- */

struct single single_at(uint64_t at, uint64_t seed) {
    return (struct single){.state = seed_named(seed, "single"), .at = at};
}

static uint32_t answer_single(void *ctx, enum choice kind, uint32_t n) {
    struct single *single = ctx;
    single->asked++;
    if (single->at == 0 || single->asked < single->at)
        return 0;
    if (single->asked == single->at)
        return 1 + (uint32_t)(random_next(&single->state) % (n - 1));
    return kind == CHOICE_POWER ? (uint32_t)(random_next(&single->state) % n) : 0;
}

struct chooser single_chooser(struct single *single) {
    return (struct chooser){.ctx = single, .choose = answer_single};
}

/* ---- seeded ---- */

void seeded_init(struct seeded *seeded, uint64_t seed) {
    uint64_t swarm = seed_named(seed, "swarm");
    *seeded = (struct seeded){.state = seed_named(seed, "choose")};
    for (int i = 0; i < CHOICE_KIND_COUNT; i++) {
        static const uint32_t weights[] = {0, 5, 30, 120, 400};
        seeded->per_mille[i] = weights[random_next(&swarm) % (sizeof weights / sizeof weights[0])];
    }
    /* Which writes survive a power loss is no rare event: every outcome is as likely. */
    seeded->per_mille[CHOICE_POWER] = 1000;
}

static uint32_t answer_seeded(void *ctx, enum choice kind, uint32_t n) {
    struct seeded *seeded = ctx;
    if (kind == CHOICE_POWER)
        return (uint32_t)(random_next(&seeded->state) % n);
    if (random_next(&seeded->state) % 1000 >= seeded->per_mille[kind])
        return 0;
    return 1 + (uint32_t)(random_next(&seeded->state) % (n - 1));
}

struct chooser seeded_chooser(struct seeded *seeded) {
    return (struct chooser){.ctx = seeded, .choose = answer_seeded};
}
