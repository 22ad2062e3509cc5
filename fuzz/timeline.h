/* A timeline: what happens around an OMS, and what goes wrong, as a few bytes.
 *
 * It is what a byte fuzzer changes. A head of eight bytes picks broker, disk and settings; then
 * come records of eight bytes, one for each thing that happens, in order. Any bytes are a timeline:
 * every value counts modulo what there is to pick from, and a record refers to a decision by its
 * place among those that were signalled above it. So any record can be left out and what remains is
 * a timeline again.
 *
 * A timeline is played as a scenario (scenarios/lang/ast.h) that keeps every rule of the language,
 * so that each can be printed, read by people, and run again by `crashgate replay`. What only a
 * plan can say, which unsynced writes survive a power loss, stands beside it. */
#ifndef FUZZ_TIMELINE_H
#define FUZZ_TIMELINE_H

#include "scenarios/lang/ast.h"

#include <stddef.h>
#include <stdint.h>

enum {
    TIMELINE_UNIT = 8, /* bytes of the head and of a record */
    TIMELINE_RECORDS_MAX = 64,
    TIMELINE_BYTES_MAX = TIMELINE_UNIT * (1 + TIMELINE_RECORDS_MAX),
    TIMELINE_ARGS = TIMELINE_UNIT - 1,
    TIMELINE_DECISIONS_MAX = 16
};

/* What a byte of the head picks. */
enum timeline_head {
    HEAD_PROFILE,     /* the broker's promises */
    HEAD_DISK,        /* what a power loss may do */
    HEAD_PACE,        /* how long the OMS takes for each act */
    HEAD_CHECKPOINT,  /* when the log is checkpointed */
    HEAD_POSITION,    /* odd: broker and OMS begin with a position */
    HEAD_KILL_SWITCH, /* 0 modulo 8, and not 0: it is on at the beginning */
    HEAD_SEED         /* and the byte behind it: of the scenario */
};

/* id, what happens, what its arguments pick in order */
#define TIMELINE_OPS(X)                                                                            \
    X(WAIT, "time passes", "how long; a nanosecond less or more")                                  \
    X(SIGNAL, "a new decision", "symbol; side, kind and time in force; quantity; price; expiry")   \
    X(SIGNAL_AGAIN, "a decision is presented again", "which")                                      \
    X(CANCEL, "the strategy cancels", "which")                                                     \
    X(FILL, "the broker executes",                                                                 \
      "which; how much of it; at what price; odd: the oldest order in its symbol")                 \
    X(REJECT, "the broker refuses", "which")                                                       \
    X(BROKER_CANCEL, "the broker cancels", "which")                                                \
    X(EXPIRE, "the broker lets it expire", "which")                                                \
    X(FOREIGN, "somebody else trades", "symbol; side; quantity")                                   \
    X(BROKER, "the broker goes down or comes back", "even: down")                                  \
    X(KILL_SWITCH, "an operator switches it", "even: on")                                          \
    X(HALT_FILE, "an operator sets or clears it", "even: sets")                                    \
    X(RECONCILE, "the OMS is asked to compare itself", "odd: the whole day")                       \
    X(SECOND_INSTANCE, "a second instance is started", "")                                         \
    X(CRASH, "the OMS dies now", "even: power; what survives, two bytes")                          \
    X(CRASH_AT, "it dies at a call", "even: power; what survives, two bytes; site; which call")    \
    X(CRASH_BY, "it dies before or after a point",                                                 \
      "even: power; what survives, two bytes; point; even: before; which decision")                \
    X(RESTART, "it is started again", "")                                                          \
    X(FAULT, "a port misbehaves", "kind; site; how often; which call; until which; two arguments") \
    X(BUST, "the broker takes an execution back", "which")                                         \
    X(CORRECT, "the broker corrects an execution", "which; how much of it; at what price")         \
    X(LOSE, "the broker forgets an order that it had accepted", "which")                           \
    X(RESOLVE, "an operator settles a held order", "which; even: canceled, odd: working")          \
    X(CLOCK, "the clock of the OMS's machine jumps", "even: forward; how far")                     \
    X(MOMENT, "the next record happens at a point of the OMS's work, if it can",                   \
      "point; even: before; which decision")                                                       \
    X(SETTING, "a setting of the OMS or a habit of the broker, wherever it stands", "which; value")
enum timeline_op {
#define X(id, meaning, arguments) TIMELINE_##id,
    TIMELINE_OPS(X)
#undef X
        TIMELINE_OP_COUNT
};

struct timeline_record {
    uint8_t op; /* modulo TIMELINE_OP_COUNT */
    uint8_t arg[TIMELINE_ARGS];
};

struct timeline {
    uint8_t head[TIMELINE_UNIT];
    struct timeline_record records[TIMELINE_RECORDS_MAX];
    size_t count;
};

/* Any bytes. A last record that is cut short, and what is more than the ceiling, is left out. */
void timeline_read(struct timeline *timeline, const uint8_t *bytes, size_t size);
/* Returns the number of bytes. */
size_t timeline_write(const struct timeline *timeline, uint8_t bytes[TIMELINE_BYTES_MAX]);

/* A timeline as a scenario, and what its power losses keep. Owns everything in it, without any
 * memory of its own; the scenario points into it, so it must not be copied. */
struct timeline_story {
    struct scenario scenario; /* no lines: there is nothing to play */
    struct scn_line lines[TIMELINE_RECORDS_MAX];
    struct scn_decision decisions[TIMELINE_DECISIONS_MAX];
    size_t record[TIMELINE_RECORDS_MAX];     /* the record a line is made from */
    uint16_t survives[TIMELINE_RECORDS_MAX]; /* of a crash: modulo the number of outcomes */
};
/* Records that mean nothing where they stand (about a decision when there is none) give no line. */
void timeline_story(const struct timeline *timeline, struct timeline_story *story);
/* The line's place in story->lines, by its number in the printed file; or -1. */
int timeline_line_at(const struct timeline_story *story, unsigned number);
/* Writes the scenario file. */
void timeline_print(const struct timeline_story *story, FILE *out);

/* The timeline nearest to a scenario under one of its profiles; `strike`: where a `crash anywhere`
 * or `fault ... anywhere` strikes, counted in calls. What a timeline cannot say (checks, faults of
 * the wire, quantities of its own) is left out or taken to the nearest. */
struct timeline_strike {
    struct site site;
    unsigned occurrence;
};
void timeline_of_scenario(const struct scenario *scenario, const struct profile *profile,
                          const struct timeline_strike *strike, struct timeline *timeline);

/* For tests and for making every store before a run: the number of settings of the head that need a
 * store of their own, and a timeline with each. */
size_t timeline_store_count(void);
void timeline_with_store(size_t index, struct timeline *timeline);

#endif
