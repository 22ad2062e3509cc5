/* What the bytes of a timeline pick from; nobody outside fuzz includes it. */
#ifndef FUZZ_TIMELINE_TABLES_H
#define FUZZ_TIMELINE_TABLES_H

#include "faultinject/catalogue.h"

#include <stddef.h>
#include <stdint.h>

#define TIMELINE_SECOND INT64_C(1000000000)
#define TIMELINE_HOUR   (3600 * TIMELINE_SECOND)

enum {
    TIMELINE_SYMBOLS = 3,
    TIMELINE_TIFS = 6, /* all of broker.h */
    TIMELINE_PACES = 3,
    TIMELINE_CHECKPOINTS = 3,
    TIMELINE_DURATIONS = 20,
    TIMELINE_STALLS = 8,
    TIMELINE_SIZES = 3,
    TIMELINE_WORDS = 3,
    TIMELINE_OLD_STORE = 3,
    TIMELINE_CALLS = 32 /* a crash or fault strikes at one of so many calls from its line on */
};

extern const char *const timeline_symbols[TIMELINE_SYMBOLS];
extern const int64_t timeline_paces[TIMELINE_PACES];
extern const int64_t timeline_checkpoints[TIMELINE_CHECKPOINTS]; /* 0: the OMS's own choice */
/* Nothing first; then what lies around the thresholds of core and profiles. */
extern const int64_t timeline_durations[TIMELINE_DURATIONS];
/* How long calls stall and requests are late: whole milliseconds, 1 s to 10 min. */
extern const int64_t timeline_stalls[TIMELINE_STALLS];

/* What a record of settings picks. New ones go to the end. */
enum timeline_setting {
    SETTING_BATCH,
    SETTING_SELF_HEAL,
    SETTING_ARCHIVE,
    SETTING_STORE_VERSION,
    SETTING_BURNS_IDS,
    SETTING_KEEPS_IDS,
    SETTING_SAYS,
    SETTING_FILLS_ALL,
    TIMELINE_SETTING_COUNT
};
extern const int64_t timeline_batches[TIMELINE_SIZES];   /* signals */
extern const int64_t timeline_percents[TIMELINE_SIZES];  /* of self-healing */
extern const int64_t timeline_archives[TIMELINE_SIZES];  /* orders that stay */
extern const char *const timeline_words[TIMELINE_WORDS]; /* a broker's for what it does not know */

size_t timeline_profiles(void);
size_t timeline_disks(void);
/* Rows of the catalogue that need no wire: how many, and by number. Sites that a row fits. Any value is
 * right. */
size_t timeline_fault_rows(void);
const struct fault_kind *timeline_fault(uint8_t value);
struct site timeline_fault_site(const struct fault_kind *kind, uint8_t value);
/* Calls at which a crash may leave something else than at their neighbours. */
struct site timeline_crash_site(uint8_t value);

/* The other way: the smallest value that picks it; 0 when none does. */
uint8_t timeline_fault_value(const struct fault_kind *kind);
uint8_t timeline_fault_site_value(const struct fault_kind *kind, struct site site);
uint8_t timeline_crash_site_value(struct site site);
/* The longest of a table that is not longer. */
uint8_t timeline_duration_value(int64_t ns);
uint8_t timeline_stall_value(int64_t ns);

#endif
