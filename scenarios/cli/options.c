/* Reading the command line: clear refusals, with a guess. */
#include "scenarios/cli/options.h"

#include "scenarios/cli/numbers.h"
#include "scenarios/cli/version.h"
#include "scenarios/lang/ast.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/exits.h"
#include "sim/judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word, *arguments, *help;
} commands[] = {
#define X(id, word, arguments, help) {word, arguments, help},
    COMMANDS(X)
#undef X
};

static const struct {
    const char *word, *argument;
    unsigned commands;
    const char *help;
} rows[] = {
#define X(id, word, argument, taken_by, help) {word, argument, taken_by, help},
    OPTIONS(X)
#undef X
};

static const struct {
    int code;
    const char *meaning;
} exits[] = {
#define X(id, code, meaning) {code, meaning},
    EXITS(X)
#undef X
};

static void usage(FILE *out) {
    fprintf(out, "crashgate " CRASHGATE_VERSION
                 ": kills an order-management system at every point, and judges what is left\n\n"
                 "usage: crashgate COMMAND [OPTIONS] ...\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", commands[i].word, commands[i].arguments);
        fprintf(out, "  %-32s %s\n", left, commands[i].help);
    }
    fprintf(out, "\n'crashgate COMMAND --help' lists a command's options. Exit codes:\n");
    for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++)
        fprintf(out, "  %-3d %s\n", exits[i].code, exits[i].meaning);
}

static void command_usage(enum command command, FILE *out) {
    fprintf(out, "usage: crashgate %s %s [OPTIONS]\n%s\n\n", commands[command].word,
            commands[command].arguments, commands[command].help);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char left[64];
        if ((rows[i].commands & 1u << command) == 0)
            continue;
        snprintf(left, sizeof left, "%s%s%s", rows[i].word, rows[i].argument != NULL ? " " : "",
                 rows[i].argument != NULL ? rows[i].argument : "");
        fprintf(out, "  %-24s %s\n", left, rows[i].help);
    }
}

__attribute__((format(printf, 1, 2))) static int refuse(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("crashgate: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return EXIT_MISTAKE;
}

static int refuse_command(const char *word) {
    struct guess guess = guess_start(word, strlen(word));
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        guess_offer(&guess, commands[i].word);
    if (guess.best != NULL)
        return refuse("no such command: '%s'; did you mean '%.*s'?", word, (int)guess.best_length,
                      guess.best);
    return refuse("no such command: '%s'; 'crashgate --help' lists them", word);
}

static int refuse_option(enum command command, const char *word) {
    struct guess guess = guess_start(word, strlen(word));
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if ((rows[i].commands & 1u << command) != 0)
            guess_offer(&guess, rows[i].word);
    }
    if (guess.best != NULL)
        return refuse("'%s' takes no option '%s'; did you mean '%.*s'?", commands[command].word,
                      word, (int)guess.best_length, guess.best);
    return refuse("'%s' takes no option '%s'; 'crashgate %s --help' lists them",
                  commands[command].word, word, commands[command].word);
}

static int find_option(enum command command, const char *word) {
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(rows[i].word, word) == 0 && (rows[i].commands & 1u << command) != 0)
            return (int)i;
    }
    return -1;
}

/* "--json FILE" or "--json=FILE" */
static int read_option(struct options *options, int argc, char **argv, int *at) {
    char word[64];
    const char *equals = strchr(argv[*at], '=');
    int option = -1;
    snprintf(word, sizeof word, "%.*s",
             equals != NULL ? (int)(equals - argv[*at]) : (int)sizeof word - 1, argv[*at]);
    option = find_option(options->command, word);
    if (option < 0)
        return refuse_option(options->command, word);
    if (rows[option].argument == NULL && equals != NULL)
        return refuse("%s takes no value", word);
    if (rows[option].argument == NULL)
        options->value[option] = "";
    else if (equals != NULL)
        options->value[option] = equals + 1;
    else if (*at + 1 < argc)
        options->value[option] = argv[++*at];
    else
        return refuse("%s needs a value: %s", word, rows[option].argument);
    return -1;
}

static int read_claims(const char *text, unsigned *claims) {
    *claims = 0;
    while (*text != '\0') {
        char *end = NULL;
        long number = text[0] == 'I' ? strtol(text + 1, &end, 10) : 0;
        if (number < 1 || number > INVARIANT_COUNT || (*end != ',' && *end != '\0'))
            return refuse("--claims: '%s' is no list of invariants I1 to I%d", text,
                          INVARIANT_COUNT);
        *claims |= INVARIANT_BIT((unsigned)number);
        text = *end == ',' ? end + 1 : end;
    }
    return -1;
}

