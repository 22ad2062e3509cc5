/* Scenario to bytes: the timeline nearest to one that people wrote. */
#include "fuzz/timeline.h"
#include "fuzz/timeline_tables.h"

#include <string.h>

enum { WAITS_MAX = 3, SEEDED_CALLS = TIMELINE_CALLS };

struct encoder {
    const struct scenario *s;
    const struct timeline_strike *strike;
    struct timeline *timeline;
    int64_t now_ns;
    int place[SCN_DECISIONS_MAX]; /* of a decision among those signalled so far; or -1 */
    int signalled;
    char fills[TIMELINE_RECORDS_MAX][SCN_NAME_SIZE]; /* names of the executions so far */
    size_t fill_count;
};

static uint8_t *add(struct encoder *e, enum timeline_op op) {
    static struct timeline_record nowhere; /* past the ceiling */
    struct timeline_record *record = e->timeline->count < TIMELINE_RECORDS_MAX
                                         ? &e->timeline->records[e->timeline->count++]
                                         : &nowhere;
    *record = (struct timeline_record){.op = (uint8_t)op};
    return record->arg;
}

/* A few waits come near enough to any time. */
static void wait_until(struct encoder *e, int64_t ns) {
    for (int i = 0; i < WAITS_MAX && ns > e->now_ns; i++) {
        uint8_t value = timeline_duration_value(ns - e->now_ns);
        if (value == 0)
            return;
        add(e, TIMELINE_WAIT)[0] = value;
        e->now_ns += timeline_durations[value];
    }
}

static uint8_t symbol_value(int symbol) {
    return (uint8_t)(symbol < 0 ? 0 : symbol % TIMELINE_SYMBOLS);
}

static uint8_t decision_value(const struct encoder *e, int decision) {
    return decision < 0 || e->place[decision] < 0 ? 0 : (uint8_t)e->place[decision];
}

/* A point by two arguments of a record: its kind, and which decision. */
static void encode_point(const struct encoder *e, const struct scn_point *point, uint8_t *kind,
                         uint8_t *decision) {
    *kind = (uint8_t)point->kind;
    *decision = decision_value(e, point->decision);
}

static void at_point(struct encoder *e, const struct scn_when *when) {
    uint8_t *arg = add(e, TIMELINE_MOMENT);
    encode_point(e, &when->point, &arg[0], &arg[2]);
    arg[1] = when->base == SCN_AFTER_POINT;
}

/* What counts from a crash or a restart follows the line above by that much. */
static void wait_for_line(struct encoder *e, const struct scn_when *when) {
    switch (when->base) {
    case SCN_AT:
        wait_until(e, when->ns);
        return;
    case SCN_AFTER_CRASH:
    case SCN_AFTER_RESTART:
        if (when->written != SCN_TIME_INHERITED)
            wait_until(e, e->now_ns + when->ns);
        return;
    case SCN_BEFORE_POINT:
    case SCN_AFTER_POINT:
        at_point(e, when);
        return;
    case SCN_FROM_BEGINNING:
        return;
    }
}

static void encode_signal(struct encoder *e, const struct scn_args *args) {
    uint8_t *arg = NULL;
    if (e->place[args->decision] >= 0) {
        add(e, TIMELINE_SIGNAL_AGAIN)[0] = (uint8_t)e->place[args->decision];
        return;
    }
    e->place[args->decision] = e->signalled++;
    arg = add(e, TIMELINE_SIGNAL);
    arg[0] = symbol_value(args->symbol);
    arg[1] = args->side == BROKER_SELL ? 1 : 0;
    arg[1] |= scn_has(args, SCN_SLOT_PRICE) ? 0 : 2u;
    arg[1] = (uint8_t)(arg[1] | (unsigned)args->tif << 2);
    arg[4] = args->until_ns == 0 ? 0 : timeline_duration_value(args->until_ns - e->now_ns);
}

/* The first decision signalled in a symbol; 0 when there is none. */
static uint8_t decision_in(const struct encoder *e, int symbol) {
    for (size_t i = 0; i < e->s->decision_count; i++) {
        if (e->place[i] >= 0 &&
            strcmp(e->s->decisions[i].payload.symbol, e->s->symbols[symbol]) == 0)
            return (uint8_t)e->place[i];
    }
    return 0;
}

