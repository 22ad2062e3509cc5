/* Reports say what was found, in their own form, whatever the texts hold. */
#include "reports/github.h"
#include "reports/json.h"
#include "reports/junit.h"
#include "reports/sarif.h"
#include "reports/tap.h"
#include "reports/terminal.h"
#include "reports/text.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct report_event story[] = {
    {"10:00:00.000", 9, "oms", "send D1 -> broker accepted O1", 0},
    {"10:00:00.000", 0, "CRASH", "power after broker.submit call 1; 2 unsynced writes lost", 0},
    {"10:00:27.000", 12, "oms", "send D1 -> broker accepted O2", 1},
};
static const struct report_finding duplicate = {
    "I1",
    "I1 broke at 10:00:27: 2 orders accepted for D1 (O1 10:00:00, O2 10:00:27)",
    story,
    3,
    "1/broker.submit@1=power-after(keep=none)",
    "crashgate replay scenarios/anywhere.scn --plan '1/broker.submit@1=power-after(keep=none)'",
    2,
    9,
    "the plan was shrunk from 3 items to 1 in 7 runs",
    "0123456789abcdef"};
static const struct report_run failed = {"No crash point duplicates or loses an order",
                                         "anywhere.scn",
                                         3,
                                         "seed-protocol",
                                         "alpaca",
                                         "power",
                                         "direct",
                                         REPORT_FAIL,
                                         "",
                                         61,
                                         3,
                                         61,
                                         122,
                                         0,
                                         0xfedcba9876543210,
                                         &duplicate,
                                         1,
                                         "",
                                         false};
static const struct report_run passed = {"The reply is lost",
                                         "lost.scn",
                                         3,
                                         "core",
                                         "label",
                                         "",
                                         "wire",
                                         REPORT_PASS,
                                         "",
                                         1,
                                         0,
                                         0,
                                         1,
                                         1,
                                         7,
                                         NULL,
                                         0,
                                         "",
                                         false};

/* Everything that a form could trip over. */
#define HOSTILE                                                                                   \
    "<a href=\"x\">&amp;]]>\x01\x1b[31m\x7f\n\t\xff\xc0\x80\xed\xa0\x80\xef\xbf\xbf caf\xc3\xa9 " \
    "\xf0\x9f\x92\xa5"
static const struct report_event hostile_story[] = {{HOSTILE, 1, HOSTILE, HOSTILE, 1}};
static const struct report_finding hostile_finding = {
    HOSTILE, HOSTILE, hostile_story, 1, HOSTILE, HOSTILE, 1, 0, HOSTILE, HOSTILE};
static const struct report_run hostile = {
    HOSTILE, HOSTILE, 1, HOSTILE, HOSTILE, HOSTILE,          HOSTILE, REPORT_ERROR, HOSTILE, 2,
    1,       1,       1, 1,       0,       &hostile_finding, 1,       HOSTILE,      false};
static const struct report_run bounded = {"Many writes",
                                          "many.scn",
                                          3,
                                          "core",
                                          "alpaca",
                                          "power",
                                          "direct",
                                          REPORT_INCONCLUSIVE,
                                          "subsets of 14 unsynced writes were reduced to 44",
                                          90,
                                          0,
                                          12,
                                          180,
                                          0,
                                          9,
                                          NULL,
                                          0,
                                          "inconclusive",
                                          false};

static char *on_terminal(const struct report_run *run, bool color) {
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    struct report_terminal report = {out, color, false, false, false};
    report_terminal_run(&report, run);
    fclose(out);
    return text;
}

static char *in_brief(const struct report_run *run) {
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    struct report_terminal report = {out, false, false, false, true};
    report_terminal_run(&report, run);
    fclose(out);
    return text;
}

