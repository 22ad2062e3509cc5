/* Opening a finding, and reducing its text: greedy, in a fixed order, the same code as oracle. */
#include "scenarios/cli/found.h"

#include "fuzz/finding.h"
#include "scenarios/cli/bug.h"
#include "scenarios/cli/save.h"
#include "scenarios/cli/suite.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/shrink.h"
#include "sim/check.h"

#include <stdlib.h>
#include <string.h>

enum { RUNS_MAX = 5000, PATH_SIZE = 4096, PAIRED_MAX = 40 };

/* ---- a text and its plan ---- */

static void parse(const char *text, size_t length, struct scenario_file *file) {
    struct diags diags = {0};
    bool parsed = scenario_parse("finding.scn", text, length, file, &diags);
    CHECK(parsed);
    diags_free(&diags);
}

/* The scenario in canonical form, and the plan with the line numbers of that text. False: what was
 * changed in it breaks a rule of the language; there is no text. */
static bool print(const struct scenario *scenario, const struct plan *plan, char **text,
                  size_t *length, struct plan *moved) {
    struct scenario copy = *scenario;
    struct scenario_file one = {.scenarios = &copy, .count = 1}, file;
    struct diags diags = {0};
    FILE *out = open_memstream(text, length);
    CHECK(out != NULL);
    scenario_print(&one, out);
    fclose(out);
    bool lawful = scenario_parse("finding.scn", *text, *length, &file, &diags);
    diags_free(&diags);
    *moved = *plan;
    if (!lawful) {
        free(*text);
        *text = NULL;
        return false;
    }
    for (size_t i = 0; i < plan->count; i++) {
        for (size_t k = 0; plan->items[i].place == PLAN_AT_LINE && k < scenario->line_count; k++) {
            if ((unsigned)scenario->lines[k].place.line == plan->items[i].occurrence)
                moved->items[i].occurrence = (unsigned)file.scenarios[0].lines[k].place.line;
        }
    }
    scenario_free(&file);
    return true;
}

static void put(struct found *found, char *text, size_t length, const struct plan *plan) {
    free(found->text);
    found->text = text;
    found->length = length;
    found->plan = *plan;
}

/* ---- reducing ---- */

struct reducing {
    struct trial *trial;
    struct found *found;
    char code[RUN_CODE_SIZE];
    unsigned long runs_before;
};

static bool breaks(struct reducing *r, const char *text, size_t length, const struct plan *plan) {
    char code[RUN_CODE_SIZE];
    r->found->bound = r->found->bound || r->trial->runs - r->runs_before >= RUNS_MAX;
    if (r->found->bound)
        return false;
    trial_code(r->trial, text, length, plan, code);
    return strcmp(code, r->code) == 0;
}

/* A scenario in place of the one that stands there; true: it breaks the same, and is kept. */
static bool keeps(struct reducing *r, const struct scenario *scenario, const struct plan *plan) {
    char *text = NULL;
    size_t length = 0;
    struct plan moved;
    if (!print(scenario, plan, &text, &length, &moved))
        return false;
    if (breaks(r, text, length, &moved)) {
        put(r->found, text, length, &moved);
        return true;
    }
    free(text);
    return false;
}

static void shrink_plan(struct reducing *r) {
    struct scenario_file file;
    struct run_options options = {
        .sut = r->trial->sut, .claims = r->trial->claims, .wire = r->trial->wire};
    struct run_config config;
    struct shrunk shrunk;
    if (r->found->plan.count == 0)
        return;
    parse(r->found->text, r->found->length, &file);
    file.scenarios[0].quantified = true;
    config = trial_config(&file.scenarios[0]);
    shrink(&file.scenarios[0], &config, &options, &r->found->plan, &shrunk);
    if (strcmp(shrunk.code, r->code) == 0)
        r->found->plan = shrunk.plan;
    scenario_free(&file);
}

static void blank(char *text, int line) {
    while (--line > 0)
        text = strchr(text, '\n') + 1;
    memset(text, ' ', strcspn(text, "\n"));
}

/* The text without these lines, whose numbers are zero-ended: line numbers stay. */
static bool without(struct reducing *r, const int *lines) {
    char *text = strdup(r->found->text);
    CHECK(text != NULL);
    for (; *lines != 0; lines++)
        blank(text, *lines);
    if (breaks(r, text, r->found->length, &r->found->plan)) {
        put(r->found, text, r->found->length, &r->found->plan);
        return true;
    }
    free(text);
    return false;
}

