/* crashgate fmt: files in their one canonical form. */
#include "scenarios/cli/commands.h"
#include "scenarios/cli/save.h"
#include "scenarios/cli/suite.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/exits.h"
#include "scenarios/lang/format.h"

#include <stdlib.h>
#include <string.h>

struct formatting {
    const struct options *options;
    size_t other, mistaken; /* files that were not canonical; that have mistakes */
    int exit_code;
};

static enum diag_format form_of(const struct options *options) {
    const char *format = options->value[OPTION_FORMAT];
    return format != NULL && strcmp(format, "short") == 0 ? DIAG_SHORT : DIAG_LONG;
}

static void tell_mistakes(struct formatting *formatting, const char *path,
                          const struct diags *diags) {
    diags_write(diags, form_of(formatting->options), stderr);
    if (form_of(formatting->options) == DIAG_LONG)
        diags_summary(diags, path, stderr);
    formatting->mistaken++;
    formatting->exit_code = EXIT_MISTAKE;
}

static void put_formatted(struct formatting *formatting, const char *path, const char *formatted,
                          size_t length) {
    bool only_look = formatting->options->value[OPTION_CHECK] != NULL;
    formatting->other++;
    if (only_look) {
        puts(path);
        if (formatting->exit_code == EXIT_PASS)
            formatting->exit_code = EXIT_FAIL;
    } else if (!save_file(path, formatted, length, SAVE_REPLACE)) {
        formatting->exit_code = EXIT_ENVIRONMENT;
    }
}

static void format_file(struct formatting *formatting, const char *path) {
    size_t length = 0, formatted_length = 0;
    char *text = read_whole(path, &length), *formatted = NULL;
    struct diags diags = {0};
    if (text == NULL) {
        formatting->exit_code = EXIT_MISTAKE;
        return;
    }
    formatted = scenario_format(path, text, length, &formatted_length, &diags);
    if (formatted == NULL)
        tell_mistakes(formatting, path, &diags);
    else if (formatted_length != length || memcmp(text, formatted, length) != 0)
        put_formatted(formatting, path, formatted, formatted_length);
    diags_free(&diags);
    free(formatted);
    free(text);
}

int command_fmt(const struct options *options) {
    struct formatting formatting = {.options = options};
    struct suite_paths paths;
    if (options->file_count == 0) {
        fprintf(stderr, "crashgate: 'fmt' needs at least one scenario file or folder\n");
        return EXIT_MISTAKE;
    }
    if (!suite_paths(options->files, options->file_count, &paths))
        return EXIT_MISTAKE;
    for (size_t i = 0; i < paths.n; i++)
        format_file(&formatting, paths.v[i]);
    printf("%zu file%s, %zu %s, mistakes in %zu\n", paths.n, paths.n == 1 ? "" : "s",
           formatting.other,
           options->value[OPTION_CHECK] != NULL ? "not in canonical form" : "rewritten",
           formatting.mistaken);
    suite_paths_free(&paths);
    return formatting.exit_code;
}
