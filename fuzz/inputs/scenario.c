/* Scenario text: what is taken prints to a text that means the same, and has one canonical form. */
#include "fuzz/inputs/inputs.h"
#include "scenarios/lang/ast.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/format.h"

#include <stdlib.h>
#include <string.h>

static const char NAME[] = "input.scn";

const char *const scenario_words[] = {"crashgate 1\n",
                                      "scenario ",
                                      "profile ",
                                      "decision ",
                                      "signal ",
                                      "crash ",
                                      "anywhere",
                                      "restart",
                                      "fault ",
                                      "always ",
                                      "finally ",
                                      "reach ",
                                      "expect ",
                                      "within ",
                                      "broker fills ",
                                      "before ",
                                      "after ",
                                      "+5s",
                                      "10:00:00",
                                      "D1",
                                      "AAPL",
                                      "buy ",
                                      "sell ",
                                      "given ",
                                      "option ",
                                      "crashes ",
                                      "power",
                                      "kill",
                                      "tags ",
                                      "date ",
                                      "2026-01-09",
                                      "999999999.999999999",
                                      "kill switch ",
                                      "halt file ",
                                      "clock ",
                                      "reconcile",
                                      "accepted ",
                                      "orders ",
                                      "start second",
                                      "resolves ",
                                      NULL};

/* `use` reads other files, which would not be the fuzzer's. */
static bool uses_files(const char *text) {
    for (const char *at = text; at != NULL; at = strpbrk(at, "\n\r")) {
        at += strspn(at, " \t\r\n");
        if (strncmp(at, "use", 3) == 0)
            return true;
        if (*at == '\0')
            return false;
    }
    return false;
}

static char *printed(const struct scenario_file *file, size_t *length) {
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    PROMISE(out != NULL);
    scenario_print(file, out);
    PROMISE(fclose(out) == 0);
    return text;
}

static void print_and_read(const struct scenario_file *file) {
    size_t length = 0;
    char *text = printed(file, &length);
    struct scenario_file again;
    struct diags diags = {0};
    bool read = scenario_parse(NAME, text, length, &again, &diags);
    if (!read)
        diags_write(&diags, DIAG_LONG, stderr);
    PROMISE(read && again.count == file->count);
    for (size_t i = 0; i < file->count; i++)
        PROMISE(scenario_equal(&file->scenarios[i], &again.scenarios[i]));
    scenario_free(&again);
    diags_free(&diags);
    free(text);
}

static void format_twice(const char *text, size_t length) {
    struct diags diags = {0};
    size_t once_length = 0, twice_length = 0;
    char *once = scenario_format(NAME, text, length, &once_length, &diags);
    char *twice = NULL;
    PROMISE(once != NULL);
    twice = scenario_format(NAME, once, once_length, &twice_length, &diags);
    PROMISE(twice != NULL && once_length == twice_length && memcmp(once, twice, once_length) == 0);
    free(once);
    free(twice);
    diags_free(&diags);
}

void input_scenario(const uint8_t *data, size_t size) {
    char *text = input_text(data, size);
    struct scenario_file file;
    struct diags diags = {0};
    if (uses_files(text) || strlen(text) < size) {
        free(text);
        return;
    }
    if (scenario_parse(NAME, text, size, &file, &diags)) {
        print_and_read(&file);
        format_twice(text, size);
    } else {
        PROMISE(diags.n > 0 && file.count == 0);
    }
    scenario_free(&file);
    diags_free(&diags);
    free(text);
}
