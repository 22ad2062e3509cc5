/* The fault catalogue: names, ranges, and what a port is told. */
#include "faultinject/catalogue.h"
#include "sim/disk_profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static void every_row_has_a_site_a_meaning_and_is_found_there_by_its_name(void **state) {
    (void)state;
    for (size_t i = 0; i < catalogue_count(); i++) {
        const struct fault_kind *kind = catalogue_at(i);
        unsigned sites = 0;
        assert_int_not_equal(kind->meaning[0], '\0');
        assert_int_not_equal(kind->act, ACT_NONE);
        assert_true(strlen(kind->name) < FAULT_NAME_SIZE);
        for (unsigned on = 0; on < SITE_OBJECT_COUNT; on++) {
            struct site site = {kind->op, (enum site_object)on};
            if (!catalogue_fits(kind, site))
                continue;
            sites++;
            /* Also: no other row of that site has this name. */
            assert_ptr_equal(catalogue_find(site, kind->name), kind);
        }
        assert_true(sites > 0);
        assert_int_equal(kind->wire_only,
                         kind->op == SITE_WIRE_REQUEST || kind->op == SITE_WIRE_REPLY);
    }
    assert_null(catalogue_at(catalogue_count()));
}

static void a_kind_is_not_found_at_a_site_it_does_not_fit(void **state) {
    (void)state;
    assert_null(catalogue_find((struct site){SITE_DISK_WRITE, ON_WAL}, "lost-reply"));
    assert_null(catalogue_find((struct site){SITE_DISK_WRITE, ON_SUBMIT}, "full"));
    assert_null(catalogue_find((struct site){SITE_BROKER_SUBMIT, ON_NONE}, "lost repl"));
}

static void every_site_name_parses_back_and_others_do_not(void **state) {
    (void)state;
    unsigned valid = 0;
    for (unsigned op = 0; op < SITE_OP_COUNT; op++)
        for (unsigned on = 0; on < SITE_OBJECT_COUNT; on++) {
            struct site site = {(enum site_op)op, (enum site_object)on}, back = {0};
            char name[SITE_NAME_SIZE];
            bool parsed = site_parse(site_name(site, name), &back);
            assert_int_equal(parsed, site_is_valid(site));
            if (!parsed)
                continue;
            valid++;
            assert_int_equal(site_index(back), site_index(site));
        }
    assert_int_equal(valid, 8 * 5 + 2 + 7 + 2 * 7);
}

static const struct fault_arg *argument(struct site site, const char *kind) {
    return &catalogue_find(site, kind)->args[0];
}

