/* What the parts of the parser share; nobody outside scenarios/lang includes it. */
#ifndef SCENARIOS_LANG_PARSER_H
#define SCENARIOS_LANG_PARSER_H

#include "scenarios/lang/ast.h"
#include "scenarios/lang/diag.h"
#include "scenarios/lang/lexer.h"

enum { EXPECTED_MAX = 48 };

/* One row of the vocabulary. */
struct verb {
    const char *name; /* "SIGNAL" */
    const char *shape, *help, *example;
    enum scn_sort sort; /* statements only */
};
extern const struct verb verb_statements[SCN_STATEMENT_COUNT];
extern const struct verb verb_conditions[SCN_CONDITION_COUNT];
extern const struct verb verb_headers[SCN_HEADER_COUNT];

struct point_row {
    const char *word;
    bool takes_decision;
    const char *meaning;
};
extern const struct point_row point_rows[SCN_POINT_COUNT];

enum option_type { OPTION_INT, OPTION_WORD };
struct option_row {
    const char *name;
    enum option_type type;
    int64_t least, most;
    const char *words; /* "any|wire|direct" */
    const char *help;
};
extern const struct option_row option_rows[SCN_OPTION_COUNT];
/* The option's word number `value`, as text; returns out. */
char *option_word(const struct option_row *row, int64_t value, char *out, size_t size);

extern const char *const slot_shapes[SCN_SLOT_COUNT];   /* "D" */
extern const char *const slot_expected[SCN_SLOT_COUNT]; /* "a decision" */
extern const char *const slot_written[SCN_SLOT_COUNT];  /* how people write it; "": as it stands */
extern const char *const cmp_signs[SCN_GE + 1];
/* The slot a word of a shape stands for, or SCN_SLOT_COUNT: the word stands for itself. */
enum scn_slot slot_of(const char *word, size_t length);
/* "Words in text, cut by blanks": length of the first one. */
size_t shape_word(const char *shape);
/* First word of a shape that equals the token. */
bool verb_starts_with(const struct verb *verb, const struct token *token);

struct expected {
    const char *text; /* not ended by a zero */
    size_t length;
    bool literal; /* a word of the language, quoted in messages and offered as a guess */
};

/* The text being read, so that checks can show its lines. */
struct parser_source {
    const char *name, *text;
    size_t length;
};

struct parser {
    struct scenario_file *file;
    struct diags *diags;
    struct parser_source source; /* the outermost file */
    const char *name;            /* of the file being read; owned by file->names */
    struct scenario *scenario;   /* the current one, or NULL */
    bool used;                   /* reading a file that another one uses */
    int depth;                   /* of `use` */
    bool broken;                 /* a line of this scenario could not be understood */

    const char *line; /* the current line */
    size_t line_length;
    int line_number;
    struct tokens tokens;
    size_t at; /* next token */

    size_t furthest; /* the token where the best attempt failed, and what would have gone on */
    struct expected expected[EXPECTED_MAX];
    size_t expected_count;

    struct scn_when when; /* of the current line */
    struct scn_when above;
    int above_line;               /* number of the last line with a time, 0: none */
    int64_t day_ns;               /* day of times that are written without one */
    int last_crash, last_restart; /* index of the latest line, or SCN_NONE */
    struct scn_place header_place[SCN_HEADER_COUNT];

    struct scn_term terms[SCN_TERMS_MAX]; /* of the current line */
    size_t term_count;
};

/* match.c: one line against shapes */
const struct token *parser_token(const struct parser *p);
bool parser_take(struct parser *p, const char *word); /* eats the word if it is next */
void parser_expect(struct parser *p, const char *text, bool literal);
/* A mistake at a token of the line; its note may be set after. */
struct diag *parser_mistake(struct parser *p, enum diag_code code, const struct token *token);
/* Tries rows first..count-1 whose first words fit, to the end of the line. The row, or -1 after
 * the mistake was told. */
int parser_match(struct parser *p, const struct verb *rows, size_t count, struct scn_args *args);
struct scn_args args_empty(void);

/* places.c */
bool parse_point(struct parser *p, struct scn_point *point);

/* check.c: what one line alone cannot tell */
void scenario_check(struct scenario *scenario, bool broken, const struct parser_source *source,
                    struct diags *diags);
/* The summary of the lines that checks and runners need: quantified, wire_only, ... */
void scenario_derive(struct scenario *scenario);

#endif
