/* The vocabulary's rows as data. */
#include "scenarios/lang/parser.h"

#include <stdio.h>
#include <string.h>

const struct verb verb_statements[SCN_STATEMENT_COUNT] = {
#define X(id, sort, shape, help, example) {#id, shape, help, example, SCN_##sort},
    SCN_STATEMENTS(X)
#undef X
};

const struct verb verb_conditions[SCN_CONDITION_COUNT] = {
#define X(id, shape, help, example) {#id, shape, help, example, SCN_CHECK},
    SCN_CONDITIONS(X)
#undef X
};

const struct verb verb_headers[SCN_HEADER_COUNT] = {
#define X(id, shape, help, example) {#id, shape, help, example, SCN_STIMULUS},
    SCN_HEADERS(X)
#undef X
};

const struct point_row point_rows[SCN_POINT_COUNT] = {
#define X(id, word, takes_decision, meaning) {word, takes_decision, meaning},
    SCN_POINTS(X)
#undef X
};

const struct option_row option_rows[SCN_OPTION_COUNT] = {
#define X(id, word, type, least, most, words, help) {word, OPTION_##type, least, most, words, help},
    SCN_OPTIONS(X)
#undef X
};

const char *const slot_shapes[SCN_SLOT_COUNT] = {
#define X(id, shape, expected, written) shape,
    SCN_SLOTS(X)
#undef X
};

const char *const slot_expected[SCN_SLOT_COUNT] = {
#define X(id, shape, expected, written) expected,
    SCN_SLOTS(X)
#undef X
};

const char *const slot_written[SCN_SLOT_COUNT] = {
#define X(id, shape, expected, written) written,
    SCN_SLOTS(X)
#undef X
};

const char *const cmp_signs[SCN_GE + 1] = {
#define X(id, sign) sign,
    SCN_CMPS(X)
#undef X
};

char *option_word(const struct option_row *row, int64_t value, char *out, size_t size) {
    const char *word = row->words;
    for (; value > 0; value--)
        word += strcspn(word, "|") + 1;
    snprintf(out, size, "%.*s", (int)strcspn(word, "|"), word);
    return out;
}

enum scn_slot slot_of(const char *word, size_t length) {
    for (size_t i = 0; i < SCN_SLOT_COUNT; i++) {
        if (strlen(slot_shapes[i]) == length && memcmp(slot_shapes[i], word, length) == 0)
            return (enum scn_slot)i;
    }
    return SCN_SLOT_COUNT;
}

size_t shape_word(const char *shape) {
    return strcspn(shape, " []|");
}

bool verb_starts_with(const struct verb *verb, const struct token *token) {
    size_t length = shape_word(verb->shape);
    return token->kind == TOKEN_WORD && token->length == length &&
           memcmp(token->start, verb->shape, length) == 0;
}

const char *scn_crash_kind_name(enum scn_crash_kind kind) {
    return kind == SCN_POWER ? "power" : "kill";
}

const char *scn_point_name(enum scn_point_kind kind) {
    return point_rows[kind].word;
}

const char *scn_depth_name(enum scn_depth depth) {
    static const char *const words[] = {"", "twice", "again"};
    return words[depth];
}

enum scn_sort scn_statement_sort(enum scn_statement statement) {
    return verb_statements[statement].sort;
}
