/* Bytes to scenario: the tables that values pick from, and one function for each record. */
#include "fuzz/timeline.h"

#include "fuzz/timeline_tables.h"
#include "sim/check.h"

#include <stdio.h>
#include <string.h>

enum { HEADERS_BEFORE = 4, FULL_PAGE = 4096, FEW_CALLS = 4 };
#define NANOS    INT64_C(1000000000)
#define DAY      (TIMELINE_HOUR * 24)
#define DATE_NS  (INT64_C(20462) * DAY) /* 2026-01-09 */
#define MORNING  (10 * TIMELINE_HOUR)
#define OPEN_QTY (50 * NANOS)
#define OPEN_AT  (140 * NANOS)
#define PRICE    (100 * NANOS)
#define TICK     (NANOS / 100)
#define SLOT(id) (UINT64_C(1) << SCN_SLOT_##id)

/* ---- bytes ---- */

void timeline_read(struct timeline *timeline, const uint8_t *bytes, size_t size) {
    size_t head = size < TIMELINE_UNIT ? size : TIMELINE_UNIT;
    *timeline = (struct timeline){0};
    memcpy(timeline->head, bytes, head);
    for (size_t at = TIMELINE_UNIT;
         at + TIMELINE_UNIT <= size && timeline->count < TIMELINE_RECORDS_MAX;
         at += TIMELINE_UNIT) {
        struct timeline_record *record = &timeline->records[timeline->count++];
        record->op = bytes[at];
        memcpy(record->arg, bytes + at + 1, TIMELINE_ARGS);
    }
}

size_t timeline_write(const struct timeline *timeline, uint8_t bytes[TIMELINE_BYTES_MAX]) {
    size_t used = TIMELINE_UNIT;
    memcpy(bytes, timeline->head, TIMELINE_UNIT);
    for (size_t i = 0; i < timeline->count; i++) {
        bytes[used] = timeline->records[i].op;
        memcpy(bytes + used + 1, timeline->records[i].arg, TIMELINE_ARGS);
        used += TIMELINE_UNIT;
    }
    return used;
}

/* ---- the head ---- */

static void add_option(struct scenario *s, enum scn_option option, int64_t value) {
    s->options[option] = (struct scn_option_value){true, value};
}

static struct scn_args empty_args(void) {
    struct scn_args args = {0};
    args.decision = args.symbol = args.discrepancy = args.severity = SCN_NONE;
    args.crash.kind = SCN_NONE;
    args.crash.point.decision = args.crash.to.decision = SCN_NONE;
    return args;
}

/* In the order in which a reader of the file meets them. */
static int symbol_named(struct scenario *s, const char *name) {
    size_t i = 0;
    while (i < s->symbol_count && strcmp(s->symbols[i], name) != 0)
        i++;
    if (i == s->symbol_count)
        memcpy(s->symbols[s->symbol_count++], name, strlen(name) + 1);
    return (int)i;
}

static void add_given(struct scenario *s, enum scn_header kind) {
    struct scn_given *given = &s->givens[s->given_count++];
    *given = (struct scn_given){.kind = kind, .args = empty_args()};
    if (kind == SCN_HEADER_GIVEN_KILL_SWITCH)
        return;
    given->args.has = SLOT(SYMBOL) | SLOT(QTY) | SLOT(PRICE);
    given->args.symbol = symbol_named(s, timeline_symbols[0]);
    given->args.qty_nanos = OPEN_QTY;
    given->args.price_nanos = OPEN_AT;
}

static const struct profile *profile_of(const struct timeline *timeline) {
    return profile_at(timeline->head[HEAD_PROFILE] % timeline_profiles());
}

