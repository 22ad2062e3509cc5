/* One run, judged. */
#include "scenarios/cli/trial.h"

#include "scenarios/lang/codes.h"
#include "scenarios/lang/diag.h"
#include "sim/wire.h"

#include <stdio.h>
#include <string.h>

struct run_config trial_config(const struct scenario *scenario) {
    return (struct run_config){
        .profile = scenario->profiles[0],
        .crash_kind = scenario->uses_default_crash ? (int)scenario->crashes[0] : SCN_NONE,
        .door = scenario->wire_only ? STAGE_WIRE : STAGE_DIRECT};
}

void trial_run(struct trial *trial, struct scenario *scenario, const struct plan *plan,
               struct run_result *result) {
    struct run_config config = trial_config(scenario);
    struct run_options options = {.sut = trial->sut, .claims = trial->claims, .plan = plan};
    *result = (struct run_result){.verdict = RUN_BROKEN};
    scenario->quantified = true;
    if (config.door == STAGE_WIRE && trial->wire == NULL)
        trial->wire = wire_open();
    if (config.door == STAGE_WIRE && trial->wire == NULL) {
        snprintf(result->why, sizeof result->why, "the simulated wire does not start");
        return;
    }
    options.wire = trial->wire;
    trial->runs++;
    run_scenario(scenario, &config, &options, result);
}

bool trial_broke(const struct run_result *result) {
    return result->found && !run_code_blames_scenario(result->finding.code);
}

void trial_code(struct trial *trial, const char *text, size_t length, const struct plan *plan,
                char code[RUN_CODE_SIZE]) {
    struct scenario_file file;
    struct diags diags = {0};
    struct run_result result = {0};
    bool parsed = scenario_parse("finding.scn", text, length, &file, &diags);
    if (parsed)
        trial_run(trial, &file.scenarios[0], plan, &result);
    snprintf(code, RUN_CODE_SIZE, "%s", trial_broke(&result) ? result.finding.code : "");
    run_result_free(&result);
    scenario_free(&file);
    diags_free(&diags);
}

void trial_close(struct trial *trial) {
    wire_close(trial->wire);
    trial->wire = NULL;
}
