/* The crashgate program as a test runs it. */
#include "scenarios/cli/tests/command_line.h"

#include "scenarios/cli/commands.h"
#include "sim/peek.h"
#include "sim/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 24 };

char output[OUTPUT_SIZE];
static char folder[64], said_into[64];

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw) {
    (void)status, (void)type, (void)ftw;
    return remove(path);
}

int command_line_setup(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/crashgate-commands-XXXXXX");
    assert_non_null(mkdtemp(folder));
    say_into("");
    return chdir(folder);
}

int command_line_teardown(void **state) {
    (void)state;
    assert_int_equal(chdir("/"), 0);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void write_file(const char *name, const char *text) {
    FILE *out = fopen(name, "w");
    assert_non_null(out);
    fputs(text, out);
    assert_int_equal(fclose(out), 0);
}

const char *read_file(const char *name) {
    static char text[OUTPUT_SIZE];
    FILE *in = fopen(name, "r");
    assert_non_null(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    assert_int_equal(fclose(in), 0);
    return text;
}

void assert_same_file(const char *a, const char *b) {
    char *first = strdup(read_file(a));
    assert_non_null(first);
    assert_true(strlen(first) > 0 && strlen(first) < OUTPUT_SIZE - 1);
    if (strcmp(first, read_file(b)) != 0)
        fail_msg("%s and %s differ:\n%s\n----\n%s", a, b, first, read_file(b));
    free(first);
}

void say_into(const char *name) {
    snprintf(said_into, sizeof said_into, "%s", name);
}

static int perform(int argc, char **argv) {
    struct options options;
    int exit_code = options_parse(argc, argv, &options);
    if (exit_code < 0)
        exit_code = command_perform(&options, "crashgate");
    options_free(&options);
    peek_forget();
    stage_forget_images();
    return exit_code;
}

int crashgate(const char *line) {
    char words[1000], *argv[WORDS] = {"crashgate"}, *rest = NULL;
    int argc = 1, status = 0;
    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok_r(words, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        assert_true(argc < WORDS);
        for (char *c = word; *c != '\0'; c++)
            *c = *c == '_' && word[0] == '+' ? ' ' : *c; /* "+two_words" is one word */
        argv[argc++] = word[0] == '+' ? word + 1 : word;
    }
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        assert_non_null(freopen("said", "w", stdout));
        assert_int_equal(dup2(fileno(stdout), STDERR_FILENO), STDERR_FILENO);
        if (said_into[0] != '\0')
            assert_non_null(freopen(said_into, "w", stdout));
        setvbuf(stdout, NULL, _IONBF, 0);
        exit(perform(argc, argv));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    snprintf(output, sizeof output, "%s", read_file("said"));
    return WEXITSTATUS(status);
}

void does(const char *line, int exit_code, const char *words) {
    int got = crashgate(line);
    if (got != exit_code || strstr(output, words) == NULL)
        fail_msg("'crashgate %s' ended with %d and said:\n%s\nwanted %d and '%s'", line, got,
                 output, exit_code, words);
}