static void encode_fill(struct encoder *e, const struct scn_args *args) {
    uint8_t *arg = add(e, TIMELINE_FILL);
    int64_t whole =
        args->decision < 0 ? args->qty_nanos : e->s->decisions[args->decision].payload.qty_nanos;
    arg[0] = args->decision < 0 ? decision_in(e, args->symbol) : decision_value(e, args->decision);
    arg[1] = args->qty_nanos >= whole ? 0 : args->qty_nanos >= whole / 2 ? 1 : 2;
    arg[3] = args->decision < 0;
    if (e->fill_count < TIMELINE_RECORDS_MAX)
        memcpy(e->fills[e->fill_count++], args->name, sizeof args->name);
}

/* A bust or a correction of an execution, by its place among them. */
static void encode_change(struct encoder *e, enum timeline_op op, const struct scn_args *args) {
    uint8_t *arg = add(e, op);
    for (size_t i = 0; i < e->fill_count; i++) {
        if (strcmp(e->fills[i], args->name) == 0)
            arg[0] = (uint8_t)i;
    }
    if (op == TIMELINE_CORRECT) { /* to something else, whatever it was */
        arg[1] = 1;
        arg[2] = 1;
    }
}

static void encode_jump(struct encoder *e, bool back, int64_t ns) {
    uint8_t *arg = add(e, TIMELINE_CLOCK);
    uint8_t value = timeline_duration_value(ns);
    arg[0] = back;
    arg[1] = value == 0 ? 0 : (uint8_t)(value - 1);
}

static void encode_crash(struct encoder *e, const struct scn_crash *crash) {
    static const struct site send = {SITE_BROKER_SUBMIT, ON_NONE};
    struct timeline_strike strike = {send, 1};
    bool by_point = crash->where == SCN_CRASH_BEFORE || crash->where == SCN_CRASH_AFTER;
    uint8_t *arg = NULL;
    if (crash->where == SCN_CRASH_AT_SITE)
        strike = (struct timeline_strike){crash->site, (unsigned)crash->occurrence};
    else if (e->strike != NULL)
        strike = *e->strike;
    if (crash->where == SCN_CRASH_NOW)
        arg = add(e, TIMELINE_CRASH);
    else
        arg = add(e, by_point ? TIMELINE_CRASH_BY : TIMELINE_CRASH_AT);
    arg[0] = crash->kind == SCN_KILL;
    if (by_point) {
        encode_point(e, &crash->point, &arg[3], &arg[5]);
        arg[4] = crash->where == SCN_CRASH_AFTER;
    } else if (crash->where != SCN_CRASH_NOW) {
        arg[3] = timeline_crash_site_value(strike.site);
        arg[4] = (uint8_t)((strike.occurrence - 1) % SEEDED_CALLS);
    }
}

static void encode_fault_values(const struct scn_strike *strike, uint8_t *arg) {
    for (int i = 0; i < FAULT_ARGS_MAX && strike->fault.kind->args[i].name != NULL; i++) {
        const struct fault_arg *row = &strike->fault.kind->args[i];
        int64_t value = strike->fault.arg[i];
        if (row->type == FAULT_ARG_DURATION)
            value = timeline_stall_value(value);
        else if (row->type == FAULT_ARG_INT)
            value -= row->least;
        if (i == 0) {
            arg[5] = (uint8_t)(value % 256);
            if (row->type == FAULT_ARG_INT)
                arg[6] = (uint8_t)(value / 256 % 256);
        } else {
            arg[6] = (uint8_t)value;
        }
    }
}

static void encode_fault(struct encoder *e, const struct scn_strike *strike) {
    uint8_t *arg = NULL;
    if (strike->fault.kind->wire_only)
        return;
    arg = add(e, TIMELINE_FAULT);
    arg[0] = timeline_fault_value(strike->fault.kind);
    arg[1] = timeline_fault_site_value(strike->fault.kind, strike->site);
    encode_fault_values(strike, arg);
    switch (strike->times) {
    case SCN_NEXT_CALL:
        return;
    case SCN_ALL_CALLS:
        arg[2] = 3;
        return;
    case SCN_EACH_CALL:
        arg[2] = 1;
        arg[3] = (uint8_t)(e->strike == NULL ? 0 : (e->strike->occurrence - 1) % SEEDED_CALLS);
        return;
    case SCN_ON_CALLS:
        arg[2] = 1;
        arg[3] = (uint8_t)((strike->first - 1) % SEEDED_CALLS);
        arg[4] = (uint8_t)((strike->last - strike->first) % 4);
        return;
    case SCN_UNTIL:
        arg[2] = 2;
        arg[4] = timeline_duration_value(strike->until_ns - e->now_ns);
        arg[4] = arg[4] == 0 ? 0 : (uint8_t)(arg[4] - 1);
        return;
    }
}