static int resolve_sut(struct options *options) {
    const char *name = options->value[OPTION_OMS];
    char why[SUT_WHY_SIZE] = "";
    options->sut = name == NULL ? &sut_core : sut_find(name);
    if (options->sut == NULL && strchr(name, '/') != NULL)
        options->sut = sut_load(name, why);
    if (options->sut == NULL && why[0] != '\0') {
        fprintf(stderr, "crashgate: %s\n", why);
        return EXIT_ENVIRONMENT;
    }
    if (options->sut == NULL)
        return refuse("no such OMS: '%s'; there are core and seed-protocol, or a path to a .so",
                      name);
    options->claims = options->sut->claims;
    if (options->value[OPTION_CLAIMS] != NULL)
        return read_claims(options->value[OPTION_CLAIMS], &options->claims);
    return -1;
}

static int refuse_profile(const char *name) {
    char known[200] = "";
    for (size_t i = 0, used = 0; profile_at(i) != NULL && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i > 0 ? ", " : "",
                                 profile_at(i)->name);
    return refuse("no such profile: '%s'; there are %s", name, known);
}

static int resolve(struct options *options) {
    char why[PLAN_WHY_SIZE] = "";
    int exit_code = resolve_sut(options);
    if (exit_code >= 0)
        return exit_code;
    options->crash_kind = SCN_NONE;
    if (options->value[OPTION_CRASHES] != NULL) {
        const char *kind = options->value[OPTION_CRASHES];
        if (strcmp(kind, "kill") != 0 && strcmp(kind, "power") != 0)
            return refuse("--crashes is 'kill' or 'power', not '%s'", kind);
        options->crash_kind = kind[0] == 'k' ? SCN_KILL : SCN_POWER;
    }
    if (options->value[OPTION_PROFILE] != NULL &&
        profile_find(options->value[OPTION_PROFILE]) == NULL)
        return refuse_profile(options->value[OPTION_PROFILE]);
    if (options->value[OPTION_FORMAT] != NULL &&
        strcmp(options->value[OPTION_FORMAT], "long") != 0 &&
        strcmp(options->value[OPTION_FORMAT], "short") != 0)
        return refuse("--format is 'long' or 'short', not '%s'", options->value[OPTION_FORMAT]);
    options->has_plan = options->value[OPTION_PLAN] != NULL;
    if (options->has_plan && !plan_parse(options->value[OPTION_PLAN], &options->plan, why))
        return refuse("--plan: %s", why);
    options->has_seed = options->value[OPTION_SEED] != NULL;
    if (options->has_seed) {
        if (!number_read(options->value[OPTION_SEED], &options->seed))
            return refuse("--seed is a whole number, not '%s'", options->value[OPTION_SEED]);
    }
    return -1;
}

int options_parse(int argc, char **argv, struct options *options) {
    int command = 0;
    bool only_files = false;
    *options = (struct options){0};
    if (argc < 2) {
        usage(stderr);
        return EXIT_MISTAKE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return EXIT_PASS;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("crashgate " CRASHGATE_VERSION);
        return EXIT_PASS;
    }
    while (command < COMMAND_COUNT && strcmp(commands[command].word, argv[1]) != 0)
        command++;
    if (command == COMMAND_COUNT)
        return refuse_command(argv[1]);
    options->command = (enum command)command;
    options->files = calloc((size_t)argc, sizeof *options->files);
    if (options->files == NULL)
        return EXIT_ENVIRONMENT;
    for (int i = 2; i < argc; i++) {
        int exit_code = -1;
        if (!only_files && strcmp(argv[i], "--") == 0)
            only_files = true;
        else if (!only_files && argv[i][0] == '-' && argv[i][1] != '\0')
            exit_code = read_option(options, argc, argv, &i);
        else
            options->files[options->file_count++] = argv[i];
        if (exit_code >= 0)
            return exit_code;
    }
    if (options->value[OPTION_HELP] != NULL) {
        command_usage(options->command, stdout);
        return EXIT_PASS;
    }
    return resolve(options);
}

void options_free(struct options *options) {
    free(options->files);
    options->files = NULL;
}

bool options_number(const char *option, const char *text, unsigned long least, unsigned long most,
                    unsigned long *value) {
    uint64_t number = 0;
    if (text == NULL)
        return true;
    if (number_read(text, &number) && number >= least && number <= most) {
        *value = (unsigned long)number;
        return true;
    }
    refuse("%s is a whole number from %lu to %lu, not '%s'", option, least, most, text);
    return false;
}
