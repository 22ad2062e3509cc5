/* Lines over descriptors that never block. */
#include "core/live/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct pair {
    int from, to;
    struct lines lines;
};

static void open_pair(struct pair *pair) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    *pair = (struct pair){.from = ends[0], .to = ends[1]};
    assert_true(lines_prepare(pair->from));
}

static void say(const struct pair *pair, const char *text) {
    assert_int_equal(write(pair->to, text, strlen(text)), strlen(text));
}

static const char *next(struct pair *pair) {
    bool too_long = true;
    const char *line = NULL;
    lines_read(&pair->lines, pair->from);
    line = lines_take(&pair->lines, &too_long);
    assert_false(too_long);
    return line;
}

static void close_pair(struct pair *pair) {
    close(pair->from);
    lines_free(&pair->lines);
}

static void lines_come_whole_however_they_are_cut(void **state) {
    struct pair pair;
    (void)state;
    open_pair(&pair);
    assert_null(next(&pair));
    say(&pair, "one");
    assert_null(next(&pair));
    say(&pair, " line\ntwo\n\nthr");
    assert_string_equal(next(&pair), "one line");
    assert_string_equal(next(&pair), "two");
    assert_string_equal(next(&pair), "");
    assert_null(next(&pair));
    assert_false(pair.lines.ended);
    close(pair.to);
    assert_string_equal(next(&pair), "thr");
    assert_true(pair.lines.ended);
    assert_null(next(&pair));
    assert_int_equal(pair.lines.count, 4);
    close_pair(&pair);
}

static void a_line_that_is_too_long_is_told_once_and_skipped(void **state) {
    char piece[1024];
    struct pair pair;
    bool too_long = false;
    size_t told = 0;
    (void)state;
    open_pair(&pair);
    memset(piece, 'x', sizeof piece);
    for (int i = 0; i < 3 * LINES_LENGTH_MAX / (int)sizeof piece; i++) {
        assert_int_equal(write(pair.to, piece, sizeof piece), sizeof piece);
        lines_read(&pair.lines, pair.from);
        if (lines_take(&pair.lines, &too_long) != NULL)
            told += too_long;
    }
    say(&pair, "rest of it\nnext\n");
    assert_string_equal(next(&pair), "next");
    assert_int_equal(told, 1);
    close(pair.to);
    close_pair(&pair);
}

static void what_cannot_be_written_yet_waits_in_order(void **state) {
    char piece[1001];
    struct pair pair;
    struct lines answers = {0};
    size_t put = 0, got = 0;
    (void)state;
    open_pair(&pair);
    assert_true(lines_prepare(pair.to));
    memset(piece, 'a', sizeof piece);
    piece[sizeof piece - 1] = '\0';
    for (; put < 200; put++) {
        piece[0] = (char)('a' + put % 26);
        lines_put(&answers, pair.to, piece);
    }
    assert_true(answers.out_length > 0);
    while (got < put) {
        const char *line = next(&pair);
        if (line == NULL) {
            lines_flush(&answers, pair.to);
            continue;
        }
        assert_int_equal(line[0], 'a' + got % 26);
        assert_int_equal(strlen(line), sizeof piece - 1);
        got++;
    }
    assert_int_equal(answers.out_length, 0);
    close(pair.to);
    close_pair(&pair);
    lines_free(&answers);
}

static void who_never_reads_is_given_up(void **state) {
    static char piece[LINES_LENGTH_MAX];
    struct pair pair;
    struct lines answers = {0};
    (void)state;
    open_pair(&pair);
    assert_true(lines_prepare(pair.to));
    memset(piece, 'a', sizeof piece - 1);
    for (int i = 0; i < LINES_PENDING_MAX / LINES_LENGTH_MAX + 3; i++)
        lines_put(&answers, pair.to, piece);
    assert_true(answers.broken);
    close(pair.to);
    close_pair(&pair);
    lines_free(&answers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_whole_however_they_are_cut),
        cmocka_unit_test(a_line_that_is_too_long_is_told_once_and_skipped),
        cmocka_unit_test(what_cannot_be_written_yet_waits_in_order),
        cmocka_unit_test(who_never_reads_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