/* The records of lines that say nothing but what happens and, perhaps, to which decision. */
static bool encode_plain(struct encoder *e, const struct scn_line *line) {
    static const struct {
        enum scn_statement statement;
        enum timeline_op op;
        bool about_decision;
        uint8_t first;
    } plain[] = {
        {SCN_CANCEL, TIMELINE_CANCEL, true, 0},
        {SCN_BROKER_REJECTS, TIMELINE_REJECT, true, 0},
        {SCN_BROKER_CANCELS, TIMELINE_BROKER_CANCEL, true, 0},
        {SCN_BROKER_EXPIRES, TIMELINE_EXPIRE, true, 0},
        {SCN_BROKER_DOWN, TIMELINE_BROKER, false, 0},
        {SCN_BROKER_BACK, TIMELINE_BROKER, false, 1},
        {SCN_KILL_SWITCH_TRIPS, TIMELINE_KILL_SWITCH, false, 0},
        {SCN_KILL_SWITCH_RELEASES, TIMELINE_KILL_SWITCH, false, 1},
        {SCN_HALT_FILE_SETS, TIMELINE_HALT_FILE, false, 0},
        {SCN_HALT_FILE_CLEARS, TIMELINE_HALT_FILE, false, 1},
        {SCN_BROKER_LOSES, TIMELINE_LOSE, true, 0},
        {SCN_START_SECOND, TIMELINE_SECOND_INSTANCE, false, 0},
        {SCN_RESTART, TIMELINE_RESTART, false, 0},
    };
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (plain[i].statement != line->statement)
            continue;
        uint8_t *arg = add(e, plain[i].op);
        arg[0] = plain[i].about_decision ? decision_value(e, line->args.decision) : plain[i].first;
        return true;
    }
    return false;
}

static void encode_setting(struct encoder *e, enum timeline_setting which, uint8_t value) {
    uint8_t *arg = add(e, TIMELINE_SETTING);
    arg[0] = (uint8_t)which;
    arg[1] = value;
}

/* Lines that hold from the beginning. True: it was one. */
static bool encode_habit(struct encoder *e, const struct scn_line *line) {
    uint8_t value = 0;
    switch ((int)line->statement) {
    case SCN_BROKER_BURNS_IDS:
        encode_setting(e, SETTING_BURNS_IDS, 0);
        return true;
    case SCN_BROKER_KEEPS_IDS:
        encode_setting(e, SETTING_KEEPS_IDS, 0);
        return true;
    case SCN_BROKER_SAYS:
        encode_setting(e, SETTING_SAYS, 0);
        return true;
    case SCN_BROKER_FILLS_ALL:
        value = timeline_duration_value(line->args.duration_ns);
        encode_setting(e, SETTING_FILLS_ALL, value == 0 ? 0 : (uint8_t)(value - 1));
        return true;
    default:
        return false;
    }
}

static void encode_act(struct encoder *e, const struct scn_line *line) {
    const struct scn_args *args = &line->args;
    uint8_t *arg = NULL;
    switch ((int)line->statement) {
    case SCN_SIGNAL:
        encode_signal(e, args);
        return;
    case SCN_BROKER_FILLS:
    case SCN_BROKER_FILLS_SYMBOL:
        encode_fill(e, args);
        return;
    case SCN_BROKER_BUSTS:
        encode_change(e, TIMELINE_BUST, args);
        return;
    case SCN_BROKER_CORRECTS:
        encode_change(e, TIMELINE_CORRECT, args);
        return;
    case SCN_CRASH:
        encode_crash(e, &args->crash);
        return;
    case SCN_FAULT:
        encode_fault(e, &args->strike);
        return;
    case SCN_CLOCK_FORWARD:
    case SCN_CLOCK_BACK:
        encode_jump(e, line->statement == SCN_CLOCK_BACK, args->duration_ns);
        return;
    case SCN_RECONCILE:
        add(e, TIMELINE_RECONCILE)[0] = scn_has(args, SCN_SLOT_DAILY);
        return;
    case SCN_RESOLVES:
        arg = add(e, TIMELINE_RESOLVE);
        arg[0] = decision_value(e, args->decision);
        arg[1] = args->state == OMS_STATE_WORKING;
        return;
    case SCN_BROKER_FOREIGN:
        arg = add(e, TIMELINE_FOREIGN);
        arg[0] = symbol_value(args->symbol);
        arg[1] = args->side == BROKER_SELL;
        return;
    default:
        return;
    }
}