static void begin(const struct timeline *timeline, struct scenario *s) {
    const uint8_t *head = timeline->head;
    *s = (struct scenario){.title = "A timeline that a fuzzer found",
                           .date_ns = DATE_NS,
                           .start_ns = DATE_NS + MORNING,
                           .pace_ns = timeline_paces[head[HEAD_PACE] % TIMELINE_PACES],
                           .profiles = {profile_of(timeline)},
                           .profile_count = 1,
                           .disk = disk_profile_at(head[HEAD_DISK] % timeline_disks()),
                           .seed = head[HEAD_SEED] + (uint64_t)head[HEAD_SEED + 1] * 256};
    s->written[SCN_HEADER_DATE] = s->written[SCN_HEADER_PROFILE] = true;
    s->written[SCN_HEADER_DISK] = s->written[SCN_HEADER_SEED] = true;
    s->written[SCN_HEADER_PACE] = s->pace_ns != 0;
    /* On such a disk pages are no smaller than sectors. */
    if (!s->disk->power_safe && s->disk->sector == FULL_PAGE)
        add_option(s, SCN_OPTION_PAGE_SIZE, FULL_PAGE);
    if (timeline_checkpoints[head[HEAD_CHECKPOINT] % TIMELINE_CHECKPOINTS] != 0)
        add_option(s, SCN_OPTION_CHECKPOINT_FRAMES,
                   timeline_checkpoints[head[HEAD_CHECKPOINT] % TIMELINE_CHECKPOINTS]);
    if (head[HEAD_POSITION] % 2 != 0) {
        add_given(s, SCN_HEADER_GIVEN_BROKER);
        add_given(s, SCN_HEADER_GIVEN_OMS);
    }
    if (head[HEAD_KILL_SWITCH] != 0 && head[HEAD_KILL_SWITCH] % 8 == 0)
        add_given(s, SCN_HEADER_GIVEN_KILL_SWITCH);
}

size_t timeline_store_count(void) {
    return timeline_profiles() * timeline_disks() * TIMELINE_CHECKPOINTS * 2;
}

void timeline_with_store(size_t index, struct timeline *timeline) {
    *timeline = (struct timeline){.count = 1};
    timeline->head[HEAD_PROFILE] = (uint8_t)(index % timeline_profiles());
    index /= timeline_profiles();
    timeline->head[HEAD_DISK] = (uint8_t)(index % timeline_disks());
    index /= timeline_disks();
    timeline->head[HEAD_CHECKPOINT] = (uint8_t)(index % TIMELINE_CHECKPOINTS);
    timeline->head[HEAD_POSITION] = (uint8_t)(index / TIMELINE_CHECKPOINTS);
    timeline->records[0].op = TIMELINE_RECONCILE;
}

/* ---- records ---- */

struct decoder {
    struct timeline_story *story;
    struct scenario *s;
    const struct timeline_record *record;
    int64_t now_ns;
    int64_t day_ns; /* of the line above */
    bool crash_seen;
};

static int64_t day_of(int64_t ns) {
    return ns - ns % DAY;
}

/* The next line, at the decoder's time. */
static struct scn_line *add_line(struct decoder *d, enum scn_statement statement, size_t record) {
    struct scenario *s = d->s;
    struct scn_line *line = &s->lines[s->line_count];
    bool new_day = day_of(d->now_ns) != d->day_ns;
    *line = (struct scn_line){.statement = statement, .args = empty_args()};
    line->when = (struct scn_when){.base = SCN_AT,
                                   .ns = d->now_ns,
                                   .anchor = SCN_NONE,
                                   .written = new_day ? SCN_TIME_DATE_CLOCK : SCN_TIME_CLOCK};
    d->day_ns = day_of(d->now_ns);
    d->story->record[s->line_count] = record;
    d->story->survives[s->line_count] = 0;
    s->line_count++;
    return line;
}

static const uint8_t *args_of(const struct decoder *d) {
    return d->record->arg;
}

/* Before the first line there is nothing to wait for; so every store is made at the same time. */
static void pass_time(struct decoder *d) {
    int64_t ns = timeline_durations[args_of(d)[0] % TIMELINE_DURATIONS];
    int nudge = args_of(d)[1] % 3; /* one nanosecond after a threshold, and before it */
    if (nudge == 1 || (nudge == 2 && ns > 0))
        ns += nudge == 1 ? 1 : -1;
    if (d->s->line_count > 0)
        d->now_ns += ns;
}

/* The payload of a decision: unique in its quantity, whatever else it has in common with others. */
static void choose_payload(struct decoder *d, struct oms_decision *payload, size_t index) {
    const uint8_t *arg = args_of(d);
    int64_t lots = (arg[2] % 4 + 1) * 64 + (int64_t)index;
    snprintf(payload->symbol, sizeof payload->symbol, "%s",
             timeline_symbols[arg[0] % TIMELINE_SYMBOLS]);
    payload->side = arg[1] & 1u ? BROKER_SELL : BROKER_BUY;
    payload->type = arg[1] & 2u ? BROKER_MARKET : BROKER_LIMIT;
    payload->tif = (enum broker_tif)((arg[1] >> 2) % TIMELINE_TIFS);
    payload->qty_nanos = lots * NANOS;
    payload->limit_nanos = payload->type == BROKER_MARKET ? 0 : PRICE + arg[3] * TICK;
    if (arg[4] % TIMELINE_DURATIONS != 0)
        payload->expires_ns = d->now_ns + timeline_durations[arg[4] % TIMELINE_DURATIONS];
}

