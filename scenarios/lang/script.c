/* One run of one scenario: the schedule of its lines, its checks, its beginning and its end. */
#include "scenarios/lang/script_parts.h"

#include "scenarios/lang/codes.h"
#include "scenarios/lang/workload.h"
#include "sim/check.h"
#include "sim/hash.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- failing ---- */

static void mark_place(struct script *script) {
    if (script->marked_set || script->stage.trace == NULL)
        return;
    script->marked_set = true;
    script->marked = script->stage.trace->n > 0 ? script->stage.trace->n - 1 : 0;
}

__attribute__((format(printf, 4, 5))) void script_fail(struct script *script, enum run_code code,
                                                       int line, const char *format, ...) {
    va_list args;
    if (script->failure.code[0] != '\0')
        return;
    snprintf(script->failure.code, sizeof script->failure.code, "%s", run_code_text(code));
    script->failure.line = line;
    script->failure.at_ns = script->stage.world.now_ns;
    va_start(args, format);
    vsnprintf(script->failure.text, sizeof script->failure.text, format, args);
    va_end(args);
    mark_place(script);
}

/* The line as written in canonical form, for messages. */
static char *line_text(const struct script *script, size_t index, char *out, size_t size) {
    FILE *stream = fmemopen(out, size, "w");
    CHECK(stream != NULL);
    scenario_print_line(script->scenario, &script->scenario->lines[index], stream);
    fclose(stream);
    out[size - 1] = '\0';
    return out;
}

int script_line_number(const struct script *script, size_t index) {
    return script->scenario->lines[index].place.line;
}

bool script_crash_is_quantified(const struct scn_crash *crash) {
    return crash->where == SCN_CRASH_ANYWHERE || crash->where == SCN_CRASH_ANYWHERE_BEFORE ||
           crash->where == SCN_CRASH_ANYWHERE_AFTER || crash->where == SCN_CRASH_ANYWHERE_BETWEEN;
}

/* ---- when lines happen ---- */

void script_schedule(struct script *script, size_t index, int64_t at_ns) {
    script->lines[index].state = LINE_SCHEDULED;
    script->lines[index].at_ns = at_ns;
}

void script_resolve_relative(struct script *script, size_t cause, enum scn_base base) {
    const struct scenario *scenario = script->scenario;
    enum scn_statement again = base == SCN_AFTER_CRASH ? SCN_CRASH : SCN_RESTART;
    bool first_of_two = base == SCN_AFTER_CRASH &&
                        scenario->lines[cause].args.crash.depth == SCN_TWICE &&
                        script->lines[cause].strikes == 1;
    for (size_t i = cause + 1; i < scenario->line_count; i++) {
        if (scenario->lines[i].statement == again)
            return;
        if (scenario->lines[i].when.base == base && script->lines[i].state == LINE_WAITING)
            script_schedule(script, i, script->stage.world.now_ns + scenario->lines[i].when.ns);
        if (first_of_two && scenario->lines[i].statement == SCN_RESTART)
            return;
    }
}

bool script_point_matches(const struct scn_point *point, enum scn_point_kind kind, int decision) {
    return point->kind == kind && (point->decision == SCN_NONE || point->decision == decision);
}

/* Whether the lines above have had their turn, so that a line that waits for a point is in force.
 */
bool script_in_force(const struct script *script, size_t index) {
    while (index > 0) {
        enum line_state state = script->lines[--index].state;
        if (script->scenario->lines[index].when.base == SCN_AT)
            return state != LINE_SCHEDULED && state != LINE_WAITING;
    }
    return true;
}

/* ---- checks ---- */

static void expectation_failed(struct script *script, size_t index, enum run_code code) {
    const struct scn_line *line = &script->scenario->lines[index];
    char is[300], text[160];
    cond_describe(script, &line->terms[0], is, sizeof is);
    script_fail(script, code, line->place.line, "'%s' does not hold: %s",
                line_text(script, index, text, sizeof text), is);
}

static void check_line(struct script *script, size_t index) {
    const struct scn_line *line = &script->scenario->lines[index];
    char text[160];
    switch ((int)line->statement) {
    case SCN_EXPECT:
        if (!cond_holds(script, line->terms, line->term_count))
            expectation_failed(script, index, RUN_CODE_EXPECT);
        return;
    case SCN_WITHIN: /* its deadline */
        if (!script->lines[index].seen && !cond_holds(script, line->terms, line->term_count))
            expectation_failed(script, index, RUN_CODE_WITHIN);
        return;
    default:
        break;
    }
    if (scn_statement_sort(line->statement) == SCN_OBSERVED && !script->lines[index].seen)
        script_fail(script, RUN_CODE_OBSERVED, line->place.line,
                    "'%s' was not seen, in this order, by its time",
                    line_text(script, index, text, sizeof text));
}

