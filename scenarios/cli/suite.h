/* Running many scenarios in all their configurations, and telling the reports. */
#ifndef SCENARIOS_CLI_SUITE_H
#define SCENARIOS_CLI_SUITE_H

#include "reports/result.h"
#include "reports/terminal.h"
#include "scenarios/cli/options.h"
#include "scenarios/lang/run.h"

#include <stdbool.h>
#include <stdio.h>

struct baseline;

enum { SUITE_RUNS_MAX = 100000 };

/* Which doors a scenario runs through, as far as it leaves the choice. */
enum suite_doors { SUITE_DIRECT, SUITE_WIRE, SUITE_BOTH };

struct suite {
    const struct options *options;
    const char *program; /* as invoked, for replay commands */
    enum suite_doors doors;
    struct report_terminal terminal;
    bool quiet_passes; /* no line for what passes */
    bool quiet_totals; /* no closing line: the command writes its own */
    bool collects;     /* reports are kept only: the command tells them, later and in its order */
    FILE *json;
    struct baseline *baseline; /* what is known; NULL: nothing */
    struct wire *wire;
    struct report_run *runs; /* everything reported so far; texts are owned by `texts` */
    size_t run_count, run_cap;
    char **texts;
    size_t text_count, text_cap;
    struct report_totals totals;
    size_t again; /* configurations left out here: `crash again anywhere` is explored, not run */
    size_t scenario_count; /* scenarios of which something ran, whatever the configurations */
    unsigned long faults[SITE_COUNT];
    uint64_t called;                      /* bit 1 << op: an operation that some OMS called */
    unsigned long tallies[FAULT_TALLIES]; /* faults by row and word of the catalogue */
    int exit_code;                        /* the worst so far */
    const char *oms_name;                 /* what failures call the OMS under test */
    const char *verdict;                  /* of the command, in a line; NULL: the totals say it */
    const char *title;                    /* of the scenario that runs now, for progress */
};

/* False: a report file cannot be written; said on standard error, exit_code is set. */
bool suite_open(struct suite *suite, const struct options *options, const char *program,
                enum suite_doors doors);
/* Writes the closing line and the reports; returns the exit code. */
int suite_close(struct suite *suite);

/* Finds scenario files: files as they are, folders recursively, sorted by name; folders called
 * "found" only when they are named themselves, as they hold bugs (scenarios/cli/bug.h). Frees with
 * suite_paths_free. False: said on standard error. */
struct suite_paths {
    char **v;
    size_t n, cap;
};
bool suite_paths(const char *const *files, size_t count, struct suite_paths *paths);
void suite_paths_free(struct suite_paths *paths);

/* Checks and runs every scenario of a file that the options pick. "FILE:LINE" picks one. */
void suite_file(struct suite *suite, const char *path);
/* The command that repeats one run by its plan, or (plan = NULL) all runs of the configuration;
 * lives as long as the suite. */
const char *suite_replay_command(struct suite *suite, const char *path,
                                 const struct scenario *scenario, const struct run_config *config,
                                 const char *oms, const char *plan);
/* Splits "FILE:LINE"; line 0 when there is none. */
void suite_split_line(const char *path, char *file, size_t size, int *line);
/* Tells a story by itself. */
void suite_story(struct suite *suite, const struct trace *trace);
/* `keep`, if not NULL, gets the file's scenarios, which then live until the caller frees it.
 * The same without running: calls `each` with every scenario and configuration that is picked. */
typedef void suite_in_file(void *ctx, const char *path, const struct scenario *scenario,
                           const struct run_config *config);
void suite_pick(struct suite *suite, const char *path, suite_in_file *each, void *ctx,
                struct scenario_file *keep);
/* The wire, opened when first needed. NULL: said on standard error, exit_code is set. */
struct wire *suite_wire(struct suite *suite);

/* Runs one scenario in one configuration on the OMS of the options, and reports it. */
void suite_scenario(struct suite *suite, const char *path, const struct scenario *scenario,
                    const struct run_config *config);
/* Runs it on any OMS and reports nothing; the caller frees *result. False: the simulated wire did
 * not start; said on standard error, exit_code is set, there is no result. */
bool suite_perform(struct suite *suite, const struct scenario *scenario,
                   const struct run_config *config, const struct sut *sut, unsigned claims,
                   struct run_result *result);
/* How runs are run, as the options say; opens the wire if the configuration needs it. False as
 * above. */
bool suite_run_options(struct suite *suite, const struct run_config *config, const struct sut *sut,
                       unsigned claims, struct run_options *run);
/* A result as a report. `oms`: as --oms names it in the command that repeats it; NULL: the core.
 * What *run points to belongs to the suite once suite_add took it. */
void suite_describe(struct suite *suite, const char *path, const struct scenario *scenario,
                    const struct run_config *config, const char *oms,
                    const struct run_result *result, struct report_run *run);
/* Counts a report, prints it (unless it is a pass and passes are quiet) and passes it on. */
void suite_add(struct suite *suite, const struct report_run *run);
/* The same without a word on the terminal, also while it collects. */
void suite_report(struct suite *suite, const struct report_run *run);
/* Takes the report that was added last back from the suite; the caller frees it. False: none. */
bool suite_take(struct suite *suite, struct report_run *run);
/* Counts what a run's result asks for, unless all it found is known. */
void suite_judge(struct suite *suite, const struct run_result *result,
                 const struct report_run *run);
/* A copy that lives as long as the suite. */
const char *suite_keep(struct suite *suite, const char *text);

/* Every configuration that the options leave: calls each with it. */
typedef void suite_each(void *ctx, const struct scenario *scenario,
                        const struct run_config *config);
void suite_configurations(const struct scenario *scenario, const struct options *options,
                          enum suite_doors doors, suite_each *each, void *ctx);

void suite_worst(struct suite *suite, int exit_code);
/* The exit code that a result asks for. */
int suite_exit_of(const struct run_result *result);

#endif