static void encode_line(struct encoder *e, const struct scn_line *line) {
    if (scn_statement_sort(line->statement) != SCN_STIMULUS ||
        line->statement == SCN_BROKER_ACCEPTS || encode_habit(e, line))
        return;
    wait_for_line(e, &line->when);
    if (!encode_plain(e, line))
        encode_act(e, line);
}

/* The value of a table of sizes that is nearest from below. */
static uint8_t size_value(const int64_t sizes[TIMELINE_SIZES], int64_t wanted) {
    size_t best = 0;
    for (size_t i = 1; i < TIMELINE_SIZES; i++) {
        if (sizes[i] <= wanted)
            best = i;
    }
    return (uint8_t)best;
}

static void encode_options(struct encoder *e) {
    static const struct {
        enum scn_option option;
        enum timeline_setting setting;
        const int64_t *sizes; /* NULL: the value says nothing */
    } rows[] = {
        {SCN_OPTION_BATCH, SETTING_BATCH, timeline_batches},
        {SCN_OPTION_SELF_HEAL, SETTING_SELF_HEAL, timeline_percents},
        {SCN_OPTION_ARCHIVE_ORDERS, SETTING_ARCHIVE, timeline_archives},
        {SCN_OPTION_STORE_VERSION, SETTING_STORE_VERSION, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct scn_option_value *option = &e->s->options[rows[i].option];
        if (option->set)
            encode_setting(e, rows[i].setting,
                           rows[i].sizes == NULL ? 0 : size_value(rows[i].sizes, option->value));
    }
}

static uint8_t profile_value(const struct profile *profile) {
    uint8_t i = 0;
    while (profile_at(i) != profile && profile_at(i) != NULL)
        i++;
    return i;
}

static uint8_t disk_value(const struct disk_profile *disk) {
    uint8_t i = 0;
    while (disk_profile_at(i) != disk && disk_profile_at(i) != NULL)
        i++;
    return i;
}

static void encode_head(const struct scenario *s, const struct profile *profile, uint8_t *head) {
    head[HEAD_PROFILE] = profile_value(profile);
    head[HEAD_DISK] = disk_value(s->disk);
    head[HEAD_PACE] = (uint8_t)((s->pace_ns > 0) + (s->pace_ns >= TIMELINE_SECOND));
    head[HEAD_CHECKPOINT] = s->options[SCN_OPTION_CHECKPOINT_FRAMES].set ? 1 : 0;
    for (size_t i = 0; i < s->given_count; i++) {
        if (s->givens[i].kind == SCN_HEADER_GIVEN_OMS)
            head[HEAD_POSITION] = 1;
        if (s->givens[i].kind == SCN_HEADER_GIVEN_KILL_SWITCH)
            head[HEAD_KILL_SWITCH] = 8;
    }
    head[HEAD_SEED] = (uint8_t)(s->seed % 256);
}

void timeline_of_scenario(const struct scenario *scenario, const struct profile *profile,
                          const struct timeline_strike *strike, struct timeline *timeline) {
    struct encoder e = {
        .s = scenario, .strike = strike, .timeline = timeline, .now_ns = scenario->start_ns};
    *timeline = (struct timeline){0};
    for (size_t i = 0; i < SCN_DECISIONS_MAX; i++)
        e.place[i] = -1;
    encode_head(scenario, profile, timeline->head);
    encode_options(&e);
    for (size_t i = 0; i < scenario->line_count; i++)
        encode_line(&e, &scenario->lines[i]);
}