static bool is_check(const struct scn_line *line) {
    return scn_statement_sort(line->statement) != SCN_STIMULUS;
}

/* `always`, `within` and `reach` are looked at after every event. */
static void changed(void *ctx) {
    struct script *script = ctx;
    if (script->stage.judge.first.invariant != 0)
        mark_place(script);
    if (script->watch != NULL && script->watch->changed != NULL)
        script->watch->changed(script->watch->ctx);
    for (size_t i = 0; script->has.condition && i < script->scenario->line_count; i++) {
        const struct scn_line *line = &script->scenario->lines[i];
        struct line_run *state = &script->lines[i];
        if (line->statement == SCN_ALWAYS && !cond_holds(script, line->terms, line->term_count))
            expectation_failed(script, i, RUN_CODE_ALWAYS);
        if ((line->statement == SCN_REACH ||
             (line->statement == SCN_WITHIN && state->state == LINE_ARMED)) &&
            !state->seen)
            state->seen = cond_holds(script, line->terms, line->term_count);
    }
}

/* ---- the schedule ---- */

/* The scheduled line that is next: earliest, stimuli before checks, then file order; or -1. */
static int next_line(const struct script *script) {
    int best = -1;
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct line_run *line = &script->lines[i];
        const struct scn_line *scn = &script->scenario->lines[i];
        int64_t at_ns = line->at_ns;
        int64_t best_ns = best < 0 ? 0 : script->lines[best].at_ns;
        if (line->state != LINE_SCHEDULED)
            continue;
        if (best < 0 || at_ns < best_ns ||
            (at_ns == best_ns && !is_check(scn) && is_check(&script->scenario->lines[best])))
            best = (int)i;
    }
    return best;
}

static int64_t next(void *ctx, bool *after_oms) {
    struct script *script = ctx;
    int line = next_line(script), fill = market_next_fill(&script->fills);
    int64_t line_ns = line < 0 ? INT64_MAX : script->lines[line].at_ns;
    int64_t fill_ns = fill < 0 ? INT64_MAX : script->fills.v[fill].at_ns;
    int64_t at_ns = line_ns < fill_ns ? line_ns : fill_ns;
    *after_oms = line >= 0 && is_check(&script->scenario->lines[line]) && line_ns < fill_ns;
    if (script->written_out != NULL && script->stage.judge.first.invariant != 0)
        return INT64_MAX; /* it is known how the week ends */
    if (script->boot_ns < at_ns) {
        *after_oms = false;
        return script->boot_ns;
    }
    return at_ns;
}

static void standing_fill(struct script *script, size_t index) {
    char told[MARKET_TEXT_SIZE];
    const struct scn_line *line =
        market_fill(&script->fills, index, &script->stage.world, script->scenario, told);
    script->stage.line = line->place.line;
    if (told[0] != '\0')
        stage_note(&script->stage, "broker", false, "%s", told);
}

static void line_happens(struct script *script, size_t index) {
    const struct scn_line *line = &script->scenario->lines[index];
    struct line_run *state = &script->lines[index];
    if (line->place.line == script->until)
        state_take(script);
    script->stage.line = line->place.line;
    if (line->statement == SCN_WITHIN && state->until_ns == 0) {
        state->until_ns = state->at_ns + line->args.duration_ns;
        state->state = LINE_ARMED;
        changed(script);
        /* Its deadline is its next moment. */
        state->state = LINE_SCHEDULED;
        state->at_ns = state->until_ns;
        return;
    }
    state->state = LINE_DONE;
    if (is_check(line)) {
        check_line(script, index);
        return;
    }
    if (script->stage.trace != NULL) {
        char text[160];
        stage_note(&script->stage, "script", false, "%s",
                   line_text(script, index, text, sizeof text));
    }
    script_stimulate(script, index);
}

static void happen(void *ctx) {
    struct script *script = ctx;
    int line = next_line(script), fill = market_next_fill(&script->fills);
    int64_t line_ns = line < 0 ? INT64_MAX : script->lines[line].at_ns;
    int64_t fill_ns = fill < 0 ? INT64_MAX : script->fills.v[fill].at_ns;
    if (script->boot_ns < line_ns && script->boot_ns < fill_ns) {
        script->boot_ns = INT64_MAX;
        stage_boot_soon(&script->stage);
    } else if (fill >= 0 && (line < 0 || script->fills.v[fill].at_ns <= script->lines[line].at_ns))
        standing_fill(script, (size_t)fill);
    else
        line_happens(script, (size_t)line);
    stage_changed(&script->stage);
}

