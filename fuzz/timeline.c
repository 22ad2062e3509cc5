/* Bytes to scenario: the tables that values pick from, and one function for each record. */
#include "fuzz/timeline.h"

#include "fuzz/timeline_decoder.h"
#include "fuzz/timeline_tables.h"

#include <stdio.h>
#include <string.h>

enum { HEADERS_BEFORE = 4, FULL_PAGE = 4096 };
#define NANOS    INT64_C(1000000000)
#define DAY      (TIMELINE_HOUR * 24)
#define DATE_NS  (INT64_C(20462) * DAY) /* 2026-01-09 */
#define MORNING  (10 * TIMELINE_HOUR)
#define OPEN_QTY (50 * NANOS)
#define OPEN_AT  (140 * NANOS)

/* ---- the head ---- */

static struct scn_args empty_args(void) {
    struct scn_args args = {0};
    args.decision = args.symbol = args.discrepancy = args.severity = SCN_NONE;
    args.crash.kind = SCN_NONE;
    args.crash.point.decision = args.crash.to.decision = SCN_NONE;
    return args;
}

int decoder_symbol(struct scenario *s, const char *name) {
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
    given->args.symbol = decoder_symbol(s, timeline_symbols[0]);
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
        timeline_option(s, SCN_OPTION_PAGE_SIZE, FULL_PAGE);
    if (timeline_checkpoints[head[HEAD_CHECKPOINT] % TIMELINE_CHECKPOINTS] != 0)
        timeline_option(s, SCN_OPTION_CHECKPOINT_FRAMES,
                        timeline_checkpoints[head[HEAD_CHECKPOINT] % TIMELINE_CHECKPOINTS]);
    if (head[HEAD_POSITION] % 2 != 0) {
        add_given(s, SCN_HEADER_GIVEN_BROKER);
        add_given(s, SCN_HEADER_GIVEN_OMS);
    }
    if (head[HEAD_KILL_SWITCH] != 0 && head[HEAD_KILL_SWITCH] % 8 == 0)
        add_given(s, SCN_HEADER_GIVEN_KILL_SWITCH);
}

size_t timeline_store_count(void) {
    return timeline_profiles() * timeline_disks() * TIMELINE_CHECKPOINTS * 2 * 2;
}

void timeline_with_store(size_t index, struct timeline *timeline) {
    *timeline = (struct timeline){.count = 1};
    timeline->head[HEAD_PROFILE] = (uint8_t)(index % timeline_profiles());
    index /= timeline_profiles();
    timeline->head[HEAD_DISK] = (uint8_t)(index % timeline_disks());
    index /= timeline_disks();
    timeline->head[HEAD_CHECKPOINT] = (uint8_t)(index % TIMELINE_CHECKPOINTS);
    index /= TIMELINE_CHECKPOINTS;
    timeline->head[HEAD_POSITION] = (uint8_t)(index % 2);
    timeline->records[0].op = TIMELINE_RECONCILE;
    if (index / 2 == 0)
        return;
    timeline->count = 2;
    timeline->records[1].op = TIMELINE_SETTING;
    timeline->records[1].arg[0] = SETTING_STORE_VERSION;
}

/* ---- records ---- */

static int64_t day_of(int64_t ns) {
    return ns - ns % DAY;
}

/* Statements that may happen in the middle of the OMS's own work: those that bury it, or start
 * another beside it, may not. */
static bool goes_with_moment(enum scn_statement statement) {
    switch ((int)statement) {
    case SCN_CANCEL:
    case SCN_BROKER_FILLS:
    case SCN_BROKER_FILLS_SYMBOL:
    case SCN_BROKER_REJECTS:
    case SCN_BROKER_CANCELS:
    case SCN_BROKER_EXPIRES:
    case SCN_BROKER_LOSES:
    case SCN_BROKER_BUSTS:
    case SCN_BROKER_CORRECTS:
    case SCN_BROKER_FOREIGN:
    case SCN_BROKER_DOWN:
    case SCN_BROKER_BACK:
    case SCN_RECONCILE:
    case SCN_FAULT:
    case SCN_KILL_SWITCH_TRIPS:
    case SCN_KILL_SWITCH_RELEASES:
    case SCN_HALT_FILE_SETS:
    case SCN_HALT_FILE_CLEARS:
        return true;
    default:
        return false;
    }
}

struct scn_line *decoder_line(struct decoder *d, enum scn_statement statement) {
    struct scenario *s = d->s;
    struct scn_line *line = &s->lines[s->line_count];
    bool new_day = day_of(d->now_ns) != d->day_ns;
    *line = (struct scn_line){.statement = statement, .args = empty_args()};
    line->when = (struct scn_when){.base = SCN_AT,
                                   .ns = d->now_ns,
                                   .anchor = SCN_NONE,
                                   .written = new_day ? SCN_TIME_DATE_CLOCK : SCN_TIME_CLOCK};
    if (d->has_moment && d->began && goes_with_moment(statement))
        line->when = d->moment;
    else
        d->day_ns = day_of(d->now_ns);
    d->story->record[s->line_count] = d->index;
    d->story->survives[s->line_count] = 0;
    s->line_count++;
    return line;
}

