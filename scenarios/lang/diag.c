/* Collects mistakes, shows them, and guesses what was meant. */
#include "scenarios/lang/diag.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *code, *slug, *rule;
} codes[] = {
#define X(id, code, slug, rule) {code, slug, rule},
    DIAG_CODES(X)
#undef X
};

const char *diag_code_text(enum diag_code code) {
    return codes[code].code;
}

const char *diag_code_slug(enum diag_code code) {
    return codes[code].slug;
}

const char *diag_code_rule(enum diag_code code) {
    return codes[code].rule;
}

static struct diag *new_row(struct diags *diags) {
    static struct diag scratch; /* written and never read: the row nobody keeps */
    if (diags->n == DIAGS_MAX) {
        diags->dropped++;
        return &scratch;
    }
    if (diags->n == diags->cap) {
        size_t cap = diags->cap == 0 ? 8 : diags->cap * 2;
        struct diag *v = realloc(diags->v, cap * sizeof *v);
        if (v == NULL) {
            diags->dropped++;
            return &scratch;
        }
        diags->v = v;
        diags->cap = cap;
    }
    return &diags->v[diags->n++];
}

struct diag *diags_add(struct diags *diags, enum diag_code code, const char *file, int line,
                       int col, int length, const char *source, size_t source_length) {
    struct diag *diag = new_row(diags);
    memset(diag, 0, sizeof *diag);
    diag->code = code;
    diag->line = line;
    diag->col = col;
    diag->length = length;
    snprintf(diag->file, sizeof diag->file, "%s", file);
    if (source_length >= sizeof diag->source)
        source_length = sizeof diag->source - 1;
    if (source != NULL)
        memcpy(diag->source, source, source_length);
    return diag;
}

void diag_say(struct diag *diag, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(diag->text, sizeof diag->text, format, list);
    va_end(list);
}

void diag_note(struct diag *diag, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(diag->note, sizeof diag->note, format, list);
    va_end(list);
}

static int compare(const struct diag *a, const struct diag *b) {
    int files = strcmp(a->file, b->file);
    if (files != 0)
        return 0; /* files keep the order in which they were read */
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return (a->col > b->col) - (a->col < b->col);
}

void diags_sort(struct diags *diags) {
    for (size_t i = 1; i < diags->n; i++) {
        struct diag row = diags->v[i];
        size_t at = i;
        for (; at > 0 && compare(&diags->v[at - 1], &row) > 0; at--)
            diags->v[at] = diags->v[at - 1];
        diags->v[at] = row;
    }
}

void diags_free(struct diags *diags) {
    free(diags->v);
    *diags = (struct diags){0};
}

/* Files are written by strangers: what could move the cursor of a terminal is shown as '?'. */
static void put_safely(const char *text, FILE *out) {
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        fputc((c < 0x20 && c != '\t') || c == 0x7f ? '?' : c, out);
    }
}

/* Blanks as wide as the first `bytes` bytes of the line: tabs stay tabs, UTF-8 counts once. */
static void put_blanks(const char *source, size_t bytes, FILE *out) {
    for (size_t i = 0; i < bytes && source[i] != '\0'; i++) {
        unsigned char c = (unsigned char)source[i];
        if (c == '\t')
            fputc('\t', out);
        else if ((c & 0xc0) != 0x80)
            fputc(' ', out);
    }
}

static void write_source(const struct diag *diag, FILE *out) {
    fprintf(out, "%5d | ", diag->line);
    put_safely(diag->source, out);
    fputs("\n      | ", out);
    put_blanks(diag->source, (size_t)(diag->col - 1), out);
    fputc('^', out);
    for (int i = 1; i < diag->length; i++)
        fputc('~', out);
    if (diag->note[0] != '\0') {
        fputc(' ', out);
        put_safely(diag->note, out);
    }
    fputc('\n', out);
}

static void write_one(const struct diag *diag, enum diag_format format, FILE *out) {
    put_safely(diag->file, out);
    if (diag->line > 0)
        fprintf(out, ":%d:%d", diag->line, diag->col);
    fputs(": error: ", out);
    put_safely(diag->text, out);
    if (format == DIAG_SHORT) {
        if (diag->note[0] != '\0') {
            fputs(" (", out);
            put_safely(diag->note, out);
            fputc(')', out);
        }
        fprintf(out, " [%s]\n", diag_code_text(diag->code));
        return;
    }
    fputc('\n', out);
    if (diag->line > 0)
        write_source(diag, out);
    else if (diag->note[0] != '\0')
        fprintf(out, "      %s\n", diag->note);
}

void diags_write(const struct diags *diags, enum diag_format format, FILE *out) {
    for (size_t i = 0; i < diags->n; i++)
        write_one(&diags->v[i], format, out);
}

void diags_summary(const struct diags *diags, const char *file, FILE *out) {
    size_t total = diags->n + diags->dropped;
    put_safely(file, out);
    fprintf(out, ": %zu mistake%s, nothing was run\n", total, total == 1 ? "" : "s");
}

static char low(char c) {
    return (char)tolower((unsigned char)c);
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

enum { GUESS_WORD_MAX = 40 };

/* Edits between two words, a swap of neighbours counting once. */
static size_t edits(const char *a, size_t n, const char *b, size_t m) {
    size_t d[GUESS_WORD_MAX + 1][GUESS_WORD_MAX + 1];
    for (size_t i = 0; i <= n; i++)
        d[i][0] = i;
    for (size_t j = 0; j <= m; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        for (size_t j = 1; j <= m; j++) {
            bool same = low(a[i - 1]) == low(b[j - 1]);
            d[i][j] = least(d[i - 1][j - 1] + (same ? 0 : 1), least(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && low(a[i - 1]) == low(b[j - 2]) && low(a[i - 2]) == low(b[j - 1]))
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[n][m];
}

struct guess guess_start(const char *word, size_t length) {
    return (struct guess){word, length, NULL, 0, (length + 2) / 3 + 1};
}

void guess_offer_n(struct guess *guess, const char *candidate, size_t candidate_length) {
    if (guess->length > GUESS_WORD_MAX || candidate_length > GUESS_WORD_MAX || guess->length == 0)
        return;
    size_t distance = edits(guess->word, guess->length, candidate, candidate_length);
    if (distance < guess->distance && distance < candidate_length) {
        guess->distance = distance;
        guess->best = candidate;
        guess->best_length = candidate_length;
    }
}

void guess_offer(struct guess *guess, const char *candidate) {
    guess_offer_n(guess, candidate, strlen(candidate));
}
