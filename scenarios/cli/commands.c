/* The plain commands: run, check, replay, and the two that print tables. */
#include "scenarios/cli/commands.h"

#include "faultinject/catalogue.h"
#include "scenarios/cli/explore.h"

#include "scenarios/cli/manual.h"
#include "scenarios/cli/moment.h"
#include "scenarios/cli/suite.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/exits.h"
#include "scenarios/lang/reference.h"

#include <stdio.h>
#include <string.h>

static int no_files(const char *command) {
    fprintf(stderr, "crashgate: '%s' needs at least one scenario file or folder\n", command);
    return EXIT_MISTAKE;
}

int command_run(const struct options *options, const char *program) {
    struct suite suite;
    struct suite_paths paths;
    if (options->value[OPTION_UNTIL] != NULL)
        return command_until(options, program);
    if (options->value[OPTION_BLESS] != NULL)
        return command_bless(options, program);
    if (options->value[OPTION_AFTER] != NULL) {
        fprintf(stderr, "crashgate: --after goes with --bless\n");
        return EXIT_MISTAKE;
    }
    if (options->file_count == 0)
        return no_files("run");
    if (!suite_paths(options->files, options->file_count, &paths))
        return EXIT_MISTAKE;
    if (!suite_open(&suite, options, program,
                    options->value[OPTION_WIRE] != NULL ? SUITE_WIRE : SUITE_DIRECT)) {
        suite_paths_free(&paths);
        return suite.exit_code;
    }
    for (size_t i = 0; i < paths.n; i++)
        suite_file(&suite, paths.v[i]);
    explore_what_was_left(&suite, &paths);
    if (suite.run_count == 0 && suite.exit_code == EXIT_PASS) {
        fprintf(stderr, "crashgate: the options leave no scenario to run\n");
        suite_worst(&suite, EXIT_MISTAKE);
    }
    suite_paths_free(&paths);
    return suite_close(&suite);
}

int command_check(const struct options *options) {
    const char *format = options->value[OPTION_FORMAT];
    enum diag_format form = format != NULL && strcmp(format, "short") == 0 ? DIAG_SHORT : DIAG_LONG;
    struct suite_paths paths;
    size_t mistaken = 0, scenarios = 0;
    if (options->file_count == 0)
        return no_files("check");
    if (!suite_paths(options->files, options->file_count, &paths))
        return EXIT_MISTAKE;
    for (size_t i = 0; i < paths.n; i++) {
        struct scenario_file file;
        struct diags diags = {0};
        if (!scenario_load(paths.v[i], &file, &diags)) {
            diags_write(&diags, form, stderr);
            if (form == DIAG_LONG)
                diags_summary(&diags, paths.v[i], stderr);
            mistaken++;
        }
        scenarios += file.count;
        diags_free(&diags);
        scenario_free(&file);
    }
    if (form == DIAG_LONG)
        printf("%zu file%s, %zu scenario%s, mistakes in %zu\n", paths.n, paths.n == 1 ? "" : "s",
               scenarios, scenarios == 1 ? "" : "s", mistaken);
    suite_paths_free(&paths);
    return mistaken > 0 ? EXIT_MISTAKE : EXIT_PASS;
}

int command_replay(const struct options *options, const char *program) {
    struct suite suite;
    if (options->file_count != 1 || !options->has_plan) {
        fprintf(stderr, "crashgate: replay takes one FILE[:LINE] and --plan\n");
        return EXIT_MISTAKE;
    }
    if (!suite_open(&suite, options, program,
                    options->value[OPTION_WIRE] != NULL ? SUITE_WIRE : SUITE_DIRECT))
        return suite.exit_code;
    suite_file(&suite, options->files[0]);
    return suite_close(&suite);
}

int command_faults(void) {
    printf("%-18s %-11s %s\n", "site", "fault", "meaning");
    for (size_t i = 0; i < catalogue_count(); i++) {
        const struct fault_kind *kind = catalogue_at(i);
        struct fault fault = {.kind = kind};
        struct site site = {kind->op, ON_NONE};
        char name[SITE_NAME_SIZE], text[FAULT_TEXT_SIZE];
        for (int a = 0; a < FAULT_ARGS_MAX; a++)
            fault.arg[a] = kind->args[a].otherwise;
        printf("%-18s %-11s %s%s\n", site_name(site, name), kind->name, kind->meaning,
               kind->wire_only ? " (wire door)" : "");
        if (kind->args[0].name != NULL)
            printf("%-18s   e.g. %s\n", "", fault_format(&fault, text));
    }
    return EXIT_PASS;
}

int command_reference(const struct options *options) {
    static const char *const pages[] = {
#define X(page, meaning) page " (" meaning ")",
        MANUAL_PAGES(X)
#undef X
    };
    const char *page = options->file_count > 0 ? options->files[0] : NULL;
    if (options->file_count <= 1 && (page == NULL || manual_write(page, stdout))) {
        if (page == NULL)
            reference_write(stdout);
        return EXIT_PASS;
    }
    fprintf(stderr,
            "crashgate: no such page: '%s'; without one it is the language's, else one of\n",
            options->file_count > 1 ? options->files[1] : page);
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        fprintf(stderr, "  %s\n", pages[i]);
    return EXIT_MISTAKE;
}

int command_perform(const struct options *options, const char *program) {
    switch (options->command) {
    case COMMAND_RUN:
        return command_run(options, program);
    case COMMAND_CHECK:
        return command_check(options);
    case COMMAND_FMT:
        return command_fmt(options);
    case COMMAND_NEW:
        return command_new(options);
    case COMMAND_EXPLAIN:
        return command_explain(options, program);
    case COMMAND_POINTS:
        return command_points(options, program);
    case COMMAND_REPLAY:
        return command_replay(options, program);
    case COMMAND_SHRINK:
        return command_shrink(options, program);
    case COMMAND_EXPLORE:
        return command_explore(options, program);
    case COMMAND_SWEEP:
        return command_sweep(options, program);
    case COMMAND_FUZZ:
        return command_fuzz(options, program);
    case COMMAND_TRIAGE:
        return command_triage(options, program);
    case COMMAND_PROMOTE:
        return command_promote(options, program);
    case COMMAND_BUGS:
        return command_bugs(options, program);
    case COMMAND_GATE:
        return command_gate(options, program);
    case COMMAND_MERGE:
        return command_merge(options, program);
    case COMMAND_KNOWN_BAD:
        return command_known_bad(options, program);
    case COMMAND_DOCTOR:
        return command_doctor(options, program);
    case COMMAND_BROKER:
        return command_broker(options);
    case COMMAND_BENCH:
        return command_bench(program);
    case COMMAND_FAULTS:
        return command_faults();
    case COMMAND_REFERENCE:
        return command_reference(options);
    case COMMAND_COUNT:
        break;
    }
    return EXIT_MISTAKE;
}
