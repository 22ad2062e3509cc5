/* The reference page is the one the tables make, and everything on it is true. */
#include "scenarios/lang/ast.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/parser.h"
#include "scenarios/lang/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char page_path[] = "scenarios/README.md";

static char *made(void) {
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    reference_write(out);
    fclose(out);
    return text;
}

static char *kept(void) {
    enum { MOST = 1 << 20 };
    char *text = calloc(1, MOST);
    FILE *in = fopen(page_path, "r");
    assert_non_null(text);
    if (in != NULL) {
        text[fread(text, 1, MOST - 1, in)] = '\0';
        fclose(in);
    }
    return text;
}

static void the_page_in_the_tree_is_the_one_the_tables_make(void **state) {
    (void)state;
    char *now = made();
    if (getenv("CRASHGATE_WRITE_REFERENCE") != NULL) {
        FILE *out = fopen(page_path, "w");
        assert_non_null(out);
        fputs(now, out);
        assert_int_equal(fclose(out), 0);
    }
    char *then = kept();
    if (strcmp(now, then) != 0)
        fail_msg("%s is stale: write it anew with CRASHGATE_WRITE_REFERENCE=1 make test",
                 page_path);
    free(now);
    free(then);
}

static void parses(const char *name, const char *text, size_t length) {
    struct scenario_file file;
    struct diags diags = {0};
    if (!scenario_parse(name, text, length, &file, &diags)) {
        diags_write(&diags, DIAG_LONG, stderr);
        fail_msg("an example does not parse:\n%.*s", (int)length, text);
    }
    scenario_free(&file);
    diags_free(&diags);
}

static void every_example_of_the_page_parses(void **state) {
    (void)state;
    static const char fence[] = "```crashgate\n";
    char *page = made(), *at = page;
    int examples = 0;
    while ((at = strstr(at, fence)) != NULL) {
        at += sizeof fence - 1;
        char *end = strstr(at, "```");
        assert_non_null(end);
        parses("example", at, (size_t)(end - at));
        at = end;
        examples++;
    }
    assert_true(examples >= 3);
    free(page);
}

/* A whole file around one line, with everything the examples of the tables refer to. */
static void parses_in_context(const char *header, const char *line) {
    static const char *const decision = "  decision D1 = \"A\"\n";
    char text[2000];
    bool own_decision = strncmp(header, "decision", 8) == 0;
    bool quantified = strncmp(line, "reach", 5) == 0;
    bool restart = strstr(line, "restart") != NULL;
    bool corrects = strstr(line, "busts F1") != NULL || strstr(line, "corrects F1") != NULL;
    snprintf(text, sizeof text,
             "crashgate 1\nscenario \"t\"\n  %s\n%s%s"
             "  09:00:00 signal D1 buy 10 AAPL\n  start second\n%s  %s\n",
             header, strncmp(header, "crashes", 7) == 0 ? "" : "  crashes kill\n",
             own_decision ? "" : decision,
             quantified ? "  crash anywhere\n"
             : restart  ? "  crash\n"
             : corrects ? "  broker fills D1 10 @ 1 as F1\n"
                        : "",
             line);
    if (strncmp(line, "10:00:00  signal D1", 19) == 0) {
        char *first = strstr(text, "  09:00:00 signal");
        memmove(first, strstr(text, "  start second"), strlen(strstr(text, "  start second")) + 1);
        first = strstr(text, "  start second");
        memmove(first, strstr(text, "  10:00:00"), strlen(strstr(text, "  10:00:00")) + 1);
    }
    parses(line[0] == '#' ? header : line, text, strlen(text));
}

static void every_example_of_the_tables_parses(void **state) {
    (void)state;
    for (size_t i = 0; i < SCN_STATEMENT_COUNT; i++)
        parses_in_context("# none", verb_statements[i].example);
    for (size_t i = 0; i < SCN_HEADER_COUNT; i++) {
        if (i != SCN_HEADER_USE)
            parses_in_context(verb_headers[i].example, "# none");
    }
    for (size_t i = 0; i < SCN_CONDITION_COUNT; i++) {
        char line[200];
        snprintf(line, sizeof line, "10:00:00 expect %s", verb_conditions[i].example);
        parses_in_context("# none", line);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_in_the_tree_is_the_one_the_tables_make),
        cmocka_unit_test(every_example_of_the_page_parses),
        cmocka_unit_test(every_example_of_the_tables_parses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
