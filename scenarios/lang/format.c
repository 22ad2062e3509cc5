/* The formatter: statements are printed anew, comments and paragraphs stay. */
#include "scenarios/lang/format.h"

#include "scenarios/lang/lexer.h"
#include "scenarios/lang/parser.h"
#include "scenarios/lang/printer.h"
#include "sim/check.h"

#include <stdlib.h>
#include <string.h>

/* What a line of the file is. */
enum piece_kind {
    PIECE_BLANK,
    PIECE_COMMENT,
    PIECE_FIRST,
    PIECE_TITLE,
    PIECE_HEADER,
    PIECE_LINE,
    PIECE_CHECK
};

struct piece {
    enum piece_kind kind;
    const char *source; /* the whole line as it was, without its end */
    size_t length;
    const char *comment; /* from its '#', or NULL */
    const struct scenario *scenario;
    const struct scn_line *line; /* LINE, CHECK */
    int number;
};

struct pieces {
    struct piece *v;
    size_t n, cap;
};

enum { PIECES_MAX = SCN_FILE_BYTES_MAX + 1 };

/* ---- reading ---- */

static const char *comment_of(const struct tokens *tokens, const char *end) {
    const char *after = tokens->v[tokens->n - 1].start;
    return memchr(after, '#', (size_t)(end - after));
}

/* The line of the scenario that stands there, or NULL. */
static const struct scn_line *line_at(const struct scenario *s, int number) {
    for (size_t i = 0; i < s->line_count; i++) {
        if (s->lines[i].place.line == number)
            return &s->lines[i];
    }
    return NULL;
}

static const struct scenario *scenario_at(const struct scenario_file *file, int number) {
    for (size_t i = 0; i < file->count; i++) {
        if (file->scenarios[i].place.line == number)
            return &file->scenarios[i];
    }
    return NULL;
}

static void classify(const struct scenario_file *file, const struct scenario **current,
                     struct piece *piece) {
    struct tokens tokens;
    CHECK(lex_line(piece->source, piece->length, &tokens) == LEXED);
    piece->comment = comment_of(&tokens, piece->source + piece->length);
    if (tokens.v[0].kind == TOKEN_END) {
        piece->kind = piece->comment == NULL ? PIECE_BLANK : PIECE_COMMENT;
        return;
    }
    if (scenario_at(file, piece->number) != NULL) {
        *current = scenario_at(file, piece->number);
        piece->kind = PIECE_TITLE;
    } else if (*current == NULL) {
        piece->kind = PIECE_FIRST;
    } else {
        piece->line = line_at(*current, piece->number);
        piece->kind = piece->line == NULL                      ? PIECE_HEADER
                      : printer_is_timeless_check(piece->line) ? PIECE_CHECK
                                                               : PIECE_LINE;
    }
    piece->scenario = *current;
}

static struct pieces read_pieces(const struct scenario_file *file, const char *text,
                                 size_t length) {
    const char *end = text + length;
    const struct scenario *current = NULL;
    struct pieces pieces = {0};
    for (int number = 1; text < end; number++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline == NULL ? end : newline;
        CHECK_ROOM(pieces.v, pieces.n, pieces.cap, PIECES_MAX);
        struct piece *piece = &pieces.v[pieces.n++];
        *piece = (struct piece){.source = text, .length = (size_t)(stop - text), .number = number};
        while (piece->length > 0 && strchr(" \t\r", text[piece->length - 1]) != NULL)
            piece->length--;
        classify(file, &current, piece);
        text = newline == NULL ? end : newline + 1;
    }
    return pieces;
}

/* ---- writing ---- */

static void put_header(const struct piece *piece, FILE *out) {
    const struct scenario *s = piece->scenario;
    struct tokens tokens;
    enum scn_header header = SCN_HEADER_TAGS;
    char text[SCN_TEXT_SIZE];
    CHECK(lex_line(piece->source, piece->length, &tokens) == LEXED);
    for (size_t i = 0; i < s->given_count; i++) {
        if (s->givens[i].place.line == piece->number && s->givens[i].place.file == s->place.file) {
            printer_given(s, &s->givens[i], out);
            return;
        }
    }
    for (size_t i = 0; i < s->decision_count; i++) {
        if (s->decisions[i].place.line == piece->number &&
            s->decisions[i].place.file == s->place.file) {
            printer_decision(s, &s->decisions[i], out);
            return;
        }
    }
    while (!verb_starts_with(&verb_headers[header], &tokens.v[0]))
        header++;
    if (header == SCN_HEADER_USE) {
        CHECK(token_copy(&tokens.v[1], text, sizeof text));
        printer_use(text, out);
    } else if (header == SCN_HEADER_OPTION) {
        enum scn_option option = 0;
        while (!token_is(&tokens.v[1], option_rows[option].name))
            option++;
        printer_option(s, option, out);
    } else {
        printer_header(s, header, out);
    }
}