static void in_brief_a_message_is_one_line_with_place_and_code(void **state) {
    (void)state;
    char *text = in_brief(&failed);
    assert_string_equal(text, "anywhere.scn:9:1: error: No crash point duplicates or loses an "
                              "order [seed-protocol, alpaca, power, direct]: I1 broke at 10:00:27: "
                              "2 orders accepted for D1 (O1 10:00:00, O2 10:00:27) [I1]\n");
    free(text);
    text = in_brief(&bounded);
    assert_string_equal(text, "many.scn:3:1: warning: Many writes [core, alpaca, power, direct]: "
                              "subsets of 14 unsynced writes were reduced to 44 [inconclusive]\n");
    free(text);
    text = in_brief(&passed);
    assert_string_equal(text, "");
    free(text);
    text = in_brief(&hostile);
    assert_null(strchr(text, '\033'));
    assert_ptr_equal(strchr(strchr(text, '\n') + 1, '\n') + 1, text + strlen(text));
    free(text);
}

static void a_failure_tells_judgement_story_and_command(void **state) {
    (void)state;
    char *text = on_terminal(&failed, false);
    assert_string_equal(
        text,
        "FAIL  anywhere.scn:3  No crash point duplicates or loses an order  [seed-protocol, "
        "alpaca, "
        "power, direct]   61 crash points: 58 pass, 3 FAIL\n"
        "I1 broke at 10:00:27: 2 orders accepted for D1 (O1 10:00:00, O2 10:00:27)\n"
        "  10:00:00.000  line 9    oms     send D1 -> broker accepted O1\n"
        "  10:00:00.000            CRASH   power after broker.submit call 1; 2 unsynced writes "
        "lost\n"
        " >10:00:27.000  line 12   oms     send D1 -> broker accepted O2\n"
        "again: crashgate replay scenarios/anywhere.scn --plan "
        "'1/broker.submit@1=power-after(keep=none)'\n"
        "       the plan was shrunk from 3 items to 1 in 7 runs\n"
        "also:  2 other runs fail the same way\n"
        "\n");
    free(text);
}

static void a_pass_is_one_line(void **state) {
    (void)state;
    char *text = on_terminal(&passed, false), *colored = on_terminal(&passed, true);
    assert_string_equal(text, "PASS  lost.scn:3  The reply is lost  [core, label, wire]\n");
    assert_non_null(strstr(colored, "\033[32mPASS\033[0m"));
    free(text);
    free(colored);
}

static void a_bound_is_told_with_its_reason(void **state) {
    (void)state;
    char *text = on_terminal(&bounded, false);
    assert_string_equal(text,
                        "INCONCLUSIVE  many.scn:3  Many writes  [core, alpaca, power, direct]   12 "
                        "crash points, 90 runs\n"
                        "subsets of 14 unsynced writes were reduced to 44\n");
    free(text);
}

static void hostile_texts_cannot_move_the_cursor(void **state) {
    (void)state;
    char *text = on_terminal(&hostile, false);
    for (const char *c = text; *c != '\0'; c++)
        assert_true((unsigned char)*c >= 0x20 || *c == '\n');
    assert_null(strchr(text, 0x7f));
    free(text);
}

static void a_file_gets_no_colors_and_no_progress(void **state) {
    (void)state;
    FILE *out = tmpfile();
    assert_non_null(out);
    struct report_terminal report = report_terminal(out, NULL);
    assert_false(report.color);
    report_terminal_progress(&report, 1, 2, "x");
    assert_int_equal(ftell(out), 0);
    fclose(out);
}

static void progress_is_wiped_before_the_next_line(void **state) {
    (void)state;
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    struct report_terminal report = {out, false, true, false, false};
    report_terminal_progress(&report, 12, 61, "a title");
    report_terminal_run(&report, &passed);
    fclose(out);
    assert_string_equal(text, "  12 of 61  a title\r\033[KPASS  lost.scn:3  The reply is lost  "
                              "[core, label, wire]\n");
    free(text);
}

static void totals_say_what_was_done(void **state) {
    (void)state;
    struct report_totals totals = {0};
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    struct report_terminal report = {out, false, false, false, false};
    report_totals_add(&totals, &passed);
    report_totals_add(&totals, &failed);
    report_totals_add(&totals, &bounded);
    report_terminal_totals(&report, &totals);
    fclose(out);
    assert_string_equal(text, "1 PASS, 1 FAIL, 1 INCONCLUSIVE; 152 runs, 73 crash points, 303 "
                              "lives, 1 fault fired\n");
    free(text);
}

