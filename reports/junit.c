/* Report for CI servers: JUnit XML, one testcase for each scenario in each configuration. */
#include "reports/junit.h"

#include "reports/name.h"
#include "reports/text.h"

#include <stdlib.h>
#include <string.h>

/* Escaped for text and for attributes in double quotes. XML 1.0 has no control characters but tab
 * and line ends, and no U+FFFE and U+FFFF: those become U+FFFD. */
static void put(FILE *out, const char *text, size_t length) {
    unsigned char c = (unsigned char)text[0];
    if (length == 0 || (c < 0x20 && c != '\t' && c != '\n' && c != '\r') ||
        (length == 3 && memcmp(text, "\xef\xbf", 2) == 0 && (unsigned char)text[2] >= 0xbe))
        fputs("\xef\xbf\xbd", out);
    else if (c == '<')
        fputs("&lt;", out);
    else if (c == '>')
        fputs("&gt;", out);
    else if (c == '&')
        fputs("&amp;", out);
    else if (c == '"')
        fputs("&quot;", out);
    else if (c == '\t' || c == '\n' || c == '\r' || c == 0x7f)
        fprintf(out, "&#%d;", c);
    else
        fwrite(text, 1, length, out);
}

static void put_text(FILE *out, const char *text) {
    while (text != NULL && *text != '\0') {
        size_t length = report_utf8_length(text);
        put(out, text, length);
        text += length == 0 ? 1 : length;
    }
}

/* A name and its value, after a blank. */
static void put_attribute(FILE *out, const char *name, const char *value) {
    fprintf(out, " %s=\"", name);
    put_text(out, value);
    fputc('"', out);
}

static void put_finding(FILE *out, const struct report_finding *finding) {
    put_text(out, finding->headline);
    fputc('\n', out);
    for (size_t i = 0; i < finding->event_count; i++) {
        const struct report_event *event = &finding->events[i];
        fputs(event->marked ? " &gt;" : "  ", out);
        put_text(out, event->time);
        if (event->script_line > 0)
            fprintf(out, "  line %d", event->script_line);
        fputs("  ", out);
        put_text(out, event->who);
        fputs("  ", out);
        put_text(out, event->what);
        fputc('\n', out);
    }
    if (finding->replay[0] != '\0') {
        fputs("again: ", out);
        put_text(out, finding->replay);
        fputc('\n', out);
    }
    if (finding->also > 0)
        fprintf(out, "also:  %llu other runs fail the same way\n",
                (unsigned long long)finding->also);
}

/* The cause comes first: CI servers show the message, and the rest on a click. */
static void put_outcome(FILE *out, const struct report_run *run) {
    const char *element = run->verdict == REPORT_ERROR ? "error" : "failure";
    const char *type =
        run->finding_count > 0 ? run->findings[0].code : report_verdict_key(run->verdict);
    const char *message = run->finding_count > 0 ? run->findings[0].headline : run->note;
    fprintf(out, "      <%s", element);
    put_attribute(out, "type", type);
    put_attribute(out, "message", message);
    fputc('>', out);
    if (run->note[0] != '\0') {
        put_text(out, run->note);
        fputc('\n', out);
    }
    for (size_t i = 0; i < run->finding_count; i++)
        put_finding(out, &run->findings[i]);
    fprintf(out, "</%s>\n", element);
}

/* CI servers tell cases apart by class and name, so the name has all that a configuration is. */
static void put_name(FILE *out, const struct report_run *run) {
    char configuration[REPORT_NAME_SIZE];
    fputs(" name=\"", out);
    put_text(out, run->scenario);
    if (report_configuration(run, configuration)[0] != '\0') {
        fputs(" [", out);
        put_text(out, configuration);
        fputc(']', out);
    }
    fputc('"', out);
}

/* The file without its ending, its folders separated as packages are: some servers group by that. */
static void put_class(FILE *out, const char *file) {
    size_t length = 0;
    char *class = NULL;
    while (strncmp(file, "./", 2) == 0)
        file += 2;
    length = strlen(file);
    if (length > 4 && strcmp(file + length - 4, ".scn") == 0)
        length -= 4;
    class = strndup(file, length);
    for (char *c = class; c != NULL && *c != '\0'; c++)
        *c = *c == '/' ? '.' : *c;
    put_attribute(out, "classname", class != NULL ? class : file);
    free(class);
}

static void put_case(FILE *out, const struct report_run *run) {
    fputs("    <testcase", out);
    put_name(out, run);
    put_class(out, run->file);
    put_attribute(out, "file", run->file);
    fprintf(out, " line=\"%d\">\n", run->line);
    fprintf(out,
            "      <properties>\n"
            "        <property name=\"runs\" value=\"%llu\"/>\n"
            "        <property name=\"crash-points\" value=\"%llu\"/>\n"
            "        <property name=\"lives\" value=\"%llu\"/>\n"
            "        <property name=\"faults-fired\" value=\"%llu\"/>\n"
            "      </properties>\n",
            (unsigned long long)run->runs, (unsigned long long)run->crash_points,
            (unsigned long long)run->lives, (unsigned long long)run->faults_fired);
    if (run->verdict != REPORT_PASS)
        put_outcome(out, run);
    fputs("    </testcase>\n", out);
}

void report_junit(FILE *out, const struct report_run *runs, size_t count) {
    struct report_totals totals = {0};
    for (size_t i = 0; i < count; i++)
        report_totals_add(&totals, &runs[i]);
    unsigned long long errors = totals.scenarios[REPORT_ERROR];
    unsigned long long failures =
        totals.scenarios[REPORT_FAIL] + totals.scenarios[REPORT_INCONCLUSIVE];
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites tests=\"%zu\" failures=\"%llu\" errors=\"%llu\">\n"
            "  <testsuite name=\"crashgate\" tests=\"%zu\" failures=\"%llu\" errors=\"%llu\">\n",
            count, failures, errors, count, failures, errors);
    for (size_t i = 0; i < count; i++)
        put_case(out, &runs[i]);
    fputs("  </testsuite>\n</testsuites>\n", out);
}
