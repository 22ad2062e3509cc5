/* Counting the OMS's allocations, and failing some. */
#include "sim/shortage.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
#define X(id, name) name,
    SHORTAGES(X)
#undef X
};

static struct {
    bool on;     /* a sweep is under way */
    bool inside; /* the OMS acts */
    enum shortage_of of;
    unsigned long nth;
    bool lasting, gone; /* gone: a lasting one has begun in this life */
    unsigned long counted[SHORTAGE_OF_COUNT], failed;
} now;

const char *shortage_name(enum shortage_of of) {
    return names[of];
}

void shortage_plan(enum shortage_of of, unsigned long nth, bool lasting) {
    bool inside = now.inside;
    memset(&now, 0, sizeof now);
    now.on = true;
    now.inside = inside;
    now.of = of;
    now.nth = nth;
    now.lasting = lasting;
}

void shortage_off(void) {
    now.on = false;
}

void shortage_life_over(void) {
    now.gone = false;
}

unsigned long shortage_counted(enum shortage_of of) {
    return now.counted[of];
}

unsigned long shortage_failed(void) {
    return now.failed;
}

bool shortage_inside(bool oms) {
    bool before = now.inside;
    now.inside = oms;
    return before;
}

bool shortage_strikes(enum shortage_of of) {
    bool strikes = false;
    if (!now.on || !now.inside)
        return false;
    now.counted[of]++;
    if (of != now.of)
        return false;
    strikes = now.gone || now.counted[of] == now.nth;
    now.gone = strikes && now.lasting;
    now.failed += strikes;
    return strikes;
}

/* ---- the core's allocators ---- */

void *sut_malloc(size_t size) {
    return shortage_strikes(SHORTAGE_CORE) ? NULL : malloc(size);
}

void *sut_calloc(size_t count, size_t size) {
    return shortage_strikes(SHORTAGE_CORE) ? NULL : calloc(count, size);
}

void *sut_realloc(void *old, size_t size) {
    return shortage_strikes(SHORTAGE_CORE) ? NULL : realloc(old, size);
}

char *sut_strdup(const char *text) {
    return shortage_strikes(SHORTAGE_CORE) ? NULL : strdup(text);
}

/* ---- the libraries' ---- */

static void *json_malloc(size_t size) {
    return shortage_strikes(SHORTAGE_JSON) ? NULL : malloc(size);
}

static void *curl_malloc(size_t size) {
    return shortage_strikes(SHORTAGE_CURL) ? NULL : malloc(size);
}

static void *curl_calloc(size_t count, size_t size) {
    return shortage_strikes(SHORTAGE_CURL) ? NULL : calloc(count, size);
}

static void *curl_realloc(void *old, size_t size) {
    return shortage_strikes(SHORTAGE_CURL) ? NULL : realloc(old, size);
}

static char *curl_strdup(const char *text) {
    return shortage_strikes(SHORTAGE_CURL) ? NULL : strdup(text);
}

void shortage_install(void) {
    static bool installed;
    cJSON_Hooks hooks = {.malloc_fn = json_malloc, .free_fn = free};
    if (installed)
        return;
    installed = true;
    cJSON_InitHooks(&hooks);
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, free, curl_realloc, curl_strdup,
                         curl_calloc);
}
