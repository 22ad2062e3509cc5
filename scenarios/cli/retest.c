/* Every bug once, and what became of it. */
#include "scenarios/cli/retest.h"

#include "scenarios/lang/exits.h"

#include <cjson/cJSON.h>

#include <string.h>

static const char *const end_words[] = {
#define X(id, word, meaning) word,
    RETEST_ENDS(X)
#undef X
};

static const char *const end_meanings[] = {
#define X(id, word, meaning) [RETEST_##id] = (meaning),
    RETEST_ENDS(X)
#undef X
};

const char *retest_meaning(enum retest_end end) {
    return end_meanings[end];
}

/* It orders a death or a fault, or its plan does. */
static bool has_trouble(const struct bug *bug) {
    const struct scenario *scenario = &bug->file.scenarios[0];
    for (size_t i = 0; i < scenario->line_count; i++) {
        if (scenario->lines[i].statement == SCN_CRASH || scenario->lines[i].statement == SCN_FAULT)
            return true;
    }
    return bug->head.plan.count > 0;
}

static enum retest_end end_of(const struct bug *bug, const struct run_result *result) {
    if (result->verdict == RUN_BROKEN)
        return RETEST_BROKEN;
    if (trial_broke(result))
        return bug->head.state == BUG_FIXED ? RETEST_CAME_BACK : RETEST_FAILS;
    if (has_trouble(bug) && result->counts.crashes + result->counts.faults == 0)
        return RETEST_SHOWS_NOTHING;
    return bug->head.state == BUG_FIXED ? RETEST_PASSES : RETEST_FIXED;
}

/* What more there is to say, or "". */
static void note_of(const struct bug *bug, const struct run_result *result, char *out,
                    size_t size) {
    out[0] = '\0';
    if (result->verdict == RUN_BROKEN)
        snprintf(out, size, "%s", result->why);
    else if (trial_broke(result) && strcmp(result->finding.code, bug->head.breaks) != 0)
        snprintf(out, size, "%s instead of %s: %s", result->finding.code, bug->head.breaks,
                 result->finding.headline);
    else if (trial_broke(result))
        snprintf(out, size, "%s: %s", result->finding.code, result->finding.headline);
    else
        snprintf(out, size, "%lu crashes and %lu faults struck", result->counts.crashes,
                 result->counts.faults);
}

static void write_json(const struct bug *bug, enum retest_end end, const char *note, FILE *json) {
    cJSON *row = cJSON_CreateObject();
    char *text = NULL;
    cJSON_AddStringToObject(row, "type", "bug");
    cJSON_AddStringToObject(row, "name", bug->name);
    cJSON_AddStringToObject(row, "state", bug_state_word(bug->head.state));
    cJSON_AddStringToObject(row, "breaks", bug->head.breaks);
    cJSON_AddStringToObject(row, "fingerprint", bug->head.fingerprint);
    cJSON_AddStringToObject(row, "retest", end_words[end]);
    cJSON_AddStringToObject(row, "note", note);
    text = cJSON_PrintUnformatted(row);
    fprintf(json, "%s\n", text);
    cJSON_free(text);
    cJSON_Delete(row);
}

void retest_bug(const struct bug *bug, struct trial *trial, struct retested *retested) {
    trial_run(trial, &bug->file.scenarios[0], &bug->head.plan, &retested->result);
    retested->end = end_of(bug, &retested->result);
    note_of(bug, &retested->result, retested->note, sizeof retested->note);
}

void retest_tell(const struct bug *bug, const struct retested *retested) {
    printf("%-13s  %s\n               %s (%s)\n", end_words[retested->end], bug->path,
           retested->note, end_meanings[retested->end]);
}

static void retest_one(const struct bug *bug, struct trial *trial, bool mark, FILE *json,
                       struct retest *retest) {
    struct retested retested;
    retest_bug(bug, trial, &retested);
    run_result_free(&retested.result);
    retest->played++;
    retest->ends[retested.end]++;
    retest_tell(bug, &retested);
    if (json != NULL)
        write_json(bug, retested.end, retested.note, json);
    if (mark && retested.end == RETEST_FIXED && bug_set_state(bug, BUG_FIXED))
        retest->marked++;
}

static int exit_of(const struct retest *retest) {
    if (retest->ends[RETEST_BROKEN] > 0)
        return EXIT_ENVIRONMENT;
    if (retest->ends[RETEST_FAILS] + retest->ends[RETEST_CAME_BACK] > 0)
        return EXIT_FAIL;
    if (retest->ends[RETEST_SHOWS_NOTHING] > 0)
        return EXIT_INCONCLUSIVE;
    return retest->ends[RETEST_FIXED] > retest->marked ? EXIT_FIXED : EXIT_PASS;
}

int bugs_retest(const char *folder, struct trial *trial, bool mark, FILE *json,
                struct retest *retest) {
    struct bugs bugs;
    int exit_code = EXIT_MISTAKE;
    *retest = (struct retest){0};
    if (bugs_load(folder, &bugs)) {
        for (size_t i = 0; i < bugs.n; i++)
            retest_one(&bugs.v[i], trial, mark, json, retest);
        printf("bugs: %lu played", retest->played);
        for (int end = 0; end < RETEST_END_COUNT; end++) {
            if (retest->ends[end] > 0)
                printf(", %lu %s", retest->ends[end], end_words[end]);
        }
        printf(retest->marked > 0 ? "; %lu marked as fixed\n" : "\n", retest->marked);
        exit_code = exit_of(retest);
    }
    bugs_free(&bugs);
    return exit_code;
}
