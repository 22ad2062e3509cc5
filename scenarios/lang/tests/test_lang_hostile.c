/* Files nobody meant: every cut and many damages of real ones end in messages or in a whole
 * scenario. */
#include "scenarios/lang/ast.h"
#include "scenarios/lang/diag.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 16384, DAMAGES = 75 };

static uint64_t random_state = 1;

/* xorshift64*: the same damages on every machine. */
static uint64_t draw(uint64_t below) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (random_state * UINT64_C(2685821657736338717) >> 16) % below;
}

static void fail_with(const char *what, const char *text, size_t length) {
    fail_msg("%s:\n%.*s", what, (int)length, text);
}

/* What parses is printed and parses to the same; what does not has told why, at a place inside. */
static bool survives(const char *text, size_t length) {
    struct scenario_file one, two;
    struct diags diags = {0};
    char *printed = NULL;
    size_t size;
    if (!scenario_parse("hostile.scn", text, length, &one, &diags)) {
        if (diags.n == 0 || one.count != 0)
            fail_with("refused without a word", text, length);
        for (size_t i = 0; i < diags.n; i++) {
            if (diags.v[i].text[0] == '\0' || (diags.v[i].line > 0 && diags.v[i].col < 1))
                fail_with("a message without text or place", text, length);
        }
        FILE *out = open_memstream(&printed, &size);
        diags_write(&diags, DIAG_LONG, out);
        fclose(out);
        free(printed);
        diags_free(&diags);
        return false;
    }
    FILE *out = open_memstream(&printed, &size);
    scenario_print(&one, out);
    fclose(out);
    if (!scenario_parse("printed.scn", printed, size, &two, &diags)) {
        diags_write(&diags, DIAG_LONG, stderr);
        fail_with("what was printed does not parse", printed, size);
    }
    for (size_t i = 0; i < one.count; i++) {
        if (!scenario_equal(&one.scenarios[i], &two.scenarios[i]))
            fail_with("what was printed is another scenario", printed, size);
    }
    scenario_free(&one);
    scenario_free(&two);
    diags_free(&diags);
    free(printed);
    return true;
}

static size_t read_file(const char *path, char *text) {
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    size_t length = fread(text, 1, TEXT_MAX / 2, in);
    fclose(in);
    return length;
}

/* One edit: a byte changed, a stretch deleted, copied elsewhere, or a word of the language put in.
 */
static size_t damage(char *text, size_t length) {
    static const char *const words[] = {
        " anywhere ",
        "\n10:00:00 ",
        " D1 ",
        " \" ",
        " or ",
        "crash ",
        " @ ",
        "(",
        ")",
        "=",
        " 99999999999999999999 ",
        " -1 ",
        " +1h ",
        "\n",
        "..",
        ":",
        "\t",
        "\xc3",
        "use x\n",
        "#",
        " until 23:59:59 ",
        "restart +1s ",
        "scenario \"x\"\n",
        " before send D1: ",
        "->",
        "0.1",
    };
    size_t at = draw(length + 1), n;
    switch (draw(4)) {
    case 0:
        if (at < length)
            text[at] = (char)draw(256);
        return length;
    case 1:
        n = draw(40);
        n = n > length - at ? length - at : n;
        memmove(text + at, text + at + n, length - at - n);
        return length - n;
    case 2: {
        char copy[64];
        size_t from = draw(length + 1);
        n = draw(sizeof copy);
        n = n > length - from ? length - from : n;
        memcpy(copy, text + from, n);
        memmove(text + at + n, text + at, length - at);
        memcpy(text + at, copy, n);
        return length + n;
    }
    default: {
        const char *word = words[draw(sizeof words / sizeof words[0])];
        n = strlen(word);
        memmove(text + at + n, text + at, length - at);
        memcpy(text + at, word, n);
        return length + n;
    }
    }
}

static void damaged_files_end_in_messages_or_whole_scenarios(void **state) {
    (void)state;
    static char text[TEXT_MAX];
    glob_t files;
    size_t good = 0, tried = 0;
    assert_int_equal(glob("scenarios/*/*.scn", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        for (int k = 0; k < DAMAGES; k++) {
            size_t length = read_file(files.gl_pathv[i], text);
            for (uint64_t edits = 1 + draw(6); edits > 0; edits--)
                length = damage(text, length);
            good += survives(text, length) ? 1 : 0;
            tried++;
        }
    }
    globfree(&files);
    assert_true(tried >= 2000);
    assert_true(good > tried / 50); /* else only the refusals were tested */
}

static void files_cut_anywhere_end_in_messages_or_whole_scenarios(void **state) {
    (void)state;
    static char text[TEXT_MAX];
    size_t length =
        read_file("scenarios/documented/the_oms_dies_after_the_order_was_recorded.scn", text);
    assert_true(length > 500);
    for (size_t cut = 0; cut < length; cut++) {
        char *exact = malloc(cut == 0 ? 1 : cut); /* so that reading past the end is seen */
        assert_non_null(exact);
        memcpy(exact, text, cut);
        survives(exact, cut);
        free(exact);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_files_end_in_messages_or_whole_scenarios),
        cmocka_unit_test(files_cut_anywhere_end_in_messages_or_whole_scenarios),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
