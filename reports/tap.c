/* Report for harnesses: TAP version 14. */
#include "reports/tap.h"

#include "reports/name.h"
#include "reports/text.h"

#include <string.h>

/* What a description may not hold as it is: '\' and '#' are escaped, and it is one line of UTF-8. */
static void put_description(FILE *out, const char *text) {
    while (*text != '\0') {
        size_t length = report_utf8_length(text);
        unsigned char c = (unsigned char)text[0];
        if (length == 0 || c < 0x20 || c == 0x7f) {
            fputc('?', out);
        } else {
            if (c == '\\' || c == '#')
                fputc('\\', out);
            fwrite(text, 1, length, out);
        }
        text += length == 0 ? 1 : length;
    }
}

/* A double-quoted YAML scalar. */
static void put_scalar(FILE *out, const char *text) {
    fputc('"', out);
    while (*text != '\0') {
        size_t length = report_utf8_length(text);
        unsigned char c = (unsigned char)text[0];
        if (length == 0)
            fputs("\xef\xbf\xbd", out);
        else if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            fprintf(out, "\\x%02x", c);
        else if (length == 2 && c == 0xc2 && (unsigned char)text[1] < 0xa0)
            fprintf(out, "\\x%02x", (unsigned char)text[1]);
        else if (length == 3 && memcmp(text, "\xef\xbf", 2) == 0 && (unsigned char)text[2] >= 0xbe)
            fputs("\xef\xbf\xbd", out);
        else
            fwrite(text, 1, length, out);
        text += length == 0 ? 1 : length;
    }
    fputc('"', out);
}

static void put_pair(FILE *out, const char *name, const char *value) {
    fprintf(out, "  %s: ", name);
    put_scalar(out, value);
    fputc('\n', out);
}

static void put_story(FILE *out, const struct report_finding *finding) {
    if (finding->event_count > 0)
        fputs("  story:\n", out);
    for (size_t i = 0; i < finding->event_count; i++) {
        const struct report_event *event = &finding->events[i];
        char words[1200];
        snprintf(words, sizeof words, "%s%s  line %d  %s  %s", event->marked ? "> " : "",
                 event->time, event->script_line, event->who, event->what);
        fputs("    - ", out);
        put_scalar(out, words);
        fputc('\n', out);
    }
}

static void put_diagnostic(FILE *out, const struct report_run *run) {
    fputs("  ---\n", out);
    put_pair(out, "message", report_what(run));
    put_pair(out, "severity", run->verdict == REPORT_INCONCLUSIVE ? "inconclusive" : "fail");
    put_pair(out, "code", report_code(run));
    fputs("  at:\n  ", out);
    put_pair(out, "file", run->file);
    fprintf(out, "    line: %d\n", report_line(run));
    if (run->finding_count > 0) {
        put_pair(out, "plan", run->findings[0].plan);
        put_pair(out, "again", run->findings[0].replay);
        put_story(out, &run->findings[0]);
    }
    fputs("  ...\n", out);
}

void report_tap(FILE *out, const struct report_run *runs, size_t count) {
    fprintf(out, "TAP version 14\n1..%zu%s\n", count, count == 0 ? " # SKIP nothing was run" : "");
    for (size_t i = 0; i < count; i++) {
        char configuration[REPORT_NAME_SIZE];
        fprintf(out, "%s %zu - ", runs[i].verdict == REPORT_PASS ? "ok" : "not ok", i + 1);
        put_description(out, runs[i].file);
        fprintf(out, ":%d ", runs[i].line);
        put_description(out, runs[i].scenario);
        fputs(" [", out);
        put_description(out, report_configuration(&runs[i], configuration));
        fputs("]\n", out);
        if (runs[i].verdict != REPORT_PASS)
            put_diagnostic(out, &runs[i]);
    }
}
