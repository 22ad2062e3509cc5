/* One question, many answerers: which of n ways does the world go? Answer 0: nothing goes wrong. */
#ifndef FAULTINJECT_CHOOSE_H
#define FAULTINJECT_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a question is about; answerers may weigh kinds differently. */
enum choice { CHOICE_CRASH, CHOICE_POWER, CHOICE_FAULT, CHOICE_FAULT_ARG, CHOICE_KIND_COUNT };

struct chooser {
    void *ctx;
    /* 0 <= answer < n; n >= 1. */
    uint32_t (*choose)(void *ctx, enum choice kind, uint32_t n);
};

static inline uint32_t choose(const struct chooser *chooser, enum choice kind, uint32_t n) {
    return n <= 1 ? 0 : chooser->choose(chooser->ctx, kind, n);
}

/* Always 0. */
struct chooser chooser_nothing(void);

/* Every answer, one after the other: run, odometer_next, run, ... until odometer_next is false.
 * Each run must ask the same questions as long as it gets the same answers (checked). The first run
 * gets only zeros. */
enum { ODOMETER_MAX = 1 << 16 };
struct odometer {
    struct digit {
        uint32_t answer, n;
        enum choice kind;
    } * digits;
    size_t count, cap; /* digits of the current path */
    size_t asked;      /* in the current run */
    uint64_t paths;    /* runs begun */
};
void odometer_init(struct odometer *odometer);
void odometer_free(struct odometer *odometer);
struct chooser odometer_chooser(struct odometer *odometer);
/* Advances to the next path. False: that was the last. */
bool odometer_next(struct odometer *odometer);

/* One thing goes wrong: the question of one number is answered with something, and every question
 * after it about how power fails with anything; all others with 0. The seed says with what. */
struct single {
    uint64_t state;
    uint64_t at;    /* the number of the question, from 1; 0: nothing goes wrong */
    uint64_t asked; /* questions so far */
};
struct single single_at(uint64_t at, uint64_t seed);
struct chooser single_chooser(struct single *single);

/* A seeded generator with swarm weights: per run some kinds of question are always answered 0, the
 * others are answered non-zero with very different probability. */
struct seeded {
    uint64_t state;
    uint32_t per_mille[CHOICE_KIND_COUNT]; /* probability of a non-zero answer */
};
void seeded_init(struct seeded *seeded, uint64_t seed);
struct chooser seeded_chooser(struct seeded *seeded);

#endif