const uint8_t *decoder_args(const struct decoder *d) {
    return d->record->arg;
}

int decoder_decision(const struct decoder *d, size_t arg) {
    return d->s->decision_count == 0 ? -1 : (int)(decoder_args(d)[arg] % d->s->decision_count);
}

struct scn_args *decoder_about(struct decoder *d, enum scn_statement statement) {
    int index = decoder_decision(d, 0);
    struct scn_args *args = NULL;
    if (index < 0)
        return NULL;
    args = &decoder_line(d, statement)->args;
    args->has = SLOT(DECISION);
    args->decision = index;
    return args;
}

/* Points of which a decision can be named. */
static bool is_about_decision(enum scn_point_kind kind) {
    static const bool takes_decision[] = {
#define X(id, word, takes, meaning) [SCN_POINT_##id] = (takes) != 0,
        SCN_POINTS(X)
#undef X
    };
    return takes_decision[kind];
}

struct scn_point decoder_point(const struct decoder *d, size_t kind, size_t decision) {
    struct scn_point point = {(enum scn_point_kind)(decoder_args(d)[kind] % SCN_POINT_COUNT),
                              SCN_NONE};
    if (is_about_decision(point.kind))
        point.decision = decoder_decision(d, decision);
    return point;
}

/* Before the first line there is nothing to wait for; so every store is made at the same time. */
static void pass_time(struct decoder *d) {
    int64_t ns = timeline_durations[decoder_args(d)[0] % TIMELINE_DURATIONS];
    int nudge = decoder_args(d)[1] % 3; /* one nanosecond after a threshold, and before it */
    if (nudge == 1 || (nudge == 2 && ns > 0))
        ns += nudge == 1 ? 1 : -1;
    if (d->began)
        d->now_ns += ns;
}

/* The payload of a decision: unique in its quantity, whatever else it has in common with others. */
static void choose_payload(struct decoder *d, struct oms_decision *payload, size_t index) {
    const uint8_t *arg = decoder_args(d);
    int64_t lots = (arg[2] % 4 + 1) * 64 + (int64_t)index;
    snprintf(payload->symbol, sizeof payload->symbol, "%s",
             timeline_symbols[arg[0] % TIMELINE_SYMBOLS]);
    payload->side = arg[1] & 1u ? BROKER_SELL : BROKER_BUY;
    payload->type = arg[1] & 2u ? BROKER_MARKET : BROKER_LIMIT;
    payload->tif = (enum broker_tif)((arg[1] >> 2) % TIMELINE_TIFS);
    payload->qty_nanos = lots * NANOS;
    payload->limit_nanos =
        payload->type == BROKER_MARKET ? 0 : TIMELINE_PRICE + arg[3] * TIMELINE_TICK;
    if (arg[4] % TIMELINE_DURATIONS != 0)
        payload->expires_ns = d->now_ns + timeline_durations[arg[4] % TIMELINE_DURATIONS];
}

static void signal_line(struct decoder *d, int index) {
    const struct oms_decision *payload = &d->s->decisions[index].payload;
    struct scn_args *args = &decoder_line(d, SCN_SIGNAL)->args;
    args->has = SLOT(DECISION) | SLOT(SIDE) | SLOT(QTY) | SLOT(SYMBOL);
    args->has |= payload->type == BROKER_MARKET ? SLOT(MARKET) : SLOT(PRICE);
    args->has |= payload->tif != BROKER_DAY ? SLOT(TIF) : 0;
    args->has |= payload->expires_ns != 0 ? SLOT(UNTIL) : 0;
    args->decision = index;
    args->symbol = decoder_symbol(d->s, payload->symbol);
    args->side = payload->side;
    args->tif = payload->tif;
    args->qty_nanos = payload->qty_nanos;
    args->price_nanos = payload->limit_nanos;
    args->until_ns = payload->expires_ns;
}

static void signal_new(struct decoder *d) {
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
    signal_line(d, (int)index);
}

static void signal_again(struct decoder *d) {
    int index = decoder_decision(d, 0);
    /* The language has no way to present what has expired: an expiry is later than its line. */
    if (index >= 0 && (d->s->decisions[index].payload.expires_ns == 0 ||
                       d->s->decisions[index].payload.expires_ns > d->now_ns))
        signal_line(d, index);
}

/* A person's word about a held order: that the broker does not have it, or that it does. */
static void resolve(struct decoder *d) {
    struct scn_args *args = decoder_about(d, SCN_RESOLVES);
    if (args == NULL)
        return;
    args->has |= SLOT(STATE);
    args->state = decoder_args(d)[1] % 2 == 0 ? OMS_STATE_CANCELED : OMS_STATE_WORKING;
}

static void jump(struct decoder *d) {
    const uint8_t *arg = decoder_args(d);
    enum scn_statement statement = arg[0] % 2 == 0 ? SCN_CLOCK_FORWARD : SCN_CLOCK_BACK;
    struct scn_args *args = &decoder_line(d, statement)->args;
    args->has = SLOT(DUR);
    args->duration_ns = timeline_durations[arg[1] % (TIMELINE_DURATIONS - 1) + 1];
}