static void signal_line(struct decoder *d, size_t record, int index) {
    const struct oms_decision *payload = &d->s->decisions[index].payload;
    struct scn_args *args = &add_line(d, SCN_SIGNAL, record)->args;
    args->has = SLOT(DECISION) | SLOT(SIDE) | SLOT(QTY) | SLOT(SYMBOL);
    args->has |= payload->type == BROKER_MARKET ? SLOT(MARKET) : SLOT(PRICE);
    args->has |= payload->tif != BROKER_DAY ? SLOT(TIF) : 0;
    args->has |= payload->expires_ns != 0 ? SLOT(UNTIL) : 0;
    args->decision = index;
    args->symbol = symbol_named(d->s, payload->symbol);
    args->side = payload->side;
    args->tif = payload->tif;
    args->qty_nanos = payload->qty_nanos;
    args->price_nanos = payload->limit_nanos;
    args->until_ns = payload->expires_ns;
}

static void signal_new(struct decoder *d, size_t record) {
    struct scenario *s = d->s;
    size_t index = s->decision_count;
    struct scn_decision *decision = &s->decisions[index];
    if (index == TIMELINE_DECISIONS_MAX)
        return;
    s->decision_count++;
    decision->first_signal = (int)s->line_count;
    snprintf(decision->name, sizeof decision->name, "D%zu", index + 1);
    snprintf(decision->payload.id, sizeof decision->payload.id, "FUZZ_%zu", index + 1);
    choose_payload(d, &decision->payload, index);
    signal_line(d, record, (int)index);
}

/* The decision an argument means, or -1 when there is none yet. */
static int decision_of(const struct decoder *d, size_t arg) {
    return d->s->decision_count == 0 ? -1 : (int)(args_of(d)[arg] % d->s->decision_count);
}

static void signal_again(struct decoder *d, size_t record) {
    int index = decision_of(d, 0);
    /* The language has no way to present what has expired: an expiry is later than its line. */
    if (index >= 0 && (d->s->decisions[index].payload.expires_ns == 0 ||
                       d->s->decisions[index].payload.expires_ns > d->now_ns))
        signal_line(d, record, index);
}

static struct scn_args *about_decision(struct decoder *d, enum scn_statement statement,
                                       size_t record) {
    int index = decision_of(d, 0);
    struct scn_args *args = NULL;
    if (index < 0)
        return NULL;
    args = &add_line(d, statement, record)->args;
    args->has = SLOT(DECISION);
    args->decision = index;
    return args;
}

/* A quarter, half, all, or one more than all of the order. */
static int64_t part_of(int64_t qty_nanos, uint8_t which) {
    switch (which % 4) {
    case 0:
        return qty_nanos;
    case 1:
        return qty_nanos / 2;
    case 2:
        return qty_nanos / 4;
    default:
        return qty_nanos + NANOS;
    }
}

static void fill(struct decoder *d, size_t record) {
    struct scn_args *args = about_decision(d, SCN_BROKER_FILLS, record);
    const struct oms_decision *payload = NULL;
    if (args == NULL)
        return;
    payload = &d->s->decisions[args->decision].payload;
    args->has |= SLOT(QTY) | SLOT(PRICE);
    args->qty_nanos = part_of(payload->qty_nanos, args_of(d)[1]);
    args->price_nanos = payload->type == BROKER_LIMIT ? payload->limit_nanos : PRICE;
    args->price_nanos += args_of(d)[2] % 4 * TICK;
}

static void foreign(struct decoder *d, size_t record) {
    const uint8_t *arg = args_of(d);
    struct scn_args *args = &add_line(d, SCN_BROKER_FOREIGN, record)->args;
    args->has = SLOT(SIDE) | SLOT(QTY) | SLOT(SYMBOL) | SLOT(PRICE);
    args->symbol = symbol_named(d->s, timeline_symbols[arg[0] % TIMELINE_SYMBOLS]);
    args->side = arg[1] % 2 != 0 ? BROKER_SELL : BROKER_BUY;
    args->qty_nanos = (arg[2] % 16 + 1) * NANOS;
    args->price_nanos = PRICE;
}

