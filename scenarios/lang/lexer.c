/* Cuts one line of a scenario file into words, signs and texts. */
#include "scenarios/lang/lexer.h"

#include <string.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether line[at] belongs to the word that began at `from`. */
static bool continues_word(const char *line, size_t length, size_t from, size_t at) {
    char c = line[at];
    char next = at + 1 < length ? line[at + 1] : '\0';
    if (is_digit(c) || is_letter(c) || c == '_' || c == '/')
        return true;
    if (c == '-')
        return next != '>';
    if (c == '.')
        return next != '.' && (at == from || line[at - 1] != '.');
    return c == ':' && at > from && is_digit(line[at - 1]) && is_digit(next);
}

static size_t word_length(const char *line, size_t length, size_t from) {
    size_t at = from;
    while (at < length && continues_word(line, length, from, at))
        at++;
    return at - from;
}

static size_t sign_length(const char *line, size_t length, size_t from) {
    static const char *const pairs[] = {"->", "..", "<=", ">=", "!="};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (length - from >= 2 && memcmp(line + from, pairs[i], 2) == 0)
            return 2;
    }
    size_t n = 1; /* a whole UTF-8 character, so that messages show it */
    while (from + n < length && ((unsigned char)line[from + n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* Length with both quotes, or 0 when the closing one is missing. */
static size_t text_length(const char *line, size_t length, size_t from) {
    for (size_t at = from + 1; at < length; at++) {
        if (line[at] == '\\' && at + 1 < length)
            at++;
        else if (line[at] == '"')
            return at + 1 - from;
    }
    return 0;
}

static void add(struct tokens *tokens, enum token_kind kind, const char *start, size_t length) {
    tokens->v[tokens->n++] = (struct token){kind, start, length};
}

enum lexed lex_line(const char *line, size_t length, struct tokens *tokens) {
    size_t at = 0;
    tokens->n = 0;
    while (at < length && line[at] != '#') {
        size_t used = 1;
        if (line[at] == ' ' || line[at] == '\t') {
            at++;
            continue;
        }
        if (tokens->n == TOKENS_MAX - 1) {
            add(tokens, TOKEN_END, line + at, 0);
            return LEXED_TOO_MANY;
        }
        if (line[at] == '"') {
            used = text_length(line, length, at);
            add(tokens, TOKEN_TEXT, line + at, used == 0 ? length - at : used);
            if (used == 0) {
                tokens->n -= tokens->n == TOKENS_MAX - 1 ? 1 : 0;
                add(tokens, TOKEN_END, line + length, 0);
                return LEXED_OPEN_TEXT;
            }
        } else if ((used = word_length(line, length, at)) > 0) {
            add(tokens, TOKEN_WORD, line + at, used);
        } else {
            used = sign_length(line, length, at);
            add(tokens, TOKEN_SIGN, line + at, used);
        }
        at += used;
    }
    /* The end is right after the last word, where something is missing. */
    const char *end = tokens->n == 0
                          ? line + at
                          : tokens->v[tokens->n - 1].start + tokens->v[tokens->n - 1].length;
    add(tokens, TOKEN_END, end, 0);
    return LEXED;
}

bool token_is(const struct token *token, const char *word) {
    return (token->kind == TOKEN_WORD || token->kind == TOKEN_SIGN) &&
           strlen(word) == token->length && memcmp(token->start, word, token->length) == 0;
}

bool token_copy(const struct token *token, char *out, size_t size) {
    bool text = token->kind == TOKEN_TEXT;
    size_t from = text ? 1 : 0, to = token->length - (text ? 1 : 0), used = 0;
    for (size_t i = from; i < to; i++) {
        if (text && token->start[i] == '\\' && i + 1 < to)
            i++;
        if (used + 1 >= size)
            return false;
        out[used++] = token->start[i];
    }
    out[used] = '\0';
    return true;
}