static cJSON *as_json(const struct report_run *run) {
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_true(report_json_run(out, run));
    fclose(out);
    assert_true(length > 0 && strchr(text, '\n') == text + length - 1);
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    free(text);
    return json;
}

static const char *text_of(const cJSON *json, const char *name) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
}

static void json_is_one_object_a_line(void **state) {
    (void)state;
    cJSON *json = as_json(&failed);
    cJSON *finding = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "findings"), 0);
    assert_string_equal(text_of(json, "verdict"), "fail");
    assert_string_equal(text_of(json, "fingerprint"), "fedcba9876543210");
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(json, "runs_failed")->valueint, 3);
    assert_string_equal(text_of(finding, "replay"), duplicate.replay);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(finding, "events")), 3);
    cJSON_Delete(json);
    char *text = NULL;
    size_t length;
    struct report_totals totals = {{1, 2, 3, 4}, 5, 6, 7, 8};
    FILE *out = open_memstream(&text, &length);
    assert_true(report_json_totals(out, &totals));
    fclose(out);
    assert_string_equal(text, "{\"type\":\"totals\",\"pass\":1,\"fail\":2,\"error\":3,"
                              "\"inconclusive\":4,\"runs\":5,\"crash_points\":6,\"lives\":7,"
                              "\"faults_fired\":8}\n");
    free(text);
}

static void assert_utf8(const char *text) {
    for (; *text != '\0'; text += report_utf8_length(text))
        assert_true(report_utf8_length(text) > 0);
}

static void json_stays_valid_with_hostile_texts(void **state) {
    (void)state;
    cJSON *json = as_json(&hostile);
    char *valid = report_valid_utf8(HOSTILE);
    assert_utf8(valid);
    assert_string_equal(text_of(json, "scenario"), valid);
    free(valid);
    cJSON_Delete(json);
}

static char *as_junit(const struct report_run *runs, size_t count) {
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    report_junit(out, runs, count);
    fclose(out);
    return text;
}

/* Tags nest, attributes are quoted, and no character is one that XML forbids. */
static void assert_well_formed(const char *text) {
    char open[16][32];
    int depth = 0;
    assert_utf8(text);
    for (const char *c = strchr(text, '\n') + 1; *c != '\0'; c++) {
        assert_true((unsigned char)*c >= 0x20 || *c == '\n');
        if (*c == '&') {
            size_t n = strcspn(c, ";");
            assert_true(n < 7 && c[n] == ';');
        }
        if (*c != '<')
            continue;
        bool closing = c[1] == '/', quoted = false;
        const char *name = c + (closing ? 2 : 1);
        size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz");
        assert_true(length > 0 && length < sizeof open[0]);
        for (c = name + length; quoted || *c != '>'; c++) {
            assert_true(*c != '\0' && *c != '<' && (quoted || *c != '\n'));
            quoted = *c == '"' ? !quoted : quoted;
        }
        if (closing) {
            assert_true(depth > 0);
            depth--;
            assert_int_equal(strlen(open[depth]), length);
            assert_memory_equal(open[depth], name, length);
        } else if (c[-1] != '/') {
            assert_true(depth < 16);
            memcpy(open[depth], name, length);
            open[depth++][length] = '\0';
        }
    }
    assert_int_equal(depth, 0);
}

static void junit_has_a_case_for_each_configuration(void **state) {
    (void)state;
    const struct report_run runs[] = {passed, failed, bounded};
    char *text = as_junit(runs, 3);
    assert_well_formed(text);
    assert_non_null(strstr(text, "<testsuite name=\"crashgate\" tests=\"3\" failures=\"2\" "
                                 "errors=\"0\">"));
    assert_non_null(strstr(text, "<testcase name=\"The reply is lost [core, label, wire]\" "
                                 "classname=\"lost\" file=\"lost.scn\" line=\"3\">"));
    assert_non_null(strstr(text, "<failure type=\"I1\" message=\"I1 broke at 10:00:27: 2 orders "
                                 "accepted for D1 (O1 10:00:00, O2 10:00:27)\">I1 broke"));
    assert_non_null(strstr(text, "again: crashgate replay scenarios/anywhere.scn --plan "));
    assert_non_null(strstr(text, "<failure type=\"inconclusive\" message=\"subsets of 14"));
    free(text);
}

