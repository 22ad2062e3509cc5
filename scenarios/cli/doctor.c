/* crashgate doctor: what could make the same run go another way, and whether it does. */
#include "scenarios/cli/commands.h"
#include "scenarios/cli/repeats.h"
#include "scenarios/cli/suite.h"
#include "scenarios/lang/exits.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <locale.h>
#include <microhttpd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <time.h>

enum {
    REPEATS = 1000, /* unless --repeats says otherwise */
    REPEATS_MAX = 10000000,
    VERSION_SIZE = 80
};

/* ---- what could differ ---- */

static void print_library(const char *name, const char *built, const char *runs, unsigned *odd) {
    bool same = strcmp(built, runs) == 0;
    printf("  %-14s built with %s, runs with %s%s\n", name, built, runs,
           same ? "" : "  <- not the same: fingerprints may differ from another machine's");
    *odd += !same;
}

static unsigned print_libraries(void) {
    char built[VERSION_SIZE];
    unsigned odd = 0;
    print_library("SQLite", SQLITE_VERSION, sqlite3_libversion(), &odd);
    print_library("SQLite source", SQLITE_SOURCE_ID, sqlite3_sourceid(), &odd);
    print_library("libcurl", LIBCURL_VERSION, curl_version_info(CURLVERSION_NOW)->version, &odd);
    snprintf(built, sizeof built, "%x.%x.%x", (unsigned)MHD_VERSION >> 24,
             (unsigned)MHD_VERSION >> 16 & 0xff, (unsigned)MHD_VERSION >> 8 & 0xff);
    print_library("libmicrohttpd", built, MHD_get_version(), &odd);
    snprintf(built, sizeof built, "%d.%d.%d", CJSON_VERSION_MAJOR, CJSON_VERSION_MINOR,
             CJSON_VERSION_PATCH);
    print_library("cJSON", built, cJSON_Version(), &odd);
    return odd;
}

/* No time of any real clock. */
#define SOME_NS INT64_C(1234567890123456789)

static int64_t some_time(void *ctx) {
    (void)ctx;
    return SOME_NS;
}

/* Whether libraries that ask for the time while a life runs on the wire are given ours. libcurl
 * tells by the time-out it measures, but what all of them call is this one function. */
static bool clock_is_ours(struct wire *wire) {
    struct port port = {.now = some_time};
    const struct wire_exchange exchange = {0};
    struct timespec wall = {0}, steady = {0};
    wire_begin(wire, &port, &exchange);
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &steady);
    wire_end(wire);
    return wall.tv_sec * INT64_C(1000000000) + wall.tv_nsec == SOME_NS &&
           steady.tv_sec == wall.tv_sec && steady.tv_nsec == wall.tv_nsec;
}

static bool print_clock(struct suite *suite) {
    struct wire *wire = suite_wire(suite);
    bool ours = wire != NULL && clock_is_ours(wire);
    printf("  %-14s %s\n", "clock_gettime",
           ours ? "interposed: virtual time while a life runs"
                : "NOT interposed: libraries see the real time");
    return ours;
}

static void print_surroundings(void) {
    static const char *const names[] = {"LC_ALL", "LANG", "TZ"};
    int flags = personality(0xffffffff);
    char aslr = '?';
    FILE *in = fopen("/proc/sys/kernel/randomize_va_space", "r");
    if (in != NULL) {
        aslr = (char)getc(in);
        fclose(in);
    }
    printf("  %-14s %s", "locale", setlocale(LC_ALL, NULL));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        printf(", %s=%s", names[i], getenv(names[i]) != NULL ? getenv(names[i]) : "(unset)");
    printf(" (none of them is read)\n");
    printf("  %-14s %s\n", "ASLR",
           aslr == '0' || (flags != -1 && (flags & ADDR_NO_RANDOMIZE) != 0)
               ? "off: other processes have the same addresses, and prove less"
               : "on: every process has other addresses");
}

/* ---- all of it ---- */

static void print_what_could_differ(struct suite *suite) {
    puts("what could make a run go another way:");
    if (!print_clock(suite))
        suite_worst(suite, EXIT_ENVIRONMENT);
    print_libraries();
    print_surroundings();
}

int command_doctor(const struct options *options, const char *program) {
    static const char *const everything[] = {"scenarios"};
    struct suite suite;
    struct suite_paths paths;
    unsigned long repeats = REPEATS;
    bool given = options->file_count > 0;
    if (!options_number("--repeats", options->value[OPTION_REPEATS], 1, REPEATS_MAX, &repeats) ||
        !suite_paths(given ? options->files : (const char **)(uintptr_t)everything,
                     given ? options->file_count : 1, &paths))
        return EXIT_MISTAKE;
    if (suite_open(&suite, options, program, SUITE_BOTH)) {
        if (options->value[OPTION_FINGERPRINTS] == NULL)
            print_what_could_differ(&suite);
        if (suite.exit_code == EXIT_PASS)
            repeats_run(&suite, &paths, repeats);
        suite_close(&suite);
    }
    suite_paths_free(&paths);
    return suite.exit_code;
}