static void put_statement(const struct piece *piece, FILE *out) {
    switch (piece->kind) {
    case PIECE_BLANK:
    case PIECE_COMMENT:
        return;
    case PIECE_FIRST:
        fputs("crashgate 1", out);
        return;
    case PIECE_TITLE:
        printer_title(piece->scenario, out);
        return;
    case PIECE_HEADER:
        put_header(piece, out);
        return;
    case PIECE_LINE:
    case PIECE_CHECK:
        printer_line(piece->scenario, piece->line, printer_time_width(piece->scenario), out);
        return;
    }
}

/* A comment behind a statement stays in its column when there is room. */
static void put_tail(const struct piece *piece, size_t used, FILE *out) {
    size_t column = (size_t)(piece->comment - piece->source);
    fprintf(out, "%*s%.*s", column > used + 2 ? (int)(column - used) : 2, "",
            (int)(piece->source + piece->length - piece->comment), piece->comment);
}

static void put_piece(const struct piece *piece, bool indented, FILE *out) {
    char *statement = NULL;
    size_t used = 0;
    if (piece->kind == PIECE_COMMENT) {
        fprintf(out, "%s%.*s\n", indented ? "  " : "",
                (int)(piece->source + piece->length - piece->comment), piece->comment);
        return;
    }
    FILE *memory = open_memstream(&statement, &used);
    CHECK(memory != NULL);
    put_statement(piece, memory);
    CHECK(fclose(memory) == 0);
    fwrite(statement, 1, used, out);
    if (piece->comment != NULL)
        put_tail(piece, used, out);
    fputc('\n', out);
    free(statement);
}

/* What the next line that is no comment is; a comment belongs to it. BLANK: the file ends. */
static enum piece_kind belongs_to(const struct pieces *pieces, size_t at) {
    while (at < pieces->n &&
           (pieces->v[at].kind == PIECE_COMMENT || pieces->v[at].kind == PIECE_BLANK))
        at++;
    return at == pieces->n ? PIECE_BLANK : pieces->v[at].kind;
}

/* Whether a blank line stands between two neighbours: always between paragraphs, never between a
 * title and its headers, elsewhere where somebody wrote one. */
static bool is_parted(enum piece_kind above, enum piece_kind below, bool written) {
    if (below == PIECE_TITLE || (above == PIECE_HEADER && below >= PIECE_LINE) ||
        (above == PIECE_TITLE && below >= PIECE_LINE) ||
        (above == PIECE_LINE && below == PIECE_CHECK))
        return true;
    if (above == PIECE_TITLE)
        return false;
    return written;
}

static void put_pieces(const struct pieces *pieces, FILE *out) {
    const struct piece *above = NULL;        /* the last one written */
    enum piece_kind statement = PIECE_BLANK; /* of the last statement written */
    bool blank = false;
    for (size_t i = 0; i < pieces->n; i++) {
        const struct piece *piece = &pieces->v[i];
        enum piece_kind owner = belongs_to(pieces, i);
        if (piece->kind == PIECE_BLANK) {
            blank = true;
            continue;
        }
        /* A comment that was written belongs to what is below it: the parting is above both. */
        bool parted = above != NULL && above->kind == PIECE_COMMENT
                          ? blank
                          : is_parted(statement, owner, blank);
        if (above != NULL && parted)
            fputc('\n', out);
        put_piece(piece, owner != PIECE_TITLE && owner != PIECE_FIRST && owner != PIECE_BLANK, out);
        if (piece->kind != PIECE_COMMENT)
            statement = piece->kind;
        above = piece;
        blank = false;
    }
}

static char *write_pieces(const struct pieces *pieces, size_t *length) {
    char *out = NULL;
    FILE *memory = open_memstream(&out, length);
    CHECK(memory != NULL);
    put_pieces(pieces, memory);
    CHECK(fclose(memory) == 0);
    return out;
}

/* ---- the promise ---- */

static void check_equal(const char *name, const struct scenario_file *file, const char *text,
                        size_t length) {
    struct scenario_file again;
    struct diags diags = {0};
    CHECK(scenario_parse(name, text, length, &again, &diags));
    CHECK(again.count == file->count);
    for (size_t i = 0; i < file->count; i++)
        CHECK(scenario_equal(&file->scenarios[i], &again.scenarios[i]));
    scenario_free(&again);
    diags_free(&diags);
}

char *scenario_format(const char *name, const char *text, size_t length, size_t *formatted_length,
                      struct diags *diags) {
    struct scenario_file file;
    struct pieces pieces;
    char *formatted = NULL;
    if (!scenario_parse(name, text, length, &file, diags))
        return NULL;
    pieces = read_pieces(&file, text, length);
    formatted = write_pieces(&pieces, formatted_length);
    check_equal(name, &file, formatted, *formatted_length);
    free(pieces.v);
    scenario_free(&file);
    return formatted;
}