static void junit_stays_well_formed_with_hostile_texts(void **state) {
    (void)state;
    char *text = as_junit(&hostile, 1);
    assert_well_formed(text);
    assert_non_null(strstr(text, "&lt;a href=&quot;x&quot;&gt;&amp;amp;]]&gt;"));
    assert_non_null(strstr(text, "<error type="));
    free(text);
}

/* ---- SARIF ---- */

static const char *meaning(const char *code) {
    return strcmp(code, "I1") == 0 ? "at most one order" : NULL;
}

static cJSON *as_sarif(const struct report_run *runs, size_t count) {
    char *text = NULL;
    size_t length;
    cJSON *document = NULL;
    FILE *out = open_memstream(&text, &length);
    assert_true(report_sarif(out, "1.2.3", meaning, runs, count));
    fclose(out);
    document = cJSON_Parse(text);
    assert_non_null(document);
    free(text);
    return document;
}

/* "runs/0/results/1/ruleId" */
static const cJSON *at(const cJSON *item, const char *path) {
    char words[200], *rest = NULL;
    snprintf(words, sizeof words, "%s", path);
    for (char *word = strtok_r(words, "/", &rest); word != NULL;
         word = strtok_r(NULL, "/", &rest)) {
        item = cJSON_IsArray(item) ? cJSON_GetArrayItem(item, atoi(word))
                                   : cJSON_GetObjectItemCaseSensitive(item, word);
        if (item == NULL)
            fail_msg("there is no '%s' of '%s'", word, path);
    }
    return item;
}

static void is_text(const cJSON *document, const char *path, const char *text) {
    assert_string_equal(at(document, path)->valuestring, text);
}

static void sarif_tells_the_story_as_a_code_flow(void **state) {
    (void)state;
    const struct report_run runs[] = {passed, failed, bounded};
    cJSON *document = as_sarif(runs, 3);
    is_text(document, "version", "2.1.0");
    is_text(document, "runs/0/tool/driver/name", "crashgate");
    is_text(document, "runs/0/tool/driver/semanticVersion", "1.2.3");
    is_text(document, "runs/0/tool/driver/rules/0/id", "I1");
    is_text(document, "runs/0/tool/driver/rules/0/shortDescription/text", "at most one order");
    assert_int_equal(cJSON_GetArraySize(at(document, "runs/0/results")), 2);
#define RESULT "runs/0/results/0/"
    is_text(document, RESULT "ruleId", "I1");
    is_text(document, RESULT "level", "error");
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(at(document, RESULT "partialFingerprints"),
                                                         "crashgateFinding/v1")
                            ->valuestring,
                        "0123456789abcdef");
    is_text(document, RESULT "locations/0/physicalLocation/artifactLocation/uri", "anywhere.scn");
    assert_int_equal(at(document, RESULT "locations/0/physicalLocation/region/startLine")->valueint,
                     9);
#define FLOW RESULT "codeFlows/0/threadFlows/0/locations"
    assert_int_equal(cJSON_GetArraySize(at(document, FLOW)), 3);
    is_text(document, FLOW "/0/location/message/text",
            "10:00:00.000  oms  send D1 -> broker accepted O1");
    /* An event without a line stands at the one before it. */
    assert_int_equal(at(document, FLOW "/1/location/physicalLocation/region/startLine")->valueint,
                     9);
    is_text(document, FLOW "/2/importance", "essential");
    is_text(document, "runs/0/results/1/level", "warning");
    is_text(document, "runs/0/results/1/ruleId", "inconclusive");
    cJSON_Delete(document);
}

static void sarif_stays_valid_with_hostile_texts(void **state) {
    (void)state;
    cJSON *document = as_sarif(&hostile, 1);
    const char *uri =
        at(document, "runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri")
            ->valuestring;
    assert_int_equal(strspn(uri, "%0123456789ABCDEFabcdefghijklmnopqrstuvwxyz.~_-/"), strlen(uri));
    cJSON_Delete(document);
    document = as_sarif(&passed, 1);
    assert_int_equal(cJSON_GetArraySize(at(document, "runs/0/results")), 0);
    cJSON_Delete(document);
}