static struct scn_crash *crash(struct decoder *d, size_t record, enum scn_where where) {
    const uint8_t *arg = args_of(d);
    struct scn_args *args = &add_line(d, SCN_CRASH, record)->args;
    d->crash_seen = true;
    d->story->survives[d->s->line_count - 1] = (uint16_t)(arg[1] + arg[2] * 256);
    args->has = SLOT(CRASH);
    args->crash.kind = arg[0] % 2 == 0 ? SCN_POWER : SCN_KILL;
    args->crash.where = where;
    return &args->crash;
}

static void crash_at(struct decoder *d, size_t record) {
    struct scn_crash *where = crash(d, record, SCN_CRASH_AT_SITE);
    where->site = timeline_crash_site(args_of(d)[3]);
    where->occurrence = args_of(d)[4] % TIMELINE_CALLS + 1;
}

/* Points of the OMS's own work: a read's are told only where a line speaks of them. */
enum { POINTS = SCN_POINT_BOOT + 1 };

/* Points of which a decision can be named. */
static bool is_about_decision(enum scn_point_kind kind) {
    return kind != SCN_POINT_RECONCILE && kind != SCN_POINT_BOOT;
}

static void crash_by(struct decoder *d, size_t record) {
    const uint8_t *arg = args_of(d);
    struct scn_crash *where =
        crash(d, record, arg[4] % 2 == 0 ? SCN_CRASH_BEFORE : SCN_CRASH_AFTER);
    where->point.kind = (enum scn_point_kind)(arg[3] % POINTS);
    if (is_about_decision(where->point.kind))
        where->point.decision = decision_of(d, 5);
}

static void choose_times(struct decoder *d, struct scn_strike *strike) {
    const uint8_t *arg = args_of(d);
    strike->times_written = true;
    switch (arg[2] % 4) {
    case 0:
        strike->times = SCN_NEXT_CALL;
        strike->times_written = false;
        return;
    case 1:
        strike->times = SCN_ON_CALLS;
        strike->first = arg[3] % TIMELINE_CALLS + 1;
        strike->last = strike->first + arg[4] % FEW_CALLS;
        return;
    case 2:
        strike->times = SCN_UNTIL;
        strike->until_ns = d->now_ns + timeline_durations[arg[4] % (TIMELINE_DURATIONS - 1) + 1];
        return;
    default:
        strike->times = SCN_ALL_CALLS;
        return;
    }
}

static int64_t choose_fault_value(const struct fault_arg *arg, uint8_t low, uint8_t high) {
    int64_t value = 0;
    switch (arg->type) {
    case FAULT_ARG_WORD:
        while (arg->words[value] != NULL)
            value++;
        CHECK(value > 0);
        return low % value;
    case FAULT_ARG_DURATION:
        return timeline_stalls[low % TIMELINE_STALLS];
    case FAULT_ARG_INT:
        value = low + (int64_t)high * 256;
        return arg->least + value % (arg->most - arg->least + 1);
    }
    return 0;
}

/* That nothing arrives later than the broker promises is a part of the fault model: an order that
 * was rightly given up by then and arrives all the same is nobody's mistake. */
static void keep_promise(const struct scenario *s, struct fault *fault) {
    if (fault->kind->act == ACT_LATE && fault->arg[0] > s->profiles[0]->quiescence_ns)
        fault->arg[0] = s->profiles[0]->quiescence_ns;
}

static void fault(struct decoder *d, size_t record) {
    const uint8_t *arg = args_of(d);
    struct scn_args *args = &add_line(d, SCN_FAULT, record)->args;
    struct scn_strike *strike = &args->strike;
    args->has = SLOT(FAULT);
    strike->fault.kind = timeline_fault(arg[0]);
    strike->site = timeline_fault_site(strike->fault.kind, arg[1]);
    for (int i = 0; i < FAULT_ARGS_MAX && strike->fault.kind->args[i].name != NULL; i++) {
        const struct fault_arg *row = &strike->fault.kind->args[i];
        strike->arg_written[i] = true;
        strike->fault.arg[i] =
            i == 0 ? choose_fault_value(row, arg[5], arg[6]) : choose_fault_value(row, arg[6], 0);
    }
    keep_promise(d->s, &strike->fault);
    choose_times(d, strike);
}

