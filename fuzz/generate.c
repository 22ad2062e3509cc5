/* Seed to timeline: what a seed may use at all, then record after record. */
#include "fuzz/generate.h"

#include "fuzz/coverage.h"
#include "fuzz/timeline_tables.h"
#include "sim/check.h"
#include "sim/hash.h"

#include <stdbool.h>

enum {
    RECORDS_LEAST = 4,
    RECORDS_MOST = 48,
    SETTING_ONE_IN = 6,      /* each of the settings */
    DAMAGE_ONE_IN = 5,       /* faults that suspend an invariant: the judge sees less then */
    KILL_SWITCH_ONE_IN = 32, /* it is on at the beginning */
    FAULTS_TO_ONE = 8,       /* there are many kinds of them */
    UNPROVOKED_ONE_IN = 4,   /* a fault is not followed by what makes its site be called */
    STALE_ONE_IN = 4,        /* a crash is not followed by a start */
    PAIR_ONE_IN = 4          /* a seed is meant for two kinds of trouble in one run */
};

/* What a seed may use. */
struct swarm {
    uint32_t weights[TIMELINE_OP_COUNT]; /* 0: never */
    uint32_t weight;                     /* of all */
    uint8_t faults[FAULT_ROWS_MAX];      /* as values of a record's first argument */
    size_t fault_count;
    uint8_t shortest, longest; /* waits: places in the table of durations */
    uint64_t supervised; /* one fault in so many is followed by a death and a start: an OMS that
                            stopped itself is there again */
};

struct making {
    struct timeline *timeline;
    struct swarm swarm;
    size_t wanted;
    uint64_t order, act, fault, death, wait; /* generators */
};

static uint64_t below(uint64_t *generator, uint64_t n) {
    CHECK(n > 0);
    return random_next(generator) % n;
}

static bool one_in(uint64_t *generator, uint64_t n) {
    return below(generator, n) == 0;
}

/* 0 .. 2^bits - 1, every number of bits as likely. */
static uint64_t any_size(uint64_t *generator, unsigned bits) {
    return below(generator, UINT64_C(1) << below(generator, bits + 1));
}

/* ---- what a seed may use ---- */

/* What every timeline needs, and what is made together with something else. */
static bool has_own_place(int op) {
    return op == TIMELINE_SETTING || op == TIMELINE_RESTART;
}

static void choose_weights(struct swarm *swarm, uint64_t *generator) {
    static const uint32_t weights[] = {0, 0, 1, 4, 16, 64};
    for (int op = 0; op < TIMELINE_OP_COUNT; op++) {
        uint32_t weight = weights[below(generator, sizeof weights / sizeof weights[0])];
        if ((op == TIMELINE_WAIT || op == TIMELINE_SIGNAL) && weight < 32)
            weight = 32;
        if (op == TIMELINE_FAULT)
            weight *= FAULTS_TO_ONE;
        swarm->weights[op] = has_own_place(op) ? 0 : weight;
        swarm->weight += swarm->weights[op];
    }
}

/* Every pair of kinds has its turn, and again from the first. */
static bool is_meant_for_a_pair(uint64_t seed, size_t pair[2]) {
    size_t kinds = coverage_kinds();
    uint64_t number = seed / PAIR_ONE_IN % (kinds * (kinds - 1) / 2);
    if (seed % PAIR_ONE_IN != 0)
        return false;
    pair[1] = 1;
    while (number >= pair[1])
        number -= pair[1]++;
    pair[0] = (size_t)number;
    return true;
}

static void choose_faults(struct swarm *swarm, uint64_t *generator) {
    static const uint64_t parts[] = {1, 2, 4, 16};
    uint64_t one_of = parts[below(generator, sizeof parts / sizeof parts[0])];
    bool damage = one_in(generator, DAMAGE_ONE_IN);
    for (size_t i = 0; i < timeline_fault_rows(); i++) {
        const struct fault_kind *kind = timeline_fault((uint8_t)i);
        bool drawn = one_in(generator, one_of);
        if (drawn && (damage || kind->suspends == 0))
            swarm->faults[swarm->fault_count++] = (uint8_t)i;
    }
    if (swarm->fault_count > 0)
        return;
    swarm->weight -= swarm->weights[TIMELINE_FAULT];
    swarm->weights[TIMELINE_FAULT] = 0;
}