void script_happen_at_point(struct script *script, size_t index) {
    int line = script->stage.line;
    line_happens(script, index);
    script->stage.line = line;
}

/* ---- a whole run ---- */

static bool make_world(struct script *script, const struct run_options *options,
                       const struct sut_config *oms, struct world *world, char why[SUT_WHY_SIZE]) {
    const struct scenario *scenario = script->scenario;
    struct oms_opening openings[SCN_GIVENS_MAX];
    size_t opening_count = 0;
    struct disk *image = NULL;
    world_init(world, script->config->profile, scenario->start_ns);
    market_open(scenario, &world->exchange);
    for (size_t i = 0; i < scenario->given_count; i++) {
        const struct scn_given *given = &scenario->givens[i];
        struct oms_opening *opening = &openings[opening_count];
        if (given->kind != SCN_HEADER_GIVEN_OMS)
            continue;
        *opening = (struct oms_opening){.qty_nanos = given->args.qty_nanos,
                                        .price_nanos = given->args.price_nanos};
        memcpy(opening->symbol, scenario->symbols[given->args.symbol], sizeof opening->symbol);
        opening_count++;
    }
    image = stage_image(options->sut, oms, scenario->start_ns, openings, opening_count, why);
    if (image == NULL) {
        world_free(world);
        return false;
    }
    disk_free(world->disk);
    world->disk = image;
    disk_set_profile(world->disk, scenario->disk);
    return true;
}

enum { SIMULATED_PAGE = 1024 };

static bool is_at_rest(const struct fault *fault, enum act act) {
    return fault->kind->op == SITE_DISK_REST && (act == ACT_NONE || fault->kind->act == act);
}

/* Whether some line or the plan has damage at rest; with an act, only that one. */
static bool has_damage(const struct scenario *scenario, const struct plan *plan, enum act act) {
    for (size_t i = 0; i < scenario->line_count; i++) {
        const struct scn_line *line = &scenario->lines[i];
        if (line->statement == SCN_FAULT && is_at_rest(&line->args.strike.fault, act))
            return true;
    }
    for (size_t i = 0; plan != NULL && i < plan->count; i++) {
        if (plan->items[i].what == PLAN_FAULT && is_at_rest(&plan->items[i].fault, act))
            return true;
    }
    return false;
}

static void list_kinds(struct script *script) {
    memset(&script->has, 0, sizeof script->has);
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct scn_line *line = &script->scenario->lines[i];
        bool crash = line->statement == SCN_CRASH;
        script->has.window |= crash && script_crash_is_quantified(&line->args.crash);
        script->has.crash_at |= crash && line->args.crash.where == SCN_CRASH_AT_SITE;
        script->has.reach_crash |= line->statement == SCN_REACH_CRASH;
        script->has.fault |= line->statement == SCN_FAULT;
        script->has.read |= script_point_is_read(line->args.crash.point.kind) ||
                            script_point_is_read(line->args.crash.to.kind) ||
                            script_point_is_read(line->when.point.kind);
        script->has.condition |= line->statement == SCN_ALWAYS || line->statement == SCN_REACH ||
                                 line->statement == SCN_WITHIN;
    }
}

static void schedule_all(struct script *script) {
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct scn_line *line = &script->scenario->lines[i];
        bool standing = line->statement == SCN_ALWAYS || line->statement == SCN_FINALLY ||
                        line->statement == SCN_REACH || line->statement == SCN_REACH_CRASH ||
                        line->statement == SCN_REACH_FAULT;
        script->lines[i].state = standing ? LINE_DONE : LINE_WAITING;
        if (standing)
            continue;
        if (line->when.base == SCN_AT)
            script_schedule(script, i, line->when.ns);
        else if (line->when.base == SCN_FROM_BEGINNING)
            script_schedule(script, i, script->scenario->start_ns);
    }
}