/* ---- TAP ---- */

static char *as_tap(const struct report_run *runs, size_t count) {
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    report_tap(out, runs, count);
    fclose(out);
    return text;
}

static void tap_has_a_point_for_each_configuration(void **state) {
    (void)state;
    const struct report_run runs[] = {passed, failed};
    char *text = as_tap(runs, 2);
    assert_int_equal(strncmp(text,
                             "TAP version 14\n1..2\nok 1 - lost.scn:3 The reply is lost "
                             "[core, label, wire]\nnot ok 2 - anywhere.scn:3 ",
                             86),
                     0);
    assert_non_null(strstr(text, "]\n  ---\n  message: \"I1 broke at 10:00:27: 2 orders"));
    assert_non_null(strstr(text, "\n    file: \"anywhere.scn\"\n    line: 9\n"));
    assert_non_null(strstr(text, "    - \"> 10:00:27.000  line 12  oms  send D1"));
    assert_string_equal(text + strlen(text) - 6, "  ...\n");
    free(text);
}

/* Every line is one that the form has: no text can end its own. */
static void tap_stays_in_form_with_hostile_texts(void **state) {
    (void)state;
    char *text = as_tap(&hostile, 1), *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        static const char *const begins[] = {"TAP version 14", "1..1",  "not ok 1 - ", "  ---",
                                             "  ...",          "  at:", "    line: 1"};
        bool known = line[0] == ' ' && (line[strlen(line) - 1] == '"' || strstr(line, "story:"));
        for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
            known = known || strncmp(line, begins[i], strlen(begins[i])) == 0;
        if (!known)
            fail_msg("no line of TAP: '%s'", line);
    }
    free(text);
    text = as_tap(NULL, 0);
    assert_string_equal(text, "TAP version 14\n1..0 # SKIP nothing was run\n");
    free(text);
}

/* ---- GitHub ---- */

static bool knows_i1(const void *ctx, const struct report_run *run) {
    return ctx != NULL && run->finding_count > 0;
}

static char *as_annotations(const struct report_run *runs, size_t count, const void *ctx) {
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    report_github_annotations(out, runs, count, knows_i1, ctx);
    fclose(out);
    return text;
}

static size_t count_of(const char *text, const char *word) {
    size_t n = 0;
    while ((text = strstr(text, word)) != NULL) {
        n++;
        text++;
    }
    return n;
}

static void annotations_name_file_and_line(void **state) {
    (void)state;
    const struct report_run runs[] = {passed, failed, bounded};
    char *text = as_annotations(runs, 3, NULL);
    assert_int_equal(
        strncmp(text,
                "::error file=anywhere.scn,line=9,title=I1%3A No crash point duplicates or loses "
                "an order::[seed-protocol, alpaca, power, direct] I1 broke at 10:00:27: 2 orders",
                155),
        0);
    assert_non_null(strstr(text, "%0Aagain: crashgate replay "));
    assert_non_null(strstr(text, "\n::warning file=many.scn,line=3,title=inconclusive%3A "));
    assert_int_equal(count_of(text, "\n"), 2);
    free(text);
    text = as_annotations(runs, 3, runs);
    assert_int_equal(strncmp(text, "::notice file=anywhere.scn,line=9,title=I1 (known)%3A ", 53),
                     0);
    free(text);
}

static void annotations_keep_the_limit_of_a_step(void **state) {
    (void)state;
    struct report_run runs[30];
    char *text = NULL;
    for (size_t i = 0; i < 30; i++)
        runs[i] = failed;
    text = as_annotations(runs, 10, NULL);
    assert_int_equal(count_of(text, "::error "), 10);
    assert_null(strstr(text, "more like these"));
    free(text);
    text = as_annotations(runs, 30, NULL);
    assert_int_equal(count_of(text, "::error "), 10);
    assert_non_null(strstr(text, "::error title=crashgate::21 more like these"));
    free(text);
}