static void arguments_keep_their_ranges_and_say_what_is_wrong(void **state) {
    (void)state;
    const struct fault_arg *by = argument((struct site){SITE_BROKER_SUBMIT, ON_NONE}, "late");
    const struct fault_arg *status = argument((struct site){SITE_BROKER_SUBMIT, ON_NONE}, "error");
    const struct fault_arg *after = argument((struct site){SITE_DISK_SYNC, ON_WAL}, "fails");
    const struct fault_arg *at = argument((struct site){SITE_WIRE_REPLY, ON_SUBMIT}, "close");
    const struct fault_arg *copy = argument((struct site){SITE_BROKER_CANCEL, ON_NONE}, "twice");
    const struct fault_arg *every = argument((struct site){SITE_WIRE_REPLY, ON_FILLS}, "drips");
    const struct fault_arg *body = status + 1;
    static const int64_t second = 1000000000;
    const struct {
        const struct fault_arg *arg;
        const char *text;
        int64_t value;
        const char *why; /* NULL: it parses */
    } cases[] = {
        {by, "12s", 12 * second, NULL},
        {by, "1.5s", 3 * second / 2, NULL},
        {by, "200ms", second / 5, NULL},
        {by, "2m", 120 * second, NULL},
        {by, "1h", 3600 * second, NULL},
        {by, "0.000000001s", 1, NULL},
        {by, "0s", 0, "by=0s is outside 0.000000001s to 3600s"},
        {by, "2h", 0, "by=2h is outside 0.000000001s to 3600s"},
        {by, "12", 0, "'12' is no duration (12s, 200ms, 2m) for by"},
        {by, "-1s", 0, "'-1s' is no duration (12s, 200ms, 2m) for by"},
        {by, "0.0000001ms", 0, "'0.0000001ms' is no duration (12s, 200ms, 2m) for by"},
        {status, "400", 400, NULL},
        {status, "599", 599, NULL},
        {status, "399", 0, "status=399 is outside 400 to 599"},
        {status, "600", 0, "status=600 is outside 400 to 599"},
        {status, "4xx", 0, "'4xx' is no whole number for status"},
        {status, "500.5", 0, "'500.5' is no whole number for status"},
        {after, "dropped-clean", 0, NULL},
        {after, "kept-dirty", 1, NULL},
        {after, "gone", 0,
         "'gone' is no aftermath; it is one of dropped-clean, kept-dirty, late, reverted"},
        {at, "0", 0, NULL},
        {copy, "0s", 0, NULL},
        {every, "1ms", 1000000, NULL},
        {every, "0s", 0, "every=0s is outside 0.001s to 60s"},
        {body, "json", ERROR_JSON, NULL},
        {body, "xml", 0, "'xml' is no body; it is one of html, json, empty"},
        {at, "1048577", 0, "at=1048577 is outside 0 to 1048576"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char why[200] = "";
        int64_t value = -1;
        bool parsed = fault_arg_parse(cases[i].arg, cases[i].text, &value, why, sizeof why);
        assert_int_equal(parsed, cases[i].why == NULL);
        if (parsed)
            assert_int_equal(value, cases[i].value);
        else
            assert_string_equal(why, cases[i].why);
    }
}

static void the_port_is_told_the_mechanism_and_its_argument(void **state) {
    (void)state;
    struct fault fault = {.kind = catalogue_find((struct site){SITE_DISK_SYNC, ON_WAL}, "fails")};
    assert_int_equal(fault_answer(&fault).act, ACT_SYNC_DROPPED_CLEAN);
    fault.arg[0] = 1;
    assert_int_equal(fault_answer(&fault).act, ACT_SYNC_KEPT_DIRTY);
    fault = (struct fault){.kind = catalogue_find((struct site){SITE_DISK_WRITE, ON_DB}, "fails")};
    assert_int_equal(fault_answer(&fault).act, ACT_FAIL);
    assert_int_equal(fault_answer(&fault).arg[1], LANDS_NONE);
    fault.arg[0] = LANDS_ALL;
    assert_int_equal(fault_answer(&fault).arg[0], 0);
    assert_int_equal(fault_answer(&fault).arg[1], LANDS_ALL);
    fault = (struct fault){
        .kind = catalogue_find((struct site){SITE_BROKER_CANCEL, ON_NONE}, "error"), .arg = {503}};
    assert_int_equal(fault_answer(&fault).act, ACT_ERROR);
    assert_int_equal(fault_answer(&fault).arg[0], 503);
}

/* Which words there are depends on the call; what they mean does not. */
static void a_wrong_answer_is_the_same_wrong_at_every_call(void **state) {
    (void)state;
    static const enum site_op ops[] = {SITE_BROKER_SUBMIT, SITE_BROKER_LOOKUP, SITE_BROKER_ORDERS,
                                       SITE_BROKER_FILLS, SITE_BROKER_POSITIONS};
    static const char *const words[] = {
#define X(id, word) word,
        WRONGS(X)
#undef X
    };
    unsigned met = 0;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        struct fault fault = {.kind = catalogue_find((struct site){ops[i], ON_NONE}, "answers")};
        for (; fault.kind->args[0].words[fault.arg[0]] != NULL; fault.arg[0]++, met++) {
            struct port_answer answer = fault_answer(&fault);
            assert_int_equal(answer.act, ACT_WRONG);
            assert_string_equal(words[answer.arg[0]], fault.kind->args[0].words[fault.arg[0]]);
        }
        assert_int_equal(fault.arg[0], fault.kind->args[0].most + 1);
    }
    assert_int_equal(met, 2 * WRONG_COUNT + (WRONG_COUNT - 1) + 2 * (WRONG_COUNT - 2));
}