bool script_open(struct script *script, const struct scenario *scenario,
                 const struct run_config *config, const struct run_options *options,
                 const struct chooser *chooser, const struct plan *plan, struct trace *trace,
                 char why[SUT_WHY_SIZE]) {
    const struct scn_option_value *page = &scenario->options[SCN_OPTION_PAGE_SIZE];
    const struct scn_option_value *heal = &scenario->options[SCN_OPTION_SELF_HEAL];
    const struct scn_option_value *batch = &scenario->options[SCN_OPTION_BATCH];
    const struct scn_option_value *late = &scenario->options[SCN_OPTION_ANSWERS_LATE];
    const struct scn_option_value *frames = &scenario->options[SCN_OPTION_CHECKPOINT_FRAMES];
    const struct scn_option_value *archive = &scenario->options[SCN_OPTION_ARCHIVE_ORDERS];
    const struct scn_option_value *version = &scenario->options[SCN_OPTION_STORE_VERSION];
    struct stage_config stage = {.sut = options->sut,
                                 .claims = options->claims,
                                 .suspends = run_suspends(scenario, plan),
                                 .keeps_backups = has_damage(scenario, plan, ACT_RESTORED),
                                 .door = config->door,
                                 .wire = options->wire,
                                 .oms = {.profile = config->profile,
                                         .account = "SIM",
                                         .page_size = page->set ? (int)page->value : SIMULATED_PAGE,
                                         .checkpoint_frames = frames->set ? (int)frames->value : 0,
                                         .self_heal_percent = heal->set ? (int)heal->value : 0,
                                         .archive_orders = archive->set ? (int)archive->value : 0,
                                         .answers_late_s = late->set ? (int)late->value : 0,
                                         .store_version = version->set ? (int)version->value : 0},
                                 .start_ns = scenario->start_ns,
                                 .pace_ns = scenario->pace_ns,
                                 .batch = batch->set ? (size_t)batch->value : 0,
                                 .seed = options->seed != NULL ? *options->seed : scenario->seed};
    struct stage_outside outside = {.ctx = script,
                                    .next = next,
                                    .happen = happen,
                                    .ask = script_ask,
                                    .passed = script_passed,
                                    .told = script_told,
                                    .left = script_left,
                                    .delivered = script_delivered,
                                    .changed = changed,
                                    .power = script_choose_power};
    struct world world;
    /* Only damage there is asked about: without any, nothing rests in vain. */
    if (has_damage(scenario, plan, ACT_NONE))
        outside.rest = script_rest;
    script->written_out = workload_write_out(scenario, stage.seed);
    script->own_lines = scenario->line_count;
    scenario = script->written_out != NULL ? script->written_out : scenario;
    script->scenario = scenario;
    script->config = config;
    if (!make_world(script, options, &stage.oms, &world, why)) {
        workload_free(script->written_out);
        return false;
    }
    stage_open(&script->stage, &stage, &outside, &world);
    script->stage.chain = options->chain;
    if (options->chain != NULL)
        options->chain->run++;
    script->chooser = *chooser;
    script->plan = plan;
    script->taken.count = 0;
    script->death_index = -1;
    script->lines = check_zalloc(scenario->line_count + 1, sizeof *script->lines);
    script->observed = script_next_observed(script, 0);
    script->fills = (struct market_fills){0};
    script->faults_over = script->has_key = false;
    script->idle_life = script->idle = 0;
    script->strikes = (struct strikes){0};
    script->strikes_line = SCN_NONE;
    script->watch = NULL;
    script->boot_ns = INT64_MAX;
    script->outcome = NULL;
    script->crash_points = 0;
    script->crash_count = 0;
    script->points = options->points;
    script->tallies = options->tallies;
    script->called = options->called;
    script->until = options->until;
    script->state = script->facts = NULL;
    script->named[0] = '\0';
    memset(script->fired, 0, sizeof script->fired);
    script->reached_count = 0;
    script->failure.code[0] = '\0';
    script->marked = 0;
    script->marked_set = false;
    script->stage.trace = trace;
    for (size_t i = 0; i < scenario->decision_count; i++)
        judge_add(&script->stage.judge, scenario->decisions[i].name,
                  &scenario->decisions[i].payload);
    list_kinds(script);
    schedule_all(script);
    return true;
}

/* Lines in force before the first life, then the first life itself. */
void script_begin(struct script *script) {
    const struct scenario *scenario = script->scenario;
    for (size_t i = 0; i < scenario->line_count; i++) {
        if (script->lines[i].state == LINE_SCHEDULED &&
            scenario->lines[i].when.base == SCN_FROM_BEGINNING && !is_check(&scenario->lines[i]))
            line_happens(script, i);
    }
    script->stage.line = 0;
    stage_boot(&script->stage);
    for (size_t i = 0; i < scenario->given_count; i++) {
        if (scenario->givens[i].kind == SCN_HEADER_GIVEN_KILL_SWITCH)
            stage_tell(&script->stage, INBOX_KILL_SWITCH, 0, true);
    }
}