/* A decision, with all that is said about it. */
static bool without_decision(struct reducing *r, const struct scenario *scenario, size_t index) {
    int lines[FOUND_LINES_MAX + 2] = {scenario->decisions[index].place.line};
    size_t n = 1;
    for (size_t i = 0; i < scenario->line_count && n < FOUND_LINES_MAX; i++) {
        const struct scn_line *line = &scenario->lines[i];
        if (scn_has(&line->args, SCN_SLOT_DECISION) && line->args.decision == (int)index)
            lines[n++] = line->place.line;
    }
    lines[n] = 0;
    return without(r, lines);
}

static bool drop_some(struct reducing *r, const struct scenario *scenario) {
    for (size_t i = scenario->decision_count; i-- > 0;) {
        if (without_decision(r, scenario, i))
            return true;
    }
    for (size_t i = scenario->line_count; i-- > 0;) {
        int one[] = {scenario->lines[i].place.line, 0};
        if (without(r, one))
            return true;
    }
    for (size_t i = scenario->line_count; i-- > 1 && scenario->line_count <= PAIRED_MAX;) {
        for (size_t k = i; k-- > 0;) {
            int two[] = {scenario->lines[i].place.line, scenario->lines[k].place.line, 0};
            if (without(r, two))
                return true;
        }
    }
    return false;
}

/* What looks and does nothing; it would forbid to say a plan in lines, as `reach` needs a
 * quantifier. */
static bool drop_check(struct reducing *r, const struct scenario *scenario) {
    for (size_t i = scenario->line_count; i-- > 0;) {
        int one[] = {scenario->lines[i].place.line, 0};
        if (scn_statement_sort(scenario->lines[i].statement) != SCN_STIMULUS && without(r, one))
            return true;
    }
    return false;
}

static void drop(struct reducing *r,
                 bool (*drop_one)(struct reducing *r, const struct scenario *scenario)) {
    bool dropped = true;
    while (dropped) {
        struct scenario_file file;
        parse(r->found->text, r->found->length, &file);
        dropped = drop_one(r, &file.scenarios[0]);
        scenario_free(&file);
    }
}

/* ---- a plan's deaths and faults as lines, where quantifiers stood ---- */

static void keep_survivors(const struct plan_item *item, const struct scn_line *line,
                           struct plan *plan, size_t index) {
    bool chosen =
        plan_is_power(item->what) && item->keep[0] != '\0' && strcmp(item->keep, "none") != 0;
    if (chosen) {
        plan->items[index].place = PLAN_AT_LINE;
        plan->items[index].what = PLAN_POWER;
        plan->items[index].occurrence = (unsigned)line->place.line;
        return;
    }
    plan->count--;
    memmove(&plan->items[index], &plan->items[index + 1],
            (plan->count - index) * sizeof plan->items[0]);
}

static bool name_death(struct reducing *r, const struct scenario *scenario, struct scn_line *line,
                       size_t index) {
    const struct plan_item item = r->found->plan.items[index];
    struct plan plan = r->found->plan;
    keep_survivors(&item, line, &plan, index);
    for (int point = 0; point < SCN_POINT_COUNT; point++) {
        for (int where = SCN_CRASH_BEFORE; where <= SCN_CRASH_AFTER; where++) {
            line->args.crash =
                (struct scn_crash){.kind = plan_is_power(item.what) ? SCN_POWER : SCN_KILL,
                                   .where = (enum scn_where)where,
                                   .point = {(enum scn_point_kind)point, SCN_NONE},
                                   .to = {.decision = SCN_NONE}};
            if (keeps(r, scenario, &plan))
                return true;
        }
    }
    line->args.crash.where = SCN_CRASH_AT_SITE;
    line->args.crash.site = item.site;
    for (unsigned call = 1; item.place == PLAN_AT_CALL && call <= item.occurrence + 1; call++) {
        line->args.crash.occurrence = call;
        if (keeps(r, scenario, &plan))
            return true;
    }
    return false;
}