static unsigned suspended(enum site_op op, enum site_object on, const char *kind, int64_t arg) {
    struct fault fault = {.kind = catalogue_find((struct site){op, on}, kind), .arg = {arg}};
    return fault_suspends(&fault);
}

/* Whatever happens to a disk: no duplicate may come of it (I1), and nothing more is forgiven. */
static void a_fault_suspends_what_no_oms_could_keep_and_nothing_else(void **state) {
    (void)state;
    enum { LOST = 1u << 3 | 1u << 7, LIED = LOST | 1u << 14 };
    assert_int_equal(suspended(SITE_DISK_SYNC, ON_WAL, "lies", 0), LIED);
    assert_int_equal(suspended(SITE_DISK_SYNC, ON_WAL, "fails", 0), 0);
    assert_int_equal(suspended(SITE_DISK_SYNC, ON_WAL, "fails", 1), 0);
    assert_int_equal(suspended(SITE_DISK_SYNC, ON_WAL, "fails", 2), LIED); /* late */
    assert_int_equal(suspended(SITE_DISK_SYNC, ON_WAL, "fails", 3), 0);
    for (size_t i = 0; i < catalogue_count(); i++) {
        const struct fault_kind *kind = catalogue_at(i);
        unsigned expected = kind->op == SITE_DISK_REST ? LOST : 0;
        if (strcmp(kind->name, "lies") == 0)
            expected = LIED;
        if (strcmp(kind->name, "bit-flip") == 0)
            expected = LOST | 1u << 4; /* what is stored may read well and be wrong */
        if (strcmp(kind->name, "short") == 0)
            expected = LIED | 1u << 4 | 1u << 10; /* zeros may be written back */
        assert_int_equal(kind->suspends, expected);
    }
}

static void what_a_disk_profile_calls_typical_is_a_word_of_the_catalogue(void **state) {
    (void)state;
    const struct fault_arg *after = argument((struct site){SITE_DISK_SYNC, ON_WAL}, "fails");
    for (size_t i = 0; disk_profile_at(i) != NULL; i++) {
        char text[64], why[200];
        snprintf(text, sizeof text, "%s", disk_profile_at(i)->aftermaths);
        for (char *word = strtok(text, ", "); word != NULL; word = strtok(NULL, ", ")) {
            int64_t value = 0;
            assert_true(fault_arg_parse(after, word, &value, why, sizeof why));
        }
    }
}

static void a_word_that_need_not_be_written_is_not(void **state) {
    (void)state;
    char text[FAULT_TEXT_SIZE];
    struct fault fault = {.kind = catalogue_find((struct site){SITE_DISK_WRITE, ON_WAL}, "full")};
    assert_string_equal(fault_format(&fault, text), "full");
    fault.arg[0] = LANDS_PART;
    assert_string_equal(fault_format(&fault, text), "full(lands=part)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_a_site_a_meaning_and_is_found_there_by_its_name),
        cmocka_unit_test(a_kind_is_not_found_at_a_site_it_does_not_fit),
        cmocka_unit_test(every_site_name_parses_back_and_others_do_not),
        cmocka_unit_test(arguments_keep_their_ranges_and_say_what_is_wrong),
        cmocka_unit_test(the_port_is_told_the_mechanism_and_its_argument),
        cmocka_unit_test(a_wrong_answer_is_the_same_wrong_at_every_call),
        cmocka_unit_test(a_fault_suspends_what_no_oms_could_keep_and_nothing_else),
        cmocka_unit_test(what_a_disk_profile_calls_typical_is_a_word_of_the_catalogue),
        cmocka_unit_test(a_word_that_need_not_be_written_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