static void list_reached(const struct script *script, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < script->reached_count && used < size; i++) {
        const struct script_point *point = &script->reached[i];
        char text[POINT_TEXT_SIZE];
        used += (size_t)snprintf(
            out + used, size - used, "%s%s", i > 0 ? ", " : "",
            script_point_text(script, point->after, point->kind, point->decision, text));
    }
}

/* What was ordered and never came is a failure of the script, not a pass. */
static void nothing_left_out(struct script *script) {
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct scn_line *line = &script->scenario->lines[i];
        enum line_state state = script->lines[i].state;
        char text[120], reached[240];
        if (state == LINE_DONE || script->lines[i].fired)
            continue;
        line_text(script, i, text, sizeof text);
        if (line->statement == SCN_CRASH && !script_crash_is_quantified(&line->args.crash)) {
            list_reached(script, reached, sizeof reached);
            script_fail(script, RUN_CODE_NEVER_HAPPENED, line->place.line,
                        "'%s' never happened; reached were: %s", text, reached);
        } else if (line->statement == SCN_FAULT && line->args.strike.times != SCN_EACH_CALL) {
            script_fail(script, RUN_CODE_NEVER_HAPPENED, line->place.line,
                        "'%s' never struck: there was no such call after it", text);
        } else if (state == LINE_FOR_ORDER) {
            script_fail(script, RUN_CODE_NO_ORDER, line->place.line,
                        "'%s': the broker never had an order for it", text);
        } else if (state == LINE_WAITING) {
            script_fail(script, RUN_CODE_NEVER_HAPPENED, line->place.line,
                        "'%s': its moment never came", text);
        }
    }
}

/* Deaths that were drawn and never came. */
static void strikes_left_out(struct script *script) {
    const struct strikes *strikes = &script->strikes;
    int line = script->strikes_line;
    if (line >= 0 &&
        strikes->struck < (unsigned)script->scenario->lines[line].args.crash.occurrence &&
        script->stage.judge.first.invariant == 0)
        script_fail(script, RUN_CODE_NEVER_HAPPENED, script_line_number(script, (size_t)line),
                    "only %u of the crashes at random happened", strikes->struck);
}

static void final_checks(struct script *script) {
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct scn_line *line = &script->scenario->lines[i];
        if (line->statement == SCN_FINALLY && line->place.line == script->until)
            state_take(script);
        if (line->statement == SCN_FINALLY && !cond_holds(script, line->terms, line->term_count))
            expectation_failed(script, i, RUN_CODE_FINALLY);
        if (line->statement == SCN_REACH && !script->lines[i].seen)
            script->lines[i].seen = cond_holds(script, line->terms, line->term_count);
    }
}

/* Nothing is left to happen and a window is still open: the last crash point is now, and it is no
 * choice when lines wait for the crash. True when it struck. */
static bool idle_window(struct script *script) {
    int window = script_open_window(script);
    const struct plan_item *item = NULL;
    unsigned occurrence = 0;
    if (window < 0 || !stage_is_up(&script->stage))
        return false;
    occurrence = script_idle_again(script);
    if (script->points != NULL)
        script_list_point(script, (struct site){0}, 0, false);
    if (script->plan != NULL) {
        item = plan_at(script->plan, script->stage.life, PLAN_AT_IDLE, occurrence);
        if (item != NULL)
            script_die_by_plan(script, item);
        return item != NULL;
    }
    if (!script_crash_is_awaited(script, (size_t)window + 1) && !script_chooses_crash(script))
        return false;
    script_die_idle(script, (size_t)window, occurrence);
    return true;
}

/* A death that the plan orders for when nothing is left to happen. */
static bool dies_at_end(struct script *script) {
    const struct plan_item *item =
        script->plan == NULL ? NULL : plan_at(script->plan, script->stage.life, PLAN_AT_END, 1);
    if (item == NULL)
        return false;
    script_die_by_plan(script, item);
    return true;
}

/* The first of two crashes has struck and no line starts the OMS again: it is started here, so that
 * the second one has a life to strike in. True when it was. */
static bool second_life(struct script *script) {
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        if (script->scenario->lines[i].statement != SCN_CRASH || stage_is_up(&script->stage) ||
            !script_open_second(script, i))
            continue;
        stage_note(&script->stage, "harness", false, "the OMS is started for its second crash");
        stage_boot(&script->stage);
        return true;
    }
    return false;
}