static void annotations_stay_one_line_with_hostile_texts(void **state) {
    (void)state;
    char *text = as_annotations(&hostile, 1, NULL);
    assert_int_equal(count_of(text, "\n"), 1);
    assert_int_equal(strncmp(text, "::error file=<a href=\"x\">&amp;]]>", 33), 0);
    free(text);
}

static char *as_summary(const struct report_run *runs, size_t count, size_t room) {
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    report_github_summary(out, "gate: FAIL", runs, count, knows_i1, NULL, room);
    fclose(out);
    return text;
}

static void the_summary_is_cut_with_a_word_about_it(void **state) {
    (void)state;
    struct report_run runs[30];
    char *text = NULL;
    for (size_t i = 0; i < 30; i++)
        runs[i] = failed;
    text = as_summary(runs, 30, REPORT_GITHUB_SUMMARY_MAX);
    assert_int_equal(count_of(text, "\n### FAIL "), 30);
    assert_null(strstr(text, "is cut here"));
    free(text);
    text = as_summary(runs, 30, 5000);
    assert_true(strlen(text) <= 5000);
    assert_true(count_of(text, "\n### FAIL ") > 2);
    assert_int_equal(count_of(text, "</pre></details>"), count_of(text, "<details>"));
    assert_non_null(strstr(text, " more did not pass. The summary is cut here"));
    free(text);
    text = as_summary(runs, 30, 0);
    assert_string_equal(text, "");
    free(text);
    text = as_summary(&hostile, 1, REPORT_GITHUB_SUMMARY_MAX);
    assert_null(strstr(text, "<a"));
    free(text);
}

/* ---- back from JSON ---- */

static const char *keep_here(void *ctx, const char *text) {
    char **kept = ctx;
    size_t i = 0;
    while (kept[i] != NULL)
        i++;
    kept[i] = strdup(text);
    return kept[i];
}

static void a_run_is_read_back_as_it_was_written(void **state) {
    (void)state;
    const struct report_run *const all[] = {&failed, &passed, &bounded, &hostile};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        char *kept[200] = {NULL}, *before = NULL, *after = NULL;
        cJSON *object = report_json_of_run(all[i]), *again = NULL;
        struct report_run run;
        assert_true(report_json_to_run(object, keep_here, kept, &run));
        again = report_json_of_run(&run);
        before = cJSON_Print(object);
        after = cJSON_Print(again);
        assert_string_equal(before, after);
        cJSON_DeleteItemFromObject(object, "verdict");
        report_run_free(&run);
        assert_false(report_json_to_run(object, keep_here, kept, &run));
        assert_null(run.findings);
        cJSON_free(before);
        cJSON_free(after);
        cJSON_Delete(object);
        cJSON_Delete(again);
        for (size_t j = 0; kept[j] != NULL; j++)
            free(kept[j]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_brief_a_message_is_one_line_with_place_and_code),
        cmocka_unit_test(a_failure_tells_judgement_story_and_command),
        cmocka_unit_test(a_pass_is_one_line),
        cmocka_unit_test(a_bound_is_told_with_its_reason),
        cmocka_unit_test(hostile_texts_cannot_move_the_cursor),
        cmocka_unit_test(a_file_gets_no_colors_and_no_progress),
        cmocka_unit_test(progress_is_wiped_before_the_next_line),
        cmocka_unit_test(totals_say_what_was_done),
        cmocka_unit_test(json_is_one_object_a_line),
        cmocka_unit_test(json_stays_valid_with_hostile_texts),
        cmocka_unit_test(junit_has_a_case_for_each_configuration),
        cmocka_unit_test(junit_stays_well_formed_with_hostile_texts),
        cmocka_unit_test(sarif_tells_the_story_as_a_code_flow),
        cmocka_unit_test(sarif_stays_valid_with_hostile_texts),
        cmocka_unit_test(tap_has_a_point_for_each_configuration),
        cmocka_unit_test(tap_stays_in_form_with_hostile_texts),
        cmocka_unit_test(annotations_name_file_and_line),
        cmocka_unit_test(annotations_keep_the_limit_of_a_step),
        cmocka_unit_test(annotations_stay_one_line_with_hostile_texts),
        cmocka_unit_test(the_summary_is_cut_with_a_word_about_it),
        cmocka_unit_test(a_run_is_read_back_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
