/* Cuts one line of a scenario file into words, signs and texts. */
#ifndef SCENARIOS_LANG_LEXER_H
#define SCENARIOS_LANG_LEXER_H

#include <stdbool.h>
#include <stddef.h>

enum { TOKENS_MAX = 128 };

/* WORD: letters, digits, "_-./" and a colon between digits: D1, 150.00, 10:00:00, kill-switch.
 * SIGN: , = ( ) @ + : -> .. < <= > >= != and any other character, alone.
 * TEXT: in double quotes; \" and \\ stand for " and \.
 * END: the end of the line or a comment. */
enum token_kind { TOKEN_WORD, TOKEN_SIGN, TOKEN_TEXT, TOKEN_END };

struct token {
    enum token_kind kind;
    const char *start; /* in the line; for a TEXT the opening quote */
    size_t length;
};

struct tokens {
    struct token v[TOKENS_MAX]; /* the last one is END */
    size_t n;
};

enum lexed { LEXED, LEXED_OPEN_TEXT, LEXED_TOO_MANY };
/* On LEXED_OPEN_TEXT the last token before END is the text that is not closed. */
enum lexed lex_line(const char *line, size_t length, struct tokens *tokens);

bool token_is(const struct token *token, const char *word);
/* The token's characters, a TEXT without quotes and escapes; false when it does not fit. */
bool token_copy(const struct token *token, char *out, size_t size);

#endif