void script_finish(struct script *script, bool skip_recovery) {
    stage_run(&script->stage);
    while (script->watch == NULL &&
           (dies_at_end(script) || idle_window(script) || second_life(script)))
        stage_run(&script->stage);
    if (script->watch != NULL)
        script_show_crash_point(script, NULL, 0, false);
    strikes_left_out(script);
    script->faults_over = true;
    if (!script->scenario->quantified)
        nothing_left_out(script);
    if (stage_settle(&script->stage) == STAGE_QUIET)
        final_checks(script);
    if (script->failure.code[0] == '\0' && script->stage.judge.first.invariant == 0 &&
        !skip_recovery)
        stage_recover_again(&script->stage);
    if (script->stage.judge.first.invariant != 0)
        mark_place(script);
}

void script_run(struct script *script, bool skip_recovery) {
    script_begin(script);
    script_finish(script, skip_recovery);
}

/* ---- one life at a time ---- */

void script_dies(struct script *script, const struct plan_item *item,
                 const struct broker_request *sent, unsigned outcome) {
    int window = script_open_window(script);
    CHECK(script->stage.oms == NULL && window >= 0);
    if (item->late_ns > 0)
        stage_outlives(&script->stage, sent, item->late_ns);
    script_note_death(script, item, false);
    script->lines[window].fired = true;
    script->outcome = &outcome;
    stage_die(&script->stage, plan_is_power(item->what) ? STAGE_POWER : STAGE_KILL);
    script->outcome = NULL;
    script_resolve_relative(script, (size_t)window, SCN_AFTER_CRASH);
}

void script_waits(struct script *script, int64_t until_ns) {
    CHECK(script->stage.oms == NULL);
    script->stage.port.dead = true;
    stage_wait(&script->stage, until_ns);
    stage_boot_soon(&script->stage);
}

int64_t script_restart_ns(const struct script *script) {
    int64_t at_ns = INT64_MAX;
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct line_run *line = &script->lines[i];
        if (script->scenario->lines[i].statement == SCN_RESTART && line->state == LINE_SCHEDULED &&
            line->at_ns < at_ns)
            at_ns = line->at_ns;
    }
    return at_ns;
}

/* Whether some condition counts requests: then how many there were is remembered. */
static bool counts_submits(const struct scenario *scenario) {
    for (size_t i = 0; i < scenario->line_count; i++) {
        for (size_t j = 0; j < scenario->lines[i].term_count; j++) {
            if (scenario->lines[i].terms[j].kind == SCN_COND_SUBMITS)
                return true;
        }
    }
    return false;
}

uint64_t script_memory(const struct script *script, bool timed, struct moments *pending) {
    int64_t now_ns = script->stage.world.now_ns;
    uint64_t hash = script->stage.second_refused;
    for (size_t i = 0; counts_submits(script->scenario) && i < script->scenario->decision_count;
         i++)
        hash = hash_u64(hash, script->stage.judge.decisions[i].arrived);
    for (size_t i = 0; i < script->scenario->line_count; i++) {
        const struct scn_line *scn = &script->scenario->lines[i];
        const struct line_run *line = &script->lines[i];
        hash = hash_u64(hash, (uint64_t)line->state * 4 + line->in_window * 2u + line->over);
        if (scn->statement == SCN_FAULT && line->state == LINE_ARMED)
            hash = hash_u64(hash, (uint64_t)script_calls_spent(&scn->args.strike, line) * 2 +
                                      line->fired);
        if (scn->statement == SCN_CRASH && line->state == LINE_ARMED)
            hash = hash_u64(hash, (uint64_t)line->calls);
        if (timed && line->state == LINE_SCHEDULED)
            hash = meaning_time(hash, line->at_ns, now_ns, pending);
    }
    for (size_t i = 0; i < script->fills.n; i++) {
        hash =
            hash_u64(hash, script->fills.v[i].order * 2 + (script->fills.v[i].at_ns == INT64_MAX));
        if (timed && script->fills.v[i].at_ns != INT64_MAX)
            hash = meaning_time(hash, script->fills.v[i].at_ns, now_ns, pending);
    }
    return hash;
}

void script_close(struct script *script) {
    stage_close(&script->stage);
    workload_free(script->written_out);
    free(script->lines);
    market_fills_free(&script->fills);
    free(script->state);
    free(script->facts);
}