static bool count_fault(struct reducing *r, const struct scenario *scenario, struct scn_line *line,
                        size_t index) {
    const struct plan_item item = r->found->plan.items[index];
    struct plan plan = r->found->plan;
    struct scn_strike *strike = &line->args.strike;
    plan.count--;
    memmove(&plan.items[index], &plan.items[index + 1],
            (plan.count - index) * sizeof plan.items[0]);
    strike->fault = item.fault;
    strike->times = SCN_ON_CALLS;
    strike->times_written = true;
    for (int a = 0; a < FAULT_ARGS_MAX; a++)
        strike->arg_written[a] = item.fault.kind->args[a].name != NULL;
    for (unsigned call = 1; call <= item.occurrence; call++) {
        strike->first = strike->last = call;
        if (keeps(r, scenario, &plan))
            return true;
    }
    return false;
}

static bool say_item(struct reducing *r, struct scenario *scenario, size_t index) {
    const struct plan_item *item = &r->found->plan.items[index];
    for (size_t i = 0; i < scenario->line_count; i++) {
        struct scn_line *line = &scenario->lines[i], before = *line;
        bool said = false;
        if (line->statement == SCN_CRASH && line->args.crash.where >= SCN_CRASH_ANYWHERE &&
            line->args.crash.depth == SCN_ONCE && item->what != PLAN_FAULT &&
            item->what != PLAN_START && item->place != PLAN_AT_LINE)
            said = name_death(r, scenario, line, index);
        else if (line->statement == SCN_FAULT && line->args.strike.times == SCN_EACH_CALL &&
                 item->what == PLAN_FAULT &&
                 site_index(line->args.strike.site) == site_index(item->site))
            said = count_fault(r, scenario, line, index);
        *line = before;
        if (said)
            return true;
    }
    return false;
}

static void say_plan(struct reducing *r) {
    bool said = true;
    while (said) {
        struct scenario_file file;
        said = false;
        parse(r->found->text, r->found->length, &file);
        for (size_t i = 0; !said && i < r->found->plan.count; i++)
            said = say_item(r, &file.scenarios[0], i);
        scenario_free(&file);
    }
}

/* ---- what is left, in words ---- */

static void mark(struct reducing *r, const struct scenario *scenario) {
    for (size_t i = 0; i < scenario->line_count; i++) {
        int line = scenario->lines[i].place.line;
        char *text = strdup(r->found->text);
        CHECK(text != NULL);
        blank(text, line);
        r->found->needed[line % FOUND_LINES_MAX] =
            !breaks(r, text, r->found->length, &r->found->plan) && !r->found->bound;
        free(text);
    }
}

/* Prints it with its sentence for a title. */
static void retitle(struct found *found, struct scenario *scenario) {
    char *text = NULL;
    size_t length = 0;
    struct plan moved;
    snprintf(scenario->title, sizeof scenario->title, "%s", found->sentence);
    CHECK(print(scenario, &found->plan, &text, &length, &moved));
    put(found, text, length, &moved);
}

static void tell(struct reducing *r) {
    struct found *found = r->found;
    struct scenario_file file;
    struct run_result result;
    struct scenario *scenario = NULL;
    parse(found->text, found->length, &file);
    scenario = &file.scenarios[0];
    trial_run(r->trial, scenario, &found->plan, &result);
    CHECK(trial_broke(&result));
    found->finding = result.finding;
    found->finding.trace = (struct trace){0};
    fingerprint_of(scenario, &found->plan, &found->finding, found->fingerprint);
    sentence_of(scenario, &found->plan, &found->finding, found->sentence);
    found->events = (unsigned)(scenario->line_count + found->plan.count);
    run_result_free(&result);
    retitle(found, scenario);
    scenario_free(&file);
    parse(found->text, found->length, &file);
    mark(r, &file.scenarios[0]);
    scenario_free(&file);
}

/* False: it breaks nothing. */
static bool reduce(struct trial *trial, struct found *found) {
    struct reducing r = {.trial = trial, .found = found, .runs_before = trial->runs};
    trial_code(trial, found->text, found->length, &found->plan, r.code);
    if (r.code[0] == '\0')
        return false;
    shrink_plan(&r);
    drop(&r, drop_check);
    say_plan(&r);
    drop(&r, drop_some);
    tell(&r);
    return true;
}

/* ---- opening ---- */

static bool is_scenario_file(const char *path) {
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, ".scn") == 0;
}