static void choose_waits(struct swarm *swarm, uint64_t *generator) {
    swarm->shortest = (uint8_t)below(generator, TIMELINE_DURATIONS / 2);
    swarm->longest =
        (uint8_t)(swarm->shortest + below(generator, TIMELINE_DURATIONS - swarm->shortest));
}

static void choose_swarm(struct swarm *swarm, uint64_t *generator) {
    *swarm = (struct swarm){.supervised = 1 + below(generator, 4)};
    choose_weights(swarm, generator);
    choose_faults(swarm, generator);
    choose_waits(swarm, generator);
}

/* ---- records ---- */

/* The next record, its arguments drawn from a generator; past the ceiling one that is lost. */
static uint8_t *put(struct making *making, enum timeline_op op, uint64_t *generator) {
    static struct timeline_record nowhere;
    struct timeline *timeline = making->timeline;
    struct timeline_record *record =
        timeline->count < TIMELINE_RECORDS_MAX ? &timeline->records[timeline->count++] : &nowhere;
    uint64_t drawn = random_next(generator);
    record->op = (uint8_t)op;
    for (int i = 0; i < TIMELINE_ARGS; i++, drawn >>= 8)
        record->arg[i] = (uint8_t)drawn;
    return record->arg;
}

static void put_wait(struct making *making, uint8_t shortest, uint8_t longest) {
    uint8_t *arg = put(making, TIMELINE_WAIT, &making->wait);
    arg[0] = (uint8_t)(shortest + arg[0] % (longest - shortest + 1));
}

/* A person, or a supervisor, sees that it is gone. */
static void put_start(struct making *making) {
    if (one_in(&making->death, STALE_ONE_IN))
        return;
    put_wait(making, 0, making->swarm.longest);
    put(making, TIMELINE_RESTART, &making->death);
}

/* Most calls that matter are among the next few. */
static void put_crash(struct making *making, enum timeline_op op) {
    uint8_t *arg = put(making, op, &making->death);
    if (op == TIMELINE_CRASH_AT)
        arg[4] = (uint8_t)any_size(&making->death, 5);
    if (op == TIMELINE_CRASH || one_in(&making->death, 2))
        put_start(making);
}

static uint8_t times_of_fault(uint64_t *generator) {
    static const uint8_t times[] = {0, 0, 0, 0, 0, 1, 1, 1, 2, 3};
    return times[below(generator, sizeof times)];
}

/* A record that has this fault, its values, how often and when. */
static uint8_t *put_fault_of(struct making *making, uint8_t row) {
    uint64_t *generator = &making->fault;
    uint8_t *arg = put(making, TIMELINE_FAULT, generator);
    const struct fault_kind *kind = timeline_fault(row);
    arg[0] = row;
    arg[2] = times_of_fault(generator);
    arg[3] = (uint8_t)any_size(generator, 5);
    if (kind->args[0].type == FAULT_ARG_INT) {
        uint64_t value = any_size(generator, 16);
        arg[5] = (uint8_t)value;
        arg[6] = (uint8_t)(value >> 8);
    }
    return arg;
}

/* Some fault of a request of an order. */
static uint8_t any_submit_fault(uint64_t *generator) {
    uint64_t count = 0, wanted = 0;
    uint8_t row = 0;
    for (size_t i = 0; i < timeline_fault_rows(); i++)
        count += timeline_fault((uint8_t)i)->op == SITE_BROKER_SUBMIT;
    wanted = below(generator, count);
    while (timeline_fault(row)->op != SITE_BROKER_SUBMIT || wanted-- > 0)
        row++;
    return row;
}

/* What makes the OMS call the site of a fault, where it would seldom do so by itself. */
static void provoke(struct making *making, enum site_op op) {
    switch ((int)op) {
    case SITE_BROKER_LOOKUP: /* it looks up what is in doubt */
        put_fault_of(making, any_submit_fault(&making->fault));
        put(making, TIMELINE_SIGNAL, &making->act);
        put_wait(making, making->swarm.shortest, making->swarm.longest);
        return;
    case SITE_BROKER_SUBMIT:
        put(making, TIMELINE_SIGNAL, &making->act);
        return;
    case SITE_BROKER_CANCEL:
        put(making, TIMELINE_SIGNAL, &making->act);
        put_wait(making, 0, making->swarm.longest);
        put(making, TIMELINE_CANCEL, &making->act)[0] = UINT8_MAX;
        return;
    case SITE_DISK_REST:
        put_crash(making, TIMELINE_CRASH);
        return;
    default:
        return;
    }
}