static void decode(struct decoder *d, size_t record) {
    const uint8_t *arg = args_of(d);
    switch ((enum timeline_op)(d->record->op % TIMELINE_OP_COUNT)) {
    case TIMELINE_WAIT:
        pass_time(d);
        return;
    case TIMELINE_SIGNAL:
        signal_new(d, record);
        return;
    case TIMELINE_SIGNAL_AGAIN:
        signal_again(d, record);
        return;
    case TIMELINE_CANCEL:
        about_decision(d, SCN_CANCEL, record);
        return;
    case TIMELINE_FILL:
        fill(d, record);
        return;
    case TIMELINE_REJECT:
        about_decision(d, SCN_BROKER_REJECTS, record);
        return;
    case TIMELINE_BROKER_CANCEL:
        about_decision(d, SCN_BROKER_CANCELS, record);
        return;
    case TIMELINE_EXPIRE:
        about_decision(d, SCN_BROKER_EXPIRES, record);
        return;
    case TIMELINE_FOREIGN:
        foreign(d, record);
        return;
    case TIMELINE_BROKER:
        add_line(d, arg[0] % 2 == 0 ? SCN_BROKER_DOWN : SCN_BROKER_BACK, record);
        return;
    case TIMELINE_KILL_SWITCH:
        add_line(d, arg[0] % 2 == 0 ? SCN_KILL_SWITCH_TRIPS : SCN_KILL_SWITCH_RELEASES, record);
        return;
    case TIMELINE_HALT_FILE:
        add_line(d, arg[0] % 2 == 0 ? SCN_HALT_FILE_SETS : SCN_HALT_FILE_CLEARS, record);
        return;
    case TIMELINE_RECONCILE:
        add_line(d, SCN_RECONCILE, record);
        return;
    case TIMELINE_SECOND_INSTANCE:
        add_line(d, SCN_START_SECOND, record);
        return;
    case TIMELINE_CRASH:
        crash(d, record, SCN_CRASH_NOW);
        return;
    case TIMELINE_CRASH_AT:
        crash_at(d, record);
        return;
    case TIMELINE_CRASH_BY:
        crash_by(d, record);
        return;
    case TIMELINE_RESTART:
        if (d->crash_seen) /* a restart without a crash above it is none */
            add_line(d, SCN_RESTART, record);
        return;
    case TIMELINE_FAULT:
        fault(d, record);
        return;
    case TIMELINE_OP_COUNT:
        return;
    }
}

/* ---- where lines stand in the printed file ---- */

/* First line, empty line, title, headers, empty line. */
static int first_line_number(const struct scenario *s) {
    size_t headers = s->given_count + s->decision_count;
    for (size_t i = 0; i <= SCN_HEADER_ORIGIN; i++)
        headers += s->written[i];
    for (size_t i = 0; i < SCN_OPTION_COUNT; i++)
        headers += s->options[i].set;
    return HEADERS_BEFORE + (int)headers + 1;
}

static void number_lines(struct scenario *s) {
    int first = first_line_number(s);
    s->place.line = HEADERS_BEFORE - 1;
    for (size_t i = 0; i < s->line_count; i++)
        s->lines[i].place.line = first + (int)i;
}

int timeline_line_at(const struct timeline_story *story, unsigned number) {
    const struct scenario *s = &story->scenario;
    int index = (int)number - first_line_number(s);
    return index >= 0 && index < (int)s->line_count ? index : -1;
}

void timeline_story(const struct timeline *timeline, struct timeline_story *story) {
    struct decoder d = {.story = story, .s = &story->scenario};
    begin(timeline, d.s);
    d.s->lines = story->lines;
    d.s->decisions = memset(story->decisions, 0, sizeof story->decisions);
    d.now_ns = d.s->start_ns;
    d.day_ns = d.s->date_ns;
    for (size_t i = 0; i < timeline->count; i++) {
        d.record = &timeline->records[i];
        decode(&d, i);
    }
    number_lines(d.s);
}

void timeline_print(const struct timeline_story *story, FILE *out) {
    struct scenario scenario = story->scenario;
    struct scenario_file file = {.scenarios = &scenario, .count = 1};
    scenario_print(&file, out);
}