/* What the next record says happens when the OMS comes to a point of its work. */
static void moment(struct decoder *d) {
    d->has_moment = true;
    d->moment =
        (struct scn_when){.base = decoder_args(d)[1] % 2 == 0 ? SCN_BEFORE_POINT : SCN_AFTER_POINT,
                          .anchor = SCN_NONE,
                          .point = decoder_point(d, 0, 2),
                          .written = SCN_TIME_POINT};
}

static void reconcile(struct decoder *d) {
    struct scn_args *args = &decoder_line(d, SCN_RECONCILE)->args;
    args->has = decoder_args(d)[0] % 2 != 0 ? SLOT(DAILY) : 0;
}

static enum timeline_op op_of(const struct timeline_record *record) {
    return (enum timeline_op)(record->op % TIMELINE_OP_COUNT);
}

static void decode(struct decoder *d) {
    const uint8_t *arg = decoder_args(d);
    switch (op_of(d->record)) {
    case TIMELINE_WAIT:
        pass_time(d);
        return;
    case TIMELINE_SIGNAL:
        signal_new(d);
        return;
    case TIMELINE_SIGNAL_AGAIN:
        signal_again(d);
        return;
    case TIMELINE_CANCEL:
        decoder_about(d, SCN_CANCEL);
        return;
    case TIMELINE_FILL:
        timeline_fill(d);
        return;
    case TIMELINE_REJECT:
        decoder_about(d, SCN_BROKER_REJECTS);
        return;
    case TIMELINE_BROKER_CANCEL:
        decoder_about(d, SCN_BROKER_CANCELS);
        return;
    case TIMELINE_EXPIRE:
        decoder_about(d, SCN_BROKER_EXPIRES);
        return;
    case TIMELINE_FOREIGN:
        timeline_foreign(d);
        return;
    case TIMELINE_BROKER:
        decoder_line(d, arg[0] % 2 == 0 ? SCN_BROKER_DOWN : SCN_BROKER_BACK);
        return;
    case TIMELINE_KILL_SWITCH:
        decoder_line(d, arg[0] % 2 == 0 ? SCN_KILL_SWITCH_TRIPS : SCN_KILL_SWITCH_RELEASES);
        return;
    case TIMELINE_HALT_FILE:
        decoder_line(d, arg[0] % 2 == 0 ? SCN_HALT_FILE_SETS : SCN_HALT_FILE_CLEARS);
        return;
    case TIMELINE_RECONCILE:
        reconcile(d);
        return;
    case TIMELINE_SECOND_INSTANCE:
        decoder_line(d, SCN_START_SECOND);
        return;
    case TIMELINE_CRASH:
        timeline_crash(d);
        return;
    case TIMELINE_CRASH_AT:
        timeline_crash_at(d);
        return;
    case TIMELINE_CRASH_BY:
        timeline_crash_by(d);
        return;
    case TIMELINE_RESTART:
        if (d->crash_seen) /* a restart without a crash above it is none */
            decoder_line(d, SCN_RESTART);
        return;
    case TIMELINE_FAULT:
        timeline_strike(d);
        return;
    case TIMELINE_BUST:
        timeline_bust(d);
        return;
    case TIMELINE_CORRECT:
        timeline_correct(d);
        return;
    case TIMELINE_LOSE:
        decoder_about(d, SCN_BROKER_LOSES);
        return;
    case TIMELINE_RESOLVE:
        resolve(d);
        return;
    case TIMELINE_CLOCK:
        jump(d);
        return;
    case TIMELINE_MOMENT:
        moment(d);
        return;
    case TIMELINE_SETTING: /* read before all others */
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

static void take(struct decoder *d, const struct timeline *timeline, size_t index) {
    d->index = index;
    d->record = &timeline->records[index];
}

void timeline_story(const struct timeline *timeline, struct timeline_story *story) {
    struct decoder d = {.story = story, .s = &story->scenario};
    begin(timeline, d.s);
    d.s->lines = story->lines;
    d.s->decisions = memset(story->decisions, 0, sizeof story->decisions);
    d.now_ns = d.s->start_ns;
    d.day_ns = d.s->date_ns;
    for (size_t i = 0; i < timeline->count; i++) {
        take(&d, timeline, i);
        if (op_of(d.record) == TIMELINE_SETTING)
            timeline_setting(&d);
    }
    for (size_t i = 0; i < timeline->count; i++) {
        size_t lines = d.s->line_count;
        take(&d, timeline, i);
        decode(&d);
        d.began = d.began || d.s->line_count > lines;
        d.has_moment = op_of(d.record) == TIMELINE_MOMENT;
    }
    if (!d.began)
        d.s->line_count = 0;
    number_lines(d.s);
}

void timeline_print(const struct timeline_story *story, FILE *out) {
    struct scenario scenario = story->scenario;
    struct scenario_file file = {.scenarios = &scenario, .count = 1};
    scenario_print(&file, out);
}
