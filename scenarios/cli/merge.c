/* The gate's verdict over what its shards left behind: any folders, in any order, twice, or not all
 * of them. */
#include "scenarios/cli/commands.h"
#include "scenarios/cli/gate_tell.h"
#include "scenarios/cli/results.h"
#include "scenarios/lang/exits.h"

#include <errno.h>
#include <string.h>

/* False: said on standard error, the suite's exit code is set. */
static bool merge_file(struct suite *suite, const char *path, struct results *all) {
    struct results more;
    char why[RESULTS_WHY_SIZE];
    int exit_code = EXIT_PASS;
    if (!results_read(path, suite, &more, why))
        exit_code = EXIT_MISTAKE;
    else if (all->records == NULL)
        *all = more;
    else
        exit_code = results_merge(all, &more, why);
    if (exit_code == EXIT_PASS)
        return true;
    fprintf(stderr, "crashgate: merge: %s\n", why);
    suite_worst(suite, exit_code);
    return false;
}

static bool merge_folder(struct suite *suite, const char *folder, struct results *all) {
    struct suite_paths paths;
    bool merged = true;
    if (!results_in(folder, &paths)) {
        fprintf(stderr, "crashgate: merge: cannot read the folder %s: %s\n", folder,
                strerror(errno));
        suite_worst(suite, EXIT_MISTAKE);
        return false;
    }
    if (paths.n == 0) {
        fprintf(stderr, "crashgate: merge: no results (results-*.json) in %s\n", folder);
        suite_worst(suite, EXIT_MISTAKE);
        merged = false;
    }
    for (size_t i = 0; i < paths.n && merged; i++)
        merged = merge_file(suite, paths.v[i], all);
    suite_paths_free(&paths);
    return merged;
}

static void write_merged(struct suite *suite, const struct results *all) {
    const char *folder = suite->options->value[OPTION_OUT];
    char why[RESULTS_WHY_SIZE];
    if (folder == NULL)
        return;
    if (results_fit(folder, suite, &all->work, why)) {
        if (results_write(all, folder, why))
            return;
        suite_worst(suite, EXIT_ENVIRONMENT);
    } else {
        suite_worst(suite, EXIT_MISTAKE);
    }
    fprintf(stderr, "crashgate: --out %s: %s\n", folder, why);
}

int command_merge(const struct options *options, const char *program) {
    struct suite suite;
    struct results all = {0};
    bool merged = true;
    if (options->file_count == 0) {
        fprintf(stderr, "crashgate: 'merge' needs at least one folder of results\n");
        return EXIT_MISTAKE;
    }
    if (!suite_open(&suite, options, program, SUITE_BOTH))
        return suite.exit_code;
    suite.quiet_totals = true;
    for (size_t i = 0; i < options->file_count && merged; i++)
        merged = merge_folder(&suite, options->files[i], &all);
    if (merged) {
        write_merged(&suite, &all);
        gate_tell_bugs(&suite, &all);
        gate_tell_files(&suite, &all);
        gate_tell_rest(&suite, &all);
        gate_verdict(&suite, &all);
    }
    results_free(&all);
    return suite_close(&suite);
}
