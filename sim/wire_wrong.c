/* Wrong answers, made from right ones. */
#include "sim/wire_wrong.h"

#include "sim/check.h"
#include "sim/shortage.h"

#include <cjson/cJSON.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_SIZE = 256, DEEP_LEVELS = 5000, STATUS_OK = 200 };

static char *message(int status, const char *type, const char *body, size_t body_length,
                     size_t *length) {
    char *text = check_alloc(HEAD_SIZE + body_length + 1);
    int head = snprintf(text, HEAD_SIZE,
                        "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", status,
                        MHD_get_reason_phrase_for((unsigned)status), type, body_length);
    memcpy(text + head, body, body_length);
    *length = (size_t)head + body_length;
    text[*length] = '\0';
    return text;
}

char *wire_error_message(int status, enum error_body body, size_t *length) {
    const char *phrase = MHD_get_reason_phrase_for((unsigned)status);
    char text[HEAD_SIZE] = "";
    switch (body) {
    case ERROR_HTML:
        snprintf(text, sizeof text, "<html><body>%d %s</body></html>", status, phrase);
        return message(status, "text/html", text, strlen(text), length);
    case ERROR_JSON: /* as gateways say it, without a number of the broker's */
        snprintf(text, sizeof text, "{\"message\":\"%s\"}", phrase);
        return message(status, "application/json", text, strlen(text), length);
    case ERROR_EMPTY:
        return message(status, "text/plain", "", 0, length);
    }
    check_failed(__FILE__, __LINE__, "body is a body");
}

/* ---- content ---- */

/* `document` with `more` behind its first '{': a member that nobody asked for. Malloced. */
static char *with_member(const char *document, const char *more, size_t more_length) {
    const char *brace = strchr(document, '{');
    CHECK(brace != NULL);
    size_t before = (size_t)(brace - document) + 1, after = strlen(brace + 1);
    char *text = check_alloc(before + more_length + after + 1);
    memcpy(text, document, before);
    memcpy(text + before, more, more_length);
    memcpy(text + before + more_length, brace + 1, after + 1);
    return text;
}

/* head, n times c, m times d, tail. Malloced. */
static char *repeated(const char *head, char c, size_t n, char d, size_t m, const char *tail) {
    size_t size = strlen(head) + n + m + strlen(tail) + 1;
    char *text = check_alloc(size);
    size_t used = (size_t)snprintf(text, size, "%s", head);
    memset(text + used, c, n);
    memset(text + used + n, d, m);
    snprintf(text + used + n + m, size - used - n - m, "%s", tail);
    return text;
}

static char *with_text(const char *document, char *more) {
    char *text = with_member(document, more, strlen(more));
    free(more);
    return text;
}

static void set(cJSON *row, const char *name, cJSON *value) {
    cJSON_DeleteItemFromObjectCaseSensitive(row, name);
    cJSON_AddItemToObject(row, name, value);
}

/* Edits the row in place, as far as the wrong is one of members. */
static void spoil(cJSON *row, enum wrong wrong) {
    switch (wrong) {
    case WRONG_ANOTHER_ORDER:
        set(row, "id", cJSON_CreateString("another-order"));
        set(row, "client_order_id", cJSON_CreateString("another-client-order-id"));
        return;
    case WRONG_UNKNOWN_STATUS:
        set(row, "status", cJSON_CreateString(UNKNOWN_STATUS_WORD));
        return;
    case WRONG_MISSING_FIELDS:
        cJSON_DeleteItemFromObjectCaseSensitive(row, "symbol");
        return;
    case WRONG_WRONG_TYPES:
        set(row, "symbol", cJSON_CreateArray());
        set(row, "qty", cJSON_CreateTrue());
        return;
    case WRONG_NUMBERS:
        set(row, "qty", cJSON_CreateNumber(100));
        return;
    case WRONG_HUGE:
    case WRONG_DEEP:
    case WRONG_TRUNCATED:
    case WRONG_EMPTY:
    case WRONG_COUNT:
        return;
    }
}

/* What remains wrong is so in the text. Takes `document` over. */
static char *spoil_text(char *document, enum wrong wrong) {
    char *text = document;
    switch (wrong) {
    case WRONG_HUGE:
        text = with_text(document, repeated("\"note\":\"", 'x', WIRE_HUGE_BODY, ' ', 0, "\","));
        break;
    case WRONG_DEEP:
        text = with_text(document, repeated("\"note\":", '[', DEEP_LEVELS, ']', DEEP_LEVELS, ","));
        break;
    case WRONG_TRUNCATED:
        document[strlen(document) / 2] = '\0';
        return document;
    case WRONG_EMPTY:
        document[0] = '\0';
        return document;
    case WRONG_ANOTHER_ORDER:
    case WRONG_UNKNOWN_STATUS:
    case WRONG_MISSING_FIELDS:
    case WRONG_WRONG_TYPES:
    case WRONG_NUMBERS:
    case WRONG_COUNT:
        return document;
    }
    free(document);
    return text;
}

/* Lacks most of what a row must have: nothing that is made of it can be believed. */
static cJSON *made_up_row(void) {
    cJSON *row = cJSON_CreateObject();
    cJSON_AddStringToObject(row, "symbol", "AAPL");
    cJSON_AddStringToObject(row, "qty", "100");
    return row;
}

char *wire_wrong_message(enum wrong wrong, int status, const char *body, bool list,
                         size_t *length) {
    /* Whoever answers so needs memory of his own. */
    bool inside = shortage_inside(false);
    cJSON *answer = status == STATUS_OK ? cJSON_Parse(body) : NULL;
    bool shows = answer != NULL && (!list || answer->child != NULL);
    char *printed = NULL, *text = NULL, *whole = NULL;
    if (!shows && wrong == WRONG_UNKNOWN_STATUS) {
        cJSON_Delete(answer);
        shortage_inside(inside);
        return NULL;
    }
    if (!shows) {
        cJSON_Delete(answer);
        answer = list ? cJSON_CreateArray() : made_up_row();
        if (list)
            cJSON_AddItemToArray(answer, made_up_row());
    }
    spoil(list ? answer->child : answer, wrong);
    printed = cJSON_PrintUnformatted(answer);
    CHECK(printed != NULL);
    cJSON_Delete(answer);
    shortage_inside(inside);
    text = spoil_text(printed, wrong);
    whole = message(STATUS_OK, "application/json", text, strlen(text), length);
    free(text);
    return whole;
}
