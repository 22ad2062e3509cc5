/* Playing and telling. */
#include "fuzz/finding.h"

#include "scenarios/lang/diag.h"
#include "scenarios/lang/script.h"
#include "sim/check.h"

#include <stdlib.h>
#include <string.h>

/* ---- playing ---- */

struct player {
    struct script script;
    struct timeline_story story;
};

/* Large, and used by one timeline after the other: made once. */
static struct player *the_player(void) {
    static struct player *player;
    if (player == NULL)
        player = check_zalloc(1, sizeof *player);
    return player;
}

/* Which of the unsynced writes survive is what the record of the crash says. Nothing else is asked:
 * a timeline has no quantifier. */
static uint32_t survives(void *ctx, enum choice kind, uint32_t n) {
    const struct player *player = ctx;
    int line = timeline_line_at(&player->story, player->script.death.occurrence);
    CHECK(kind == CHOICE_POWER && line >= 0);
    return player->story.survives[line] % n;
}

static void note_end(const struct script *script, struct timeline_end *end) {
    const struct violation *violation = &script->stage.judge.first;
    end->invariant = violation->invariant;
    end->at_ns = violation->at_ns;
    snprintf(end->headline, sizeof end->headline, "%s", violation->text);
    end->plan = script->taken;
    end->counts = script->stage.counts;
    end->fingerprint = script->stage.fingerprint;
}

static void note_line(const struct script *script, size_t line, enum timeline_op op,
                      struct timeline_notes *notes) {
    const struct scn_line *scn = &script->scenario->lines[line];
    const struct line_run *run = &script->lines[line];
    if (!run->fired &&
        (scn->statement == SCN_CRASH || scn->statement == SCN_FAULT || run->state != LINE_DONE))
        return;
    notes->ops |= 1u << op;
    if (scn->statement != SCN_CRASH)
        return;
    notes->killed = notes->killed || scn->args.crash.kind == SCN_KILL;
    notes->power_lost = notes->power_lost || scn->args.crash.kind == SCN_POWER;
}

static void note_lines(const struct player *player, const struct timeline *timeline,
                       struct timeline_notes *notes) {
    for (size_t i = 0; i < player->story.scenario.line_count; i++) {
        const struct timeline_record *record = &timeline->records[player->story.record[i]];
        note_line(&player->script, i, (enum timeline_op)(record->op % TIMELINE_OP_COUNT), notes);
        if (player->story.lines[i].when.written == SCN_TIME_POINT &&
            player->script.lines[i].state == LINE_DONE)
            notes->ops |= 1u << TIMELINE_MOMENT;
    }
}

bool timeline_play(const struct timeline *timeline, const struct sut *sut,
                   struct timeline_end *end) {
    return timeline_play_noting(timeline, sut, NULL, end);
}

bool timeline_play_noting(const struct timeline *timeline, const struct sut *sut,
                          struct timeline_notes *notes, struct timeline_end *end) {
    struct player *player = the_player();
    struct run_options options = {.sut = sut,
                                  .claims = sut->claims,
                                  .tallies = notes == NULL ? NULL : notes->tallies,
                                  .called = notes == NULL ? NULL : &notes->called};
    struct run_config config = {.crash_kind = SCN_NONE, .door = STAGE_DIRECT};
    struct chooser chooser = {player, survives};
    *end = (struct timeline_end){0};
    timeline_story(timeline, &player->story);
    if (player->story.scenario.line_count == 0)
        return true;
    config.profile = player->story.scenario.profiles[0];
    /* As in one run of many: what cannot happen in this one is left out. */
    player->story.scenario.quantified = true;
    if (!script_open(&player->script, &player->story.scenario, &config, &options, &chooser, NULL,
                     NULL, end->why))
        return false;
    script_run(&player->script, false);
    note_end(&player->script, end);
    if (notes != NULL)
        note_lines(player, timeline, notes);
    script_close(&player->script);
    stage_forget_settled(); /* else how a run ends would depend on what was played before */
    return true;
}

bool timeline_make_stores(const struct sut *sut, char why[SUT_WHY_SIZE]) {
    for (size_t i = 0; i < timeline_store_count(); i++) {
        struct timeline timeline;
        struct timeline_end end;
        timeline_with_store(i, &timeline);
        if (!timeline_play(&timeline, sut, &end)) {
            memcpy(why, end.why, SUT_WHY_SIZE);
            return false;
        }
    }
    return true;
}

/* ---- telling ---- */

static char *print_scenario(const struct timeline *timeline, size_t *length) {
    struct timeline_story *story = check_alloc(sizeof *story);
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    CHECK(out != NULL);
    timeline_story(timeline, story);
    timeline_print(story, out);
    fclose(out);
    free(story);
    return text;
}

/* What `crashgate replay` does with the file and the plan. */
static void replay(const struct scenario *scenario, const struct sut *sut,
                   struct finding *finding) {
    struct run_config config = {
        .profile = scenario->profiles[0], .crash_kind = SCN_NONE, .door = STAGE_DIRECT};
    struct run_options options = {.sut = sut, .claims = sut->claims, .plan = &finding->end.plan};
    struct run_result result;
    run_scenario(scenario, &config, &options, &result);
    finding->replays = result.verdict == RUN_FAIL &&
                       result.finding.invariant == finding->end.invariant &&
                       strcmp(result.finding.headline, finding->end.headline) == 0;
    snprintf(finding->why, sizeof finding->why, "%s %.150s %.250s", result.finding.code, result.why,
             result.finding.headline);
    run_result_free(&result);
}

static void replay_text(const struct sut *sut, struct finding *finding) {
    struct scenario_file file;
    struct diags diags = {0};
    if (scenario_parse("finding.scn", finding->scenario, finding->scenario_length, &file, &diags))
        replay(&file.scenarios[0], sut, finding);
    else
        snprintf(finding->why, sizeof finding->why, "the printed file has mistakes: %s",
                 diags.n > 0 ? diags.v[0].text : "");
    scenario_free(&file);
    diags_free(&diags);
}

bool finding_make(const struct timeline *timeline, const struct sut *sut, bool shrink,
                  struct finding *finding) {
    *finding = (struct finding){.timeline = *timeline};
    if (!timeline_play(timeline, sut, &finding->end)) {
        snprintf(finding->why, sizeof finding->why, "%s", finding->end.why);
        return false;
    }
    if (finding->end.invariant == 0)
        return false;
    if (shrink)
        timeline_shrink(&finding->timeline, sut, finding->end.invariant, &finding->shrunk);
    timeline_play(&finding->timeline, sut, &finding->end);
    finding->scenario = print_scenario(&finding->timeline, &finding->scenario_length);
    replay_text(sut, finding);
    return true;
}

void finding_free(struct finding *finding) {
    free(finding->scenario);
    finding->scenario = NULL;
}

void finding_headline(const struct timeline_end *end, FILE *out) {
    int64_t s = end->at_ns / 1000000000 % 86400;
    fprintf(out, "I%d broke at %02d:%02d:%02d: %s\n", end->invariant, (int)(s / 3600),
            (int)(s / 60 % 60), (int)(s % 60), end->headline);
}

void finding_command(const struct finding *finding, const char *path, const char *oms, FILE *out) {
    char plan[PLAN_TEXT_SIZE];
    fprintf(out, "build/crashgate replay %s --plan '%s'%s%s\n", path,
            plan_format(&finding->end.plan, plan), oms != NULL ? " --oms " : "",
            oms != NULL ? oms : "");
}