static struct scenario *pick(struct scenario_file *file, int line, char why[FOUND_WHY_SIZE]) {
    if (line == 0 && file->count == 1)
        return &file->scenarios[0];
    for (size_t i = 0; i < file->count; i++) {
        if (file->scenarios[i].place.line == line)
            return &file->scenarios[i];
    }
    if (line == 0)
        snprintf(why, FOUND_WHY_SIZE, "it has %zu scenarios: name one by its line, as FILE:%d",
                 file->count, file->scenarios[0].place.line);
    else
        snprintf(why, FOUND_WHY_SIZE, "no scenario begins on line %d", line);
    return NULL;
}

/* One profile and one kind of crash are left of those it names. */
static bool narrow(struct scenario *scenario, const char *profile, int crashes,
                   char why[FOUND_WHY_SIZE]) {
    const struct profile *wanted = profile == NULL ? scenario->profiles[0] : profile_find(profile);
    bool named = false;
    for (size_t i = 0; i < scenario->profile_count; i++)
        named = named || scenario->profiles[i] == wanted;
    scenario->profiles[0] = wanted;
    scenario->profile_count = 1;
    if (!named)
        snprintf(why, FOUND_WHY_SIZE, "the scenario does not name the profile '%s'", profile);
    if (scenario->crash_count > 0 && crashes != SCN_NONE)
        scenario->crashes[0] = (enum scn_crash_kind)crashes;
    scenario->crash_count = scenario->crash_count > 0 ? 1 : 0;
    return named;
}

static enum found_how open_parsed(struct scenario_file *file, int line, const char *profile,
                                  int crashes, const struct plan *plan, struct found *found,
                                  char why[FOUND_WHY_SIZE]) {
    struct scenario *scenario = pick(file, line, why);
    struct plan moved;
    if (scenario == NULL || !narrow(scenario, profile, crashes, why))
        return FOUND_MISTAKE;
    CHECK(print(scenario, plan, &found->text, &found->length, &moved));
    found->plan = moved;
    return FOUND_READY;
}

static enum found_how open_scenario(const char *path, const struct plan *plan, const char *profile,
                                    int crashes, struct found *found, char why[FOUND_WHY_SIZE]) {
    char name[PATH_SIZE], mistake[PLAN_WHY_SIZE + 40];
    int line = 0;
    size_t length = 0;
    struct bug_head head;
    struct scenario_file file;
    struct diags diags = {0};
    enum found_how how = FOUND_MISTAKE;
    suite_split_line(path, name, sizeof name, &line);
    char *text = read_whole(name, &length);
    if (text == NULL)
        return FOUND_MISTAKE;
    if (!bug_head_read(text, &head, mistake)) {
        snprintf(why, FOUND_WHY_SIZE, "%s", mistake);
    } else if (!scenario_parse(name, text, length, &file, &diags)) {
        diags_write(&diags, DIAG_LONG, stderr);
    } else {
        snprintf(found->origin, sizeof found->origin, "%.*s", (int)sizeof found->origin - 1,
                 head.found);
        how = open_parsed(&file, line, profile, crashes, plan != NULL ? plan : &head.plan, found,
                          why);
        scenario_free(&file);
    }
    diags_free(&diags);
    free(text);
    return how;
}

static enum found_how open_bytes(const struct trial *trial, const char *path, struct found *found,
                                 char why[FOUND_WHY_SIZE]) {
    size_t length = 0;
    char *bytes = read_whole(path, &length);
    struct timeline timeline;
    struct finding finding;
    if (bytes == NULL)
        return FOUND_MISTAKE;
    timeline_read(&timeline, (const uint8_t *)bytes, length);
    free(bytes);
    if (!finding_make(&timeline, trial->sut, true, &finding)) {
        snprintf(why, FOUND_WHY_SIZE, "%s", finding.why);
        return FOUND_NOTHING;
    }
    put(found, finding.scenario, finding.scenario_length, &finding.end.plan);
    return FOUND_READY;
}

enum found_how found_open(struct trial *trial, const char *path, const struct plan *plan,
                          const char *profile, int crashes, struct found *found,
                          char why[FOUND_WHY_SIZE]) {
    char name[PATH_SIZE];
    int line = 0;
    enum found_how how;
    *found = (struct found){0};
    why[0] = '\0';
    suite_split_line(path, name, sizeof name, &line);
    how = is_scenario_file(name) ? open_scenario(path, plan, profile, crashes, found, why)
                                 : open_bytes(trial, path, found, why);
    if (how == FOUND_READY && !reduce(trial, found))
        how = FOUND_NOTHING;
    return how;
}

void found_free(struct found *found) {
    free(found->text);
    found->text = NULL;
}
