/* Report for GitHub Actions: annotations at the scenarios' lines, and a step summary. */
#include "reports/github.h"

#include "reports/name.h"
#include "reports/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- annotations ---- */

enum level { ERROR, WARNING, NOTICE, LEVELS };
static const char *const levels[] = {"error", "warning", "notice"};

static enum level level_of(const struct report_run *run, report_known *known, const void *ctx) {
    if (known != NULL && known(ctx, run))
        return NOTICE;
    return run->verdict == REPORT_INCONCLUSIVE ? WARNING : ERROR;
}

/* A command is one line: what could end it, or a property of it, is escaped. */
static void put_escaped(FILE *out, const char *text, bool property) {
    while (*text != '\0') {
        size_t length = report_utf8_length(text);
        unsigned char c = (unsigned char)text[0];
        if (length == 0)
            fputs("\xef\xbf\xbd", out);
        else if (c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ',')))
            fprintf(out, "%%%02X", c);
        else if (c < 0x20 || c == 0x7f)
            fputc('?', out);
        else
            fwrite(text, 1, length, out);
        text += length == 0 ? 1 : length;
    }
}

static void put_annotation(FILE *out, enum level level, const struct report_run *run) {
    char configuration[REPORT_NAME_SIZE], line[24];
    const char *file = run->file;
    while (strncmp(file, "./", 2) == 0)
        file += 2;
    snprintf(line, sizeof line, "%d", report_line(run));
    fprintf(out, "::%s file=", levels[level]);
    put_escaped(out, file, true);
    fprintf(out, ",line=%s,title=", line);
    put_escaped(out, report_code(run), true);
    put_escaped(out, level == NOTICE ? " (known): " : ": ", true);
    put_escaped(out, run->scenario, true);
    fputs("::[", out);
    put_escaped(out, report_configuration(run, configuration), false);
    fputs("] ", out);
    put_escaped(out, report_what(run), false);
    if (run->finding_count > 0 && run->findings[0].replay[0] != '\0') {
        put_escaped(out, "\nagain: ", false);
        put_escaped(out, run->findings[0].replay, false);
    }
    fputc('\n', out);
}

void report_github_annotations(FILE *out, const struct report_run *runs, size_t count,
                               report_known *known, const void *ctx) {
    size_t of[LEVELS] = {0}, told[LEVELS] = {0};
    for (size_t i = 0; i < count; i++) {
        if (runs[i].verdict != REPORT_PASS)
            of[level_of(&runs[i], known, ctx)]++;
    }
    for (size_t i = 0; i < count; i++) {
        enum level level = ERROR;
        size_t most = REPORT_GITHUB_ANNOTATIONS;
        if (runs[i].verdict == REPORT_PASS)
            continue;
        level = level_of(&runs[i], known, ctx);
        most -= of[level] > most; /* the last place is for the rest */
        if (told[level]++ < most)
            put_annotation(out, level, &runs[i]);
    }
    for (int level = 0; level < LEVELS; level++) {
        if (of[level] > REPORT_GITHUB_ANNOTATIONS)
            fprintf(out, "::%s title=crashgate::%zu more like these: see the summary and the log\n",
                    levels[level], of[level] - REPORT_GITHUB_ANNOTATIONS + 1);
    }
}

/* ---- the summary ---- */

/* Text that is no HTML, nor control characters; what is in `marks` gets a backslash instead. */
static void put_readable(FILE *out, const char *text, const char *marks) {
    while (*text != '\0') {
        size_t length = report_utf8_length(text);
        unsigned char c = (unsigned char)text[0];
        if (length == 0)
            fputs("\xef\xbf\xbd", out);
        else if (strchr(marks, c) != NULL)
            fprintf(out, "\\%c", c);
        else if (c == '<')
            fputs("&lt;", out);
        else if (c == '>')
            fputs("&gt;", out);
        else if (c == '&')
            fputs("&amp;", out);
        else if (c < 0x20 || c == 0x7f)
            fputc(' ', out);
        else
            fwrite(text, 1, length, out);
        text += length == 0 ? 1 : length;
    }
}

/* Text in Markdown that does not format. */
static void put_markdown(FILE *out, const char *text) {
    put_readable(out, text, "\\`*_{}[]()#+-.!|~>@");
}

/* Text in a <pre>: it cannot end it. */
static void put_pre(FILE *out, const char *text) {
    put_readable(out, text, "");
}

static void put_story(FILE *out, const struct report_finding *finding) {
    fputs("<details><summary>the story</summary>\n<pre>\n", out);
    for (size_t i = 0; i < finding->event_count; i++) {
        const struct report_event *event = &finding->events[i];
        fputs(event->marked ? "&gt;" : " ", out);
        put_pre(out, event->time);
        fprintf(out, "  line %-4d  ", event->script_line);
        put_pre(out, event->who);
        fputs("  ", out);
        put_pre(out, event->what);
        fputc('\n', out);
    }
    fputs("again: ", out);
    put_pre(out, finding->replay);
    fputs("\n</pre></details>\n", out);
}

/* One run as text of its own, so that it is there whole or not at all. */
static char *section_of(const struct report_run *run, bool is_known, size_t *size) {
    char *text = NULL, configuration[REPORT_NAME_SIZE];
    FILE *out = open_memstream(&text, size);
    if (out == NULL)
        return NULL;
    fprintf(out, "\n### %s ", is_known ? "known:" : report_verdict_word(run->verdict));
    put_markdown(out, run->scenario);
    fputs("\n\n", out);
    put_markdown(out, run->file);
    fprintf(out, ":%d, ", report_line(run));
    put_markdown(out, report_configuration(run, configuration));
    fputs(": **", out);
    put_markdown(out, report_what(run)[0] != '\0' ? report_what(run) : report_code(run));
    fputs("**\n\n", out);
    for (size_t i = 0; i < run->finding_count; i++)
        put_story(out, &run->findings[i]);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

void report_github_summary(FILE *out, const char *verdict, const struct report_run *runs,
                           size_t count, report_known *known, const void *ctx, size_t room) {
    enum { FOR_THE_CUT = 200 };
    size_t used = 0, left = 0;
    char *head = NULL;
    FILE *begin = open_memstream(&head, &used);
    if (begin == NULL)
        return;
    fputs("## crashgate\n\n", begin);
    put_markdown(begin, verdict);
    fputc('\n', begin);
    if (fclose(begin) == 0 && used + FOR_THE_CUT <= room)
        fwrite(head, 1, used, out);
    free(head);
    for (size_t i = 0; i < count; i++) {
        size_t size = 0;
        char *section = NULL;
        if (runs[i].verdict == REPORT_PASS)
            continue;
        section = section_of(&runs[i], known != NULL && known(ctx, &runs[i]), &size);
        if (section != NULL && left == 0 && used + size + FOR_THE_CUT <= room) {
            fwrite(section, 1, size, out);
            used += size;
        } else {
            left++;
        }
        free(section);
    }
    if (left > 0 && used + FOR_THE_CUT <= room)
        fprintf(out,
                "\n%zu more did not pass. The summary is cut here: a step's may not be larger. All "
                "of them are in the log.\n",
                left);
}