static void put_fault(struct making *making) {
    const struct swarm *swarm = &making->swarm;
    uint64_t *generator = &making->fault;
    uint8_t row = swarm->faults[below(generator, swarm->fault_count)];
    put_fault_of(making, row);
    if (!one_in(generator, UNPROVOKED_ONE_IN))
        provoke(making, timeline_fault(row)->op);
    if (one_in(generator, swarm->supervised)) {
        put_wait(making, swarm->shortest, swarm->longest);
        put_crash(making, TIMELINE_CRASH);
    }
}

static void put_small(uint8_t *arg, uint64_t *generator) {
    arg[5] = (uint8_t)any_size(generator, 3);
    arg[6] = 0;
}

/* One kind of trouble, with what it needs to strike, and a start after what it may stop. */
static void put_kind(struct making *making, size_t kind) {
    uint8_t row = 0, word = 0;
    bool power = false;
    if (!coverage_kind_fault(kind, &row, &word, &power)) {
        put(making, TIMELINE_CRASH, &making->death)[0] = power ? 0 : 1;
    } else {
        uint8_t *arg = put_fault_of(making, row);
        arg[2] = arg[3] = 0; /* the next call */
        if (timeline_fault(row)->args[0].type == FAULT_ARG_WORD)
            arg[5] = word;
        if (timeline_fault(row)->args[0].type == FAULT_ARG_INT) /* lives and bytes that are there */
            put_small(arg, &making->fault);
        provoke(making, timeline_fault(row)->op);
        put_wait(making, making->swarm.shortest, making->swarm.longest);
        if (!one_in(&making->death, 2))
            put(making, TIMELINE_CRASH, &making->death);
    }
    put_wait(making, 0, making->swarm.longest);
    put(making, TIMELINE_RESTART, &making->death);
}

static void put_pair(struct making *making, const size_t pair[2]) {
    bool swapped = one_in(&making->fault, 2);
    put_kind(making, pair[swapped]);
    put(making, TIMELINE_SIGNAL, &making->act);
    put_kind(making, pair[!swapped]);
}

static void put_settings(struct making *making, uint64_t *generator) {
    for (int i = 0; i < TIMELINE_SETTING_COUNT; i++) {
        if (one_in(generator, SETTING_ONE_IN))
            put(making, TIMELINE_SETTING, generator)[0] = (uint8_t)i;
    }
}

static enum timeline_op choose_op(struct making *making) {
    uint64_t at = below(&making->order, making->swarm.weight);
    int op = 0;
    while (at >= making->swarm.weights[op])
        at -= making->swarm.weights[op++];
    return (enum timeline_op)op;
}

static void put_record(struct making *making, enum timeline_op op) {
    switch ((int)op) {
    case TIMELINE_WAIT:
        put_wait(making, making->swarm.shortest, making->swarm.longest);
        return;
    case TIMELINE_CRASH:
    case TIMELINE_CRASH_AT:
    case TIMELINE_CRASH_BY:
        put_crash(making, op);
        return;
    case TIMELINE_FAULT:
        put_fault(making);
        return;
    default:
        put(making, op, &making->act);
        return;
    }
}

static void choose_head(uint8_t head[TIMELINE_UNIT], uint64_t *generator) {
    uint64_t drawn = random_next(generator);
    for (int i = 0; i < TIMELINE_UNIT; i++, drawn >>= 8)
        head[i] = (uint8_t)drawn;
    head[HEAD_KILL_SWITCH] = one_in(generator, KILL_SWITCH_ONE_IN) ? 8 : 0;
}

void generate_timeline(uint64_t seed, struct timeline *timeline) {
    uint64_t swarm = seed_named(seed, "swarm"), settings = seed_named(seed, "settings");
    struct making making = {.timeline = timeline,
                            .order = seed_named(seed, "order"),
                            .act = seed_named(seed, "act"),
                            .fault = seed_named(seed, "fault"),
                            .death = seed_named(seed, "death"),
                            .wait = seed_named(seed, "wait")};
    size_t pair[2];
    *timeline = (struct timeline){0};
    choose_swarm(&making.swarm, &swarm);
    choose_head(timeline->head, &settings);
    making.wanted = RECORDS_LEAST + below(&swarm, RECORDS_MOST - RECORDS_LEAST + 1);
    put_settings(&making, &settings);
    put(&making, TIMELINE_SIGNAL, &making.act);
    if (is_meant_for_a_pair(seed, pair))
        put_pair(&making, pair);
    while (timeline->count < making.wanted)
        put_record(&making, choose_op(&making));
}
