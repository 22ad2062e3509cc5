/* crashgate bugs list|show|retest: the bug base. */
#include "scenarios/cli/bug.h"
#include "scenarios/cli/commands.h"
#include "scenarios/cli/retest.h"
#include "scenarios/cli/save.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/exits.h"
#include "sim/disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *folder_of(const struct options *options) {
    const char *base = options->value[OPTION_BASE];
    return base != NULL ? base : BUG_FOLDER;
}

/* ---- list ---- */

static int list(const struct options *options, const char *program) {
    struct bugs bugs;
    bool loaded = bugs_load(folder_of(options), &bugs);
    (void)program;
    for (size_t i = 0; i < bugs.n; i++)
        printf("%-5s  %-4s %2u events  %s\n       %s\n", bug_state_word(bugs.v[i].head.state),
               bugs.v[i].head.breaks, bugs.v[i].events, bugs.v[i].name, bugs.v[i].head.fingerprint);
    if (loaded)
        printf("%zu bug%s in %s\n", bugs.n, bugs.n == 1 ? "" : "s", folder_of(options));
    bugs_free(&bugs);
    return loaded ? EXIT_PASS : EXIT_MISTAKE;
}

/* ---- show ---- */

static int show_bug(const struct bug *bug, const struct options *options, const char *program) {
    const char *oms = options->value[OPTION_OMS];
    char plan[PLAN_TEXT_SIZE];
    size_t length = 0;
    char *text = read_whole(bug->path, &length);
    if (text == NULL)
        return EXIT_ENVIRONMENT;
    fwrite(text, 1, length, stdout);
    printf("again: %s replay %s --plan '%s'%s%s\n", program, bug->path,
           plan_format(&bug->head.plan, plan), oms != NULL ? " --oms " : "",
           oms != NULL ? oms : "");
    free(text);
    return EXIT_PASS;
}

static int refuse_name(const struct bugs *bugs, const char *name, const char *folder) {
    struct guess guess = guess_start(name, strlen(name));
    for (size_t i = 0; i < bugs->n; i++)
        guess_offer(&guess, bugs->v[i].name);
    fprintf(stderr, "crashgate: no bug in %s is called '%s'", folder, name);
    if (guess.best != NULL)
        fprintf(stderr, "; did you mean '%.*s'?\n", (int)guess.best_length, guess.best);
    else
        fprintf(stderr, "; 'crashgate bugs list' lists them\n");
    return EXIT_MISTAKE;
}

static int show(const struct options *options, const char *program) {
    const char *name = options->files[1];
    struct bugs bugs;
    int exit_code = EXIT_MISTAKE;
    if (bugs_load(folder_of(options), &bugs)) {
        size_t i = 0;
        while (i < bugs.n && strcmp(bugs.v[i].name, name) != 0)
            i++;
        exit_code = i < bugs.n ? show_bug(&bugs.v[i], options, program)
                               : refuse_name(&bugs, name, folder_of(options));
    }
    bugs_free(&bugs);
    return exit_code;
}

/* ---- retest ---- */

static int retest(const struct options *options, const char *program) {
    const char *path = options->value[OPTION_JSON];
    struct trial trial = {.sut = options->sut, .claims = options->claims};
    struct retest counts;
    FILE *json = path == NULL ? NULL : fopen(path, "w");
    int exit_code = EXIT_ENVIRONMENT;
    (void)program;
    if (path != NULL && json == NULL) {
        fprintf(stderr, "crashgate: cannot write %s: %s\n", path, strerror(errno));
        return EXIT_ENVIRONMENT;
    }
    disk_vfs_register();
    exit_code =
        bugs_retest(folder_of(options), &trial, options->value[OPTION_MARK] != NULL, json, &counts);
    trial_close(&trial);
    if (json != NULL && (ferror(json) | fclose(json)) != 0) {
        fprintf(stderr, "crashgate: cannot write %s\n", path);
        return EXIT_ENVIRONMENT;
    }
    return exit_code;
}

/* ---- which ---- */

static const struct {
    const char *word, *takes;
    size_t words;
    int (*perform)(const struct options *options, const char *program);
} verbs[] = {
    {"list", "nothing more", 1, list},
    {"show", "the name of one bug", 2, show},
    {"retest", "nothing more", 1, retest},
};

int command_bugs(const struct options *options, const char *program) {
    const char *word = options->file_count > 0 ? options->files[0] : "";
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(word, verbs[i].word) != 0)
            continue;
        if (options->file_count == verbs[i].words)
            return verbs[i].perform(options, program);
        fprintf(stderr, "crashgate: 'bugs %s' takes %s\n", word, verbs[i].takes);
        return EXIT_MISTAKE;
    }
    fprintf(stderr, "crashgate: 'bugs' is followed by list, show NAME or retest, not '%s'\n", word);
    return EXIT_MISTAKE;
}
