/* The events of runs, one by one, as the fingerprint chains them: so that of two runs that should
 * be the same the first event that differs can be told. Recorded on demand only. */
#ifndef SIM_CHAIN_H
#define SIM_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CHAIN_MAX = 2000000 /* events; then recording stops, `cut` */, CHAIN_TEXT_SIZE = 72 };

/* What happened: the base of its mark in the fingerprint, and what the rest of the mark means.
 * Below the first base marks are site numbers (sim/port.h). */
#define CHAIN_MARKS(X)                                    \
    X(FAULT, 1000, "something goes wrong")                \
    X(BOOKS, 2000, "the exchange's books are looked at")  \
    X(REPLY, 3000, "the OMS is given an answer")          \
    X(POSTED, 4000, "an order's request leaves")          \
    X(OUTSIDE, 5000, "something happens outside the OMS") \
    X(TOLD, 6000, "the OMS tells")                        \
    X(DEATH, 7000, "the OMS dies")                        \
    X(START, 8000, "the OMS starts")                      \
    X(ANSWER, 9000, "the OMS answers a signal")           \
    X(ACT, 10000, "the OMS has its turn")
enum chain_mark {
#define X(id, base, meaning) CHAIN_##id = (base),
    CHAIN_MARKS(X)
#undef X
};

struct chain_event {
    unsigned long run;          /* from 1, of the runs recorded */
    unsigned long event;        /* from 1, in that run */
    int64_t at_ns;              /* virtual time */
    uint64_t what, value, hash; /* the mark, and the fingerprint with it */
    char text[CHAIN_TEXT_SIZE]; /* what the OMS told, or "" */
};

struct chain {
    struct chain_event *v;
    size_t n, cap;
    unsigned long run; /* under way */
    bool cut;
};

/* Appends; `text` may be NULL. */
void chain_add(struct chain *chain, const struct chain_event *event, const char *text);
void chain_free(struct chain *chain);
/* The first event at which they differ, an index into both (it may be one past the end of one), or
 * -1: they are the same. */
long chain_difference(const struct chain *a, const struct chain *b);
/* "disk.write(wal)", "the OMS tells ..." */
enum { CHAIN_WORDS_SIZE = 200 };
char *chain_words(const struct chain_event *event, char out[CHAIN_WORDS_SIZE]);

#endif
