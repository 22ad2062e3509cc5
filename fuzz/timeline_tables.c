/* The tables, and both ways through them. */
#include "fuzz/timeline_tables.h"

#include "scenarios/lang/ast.h"
#include "sim/check.h"
#include "sim/disk_profile.h"

#define MS     (TIMELINE_SECOND / 1000)
#define MINUTE (60 * TIMELINE_SECOND)

const char *const timeline_symbols[TIMELINE_SYMBOLS] = {"AAPL", "MSFT", "BRK.B"};
const int64_t timeline_paces[TIMELINE_PACES] = {0, 200 * MS, TIMELINE_SECOND};
const int64_t timeline_checkpoints[TIMELINE_CHECKPOINTS] = {0, 4, 12};

const int64_t timeline_batches[TIMELINE_SIZES] = {2, 3, 16};
const int64_t timeline_percents[TIMELINE_SIZES] = {1, 10, 50};
const int64_t timeline_archives[TIMELINE_SIZES] = {1, 2, 6};
const char *const timeline_words[TIMELINE_WORDS] = {"order not found", "Not Found", ""};

const int64_t timeline_durations[TIMELINE_DURATIONS] = {
    0,
    MS,
    200 * MS,
    TIMELINE_SECOND,
    2 * TIMELINE_SECOND, /* between two polls */
    3 * TIMELINE_SECOND,
    4 * TIMELINE_SECOND,
    5 * TIMELINE_SECOND, /* time-out, grace */
    10 * TIMELINE_SECOND,
    15 * TIMELINE_SECOND,
    20 * TIMELINE_SECOND, /* quiescence */
    25 * TIMELINE_SECOND, /* time-out and quiescence */
    27500 * MS,
    30 * TIMELINE_SECOND,
    MINUTE, /* how far back a look at the broker goes */
    61 * TIMELINE_SECOND,
    5 * MINUTE,
    TIMELINE_HOUR,
    23 * TIMELINE_HOUR, /* retention less its margin */
    25 * TIMELINE_HOUR,
};
const int64_t timeline_stalls[TIMELINE_STALLS] = {
    TIMELINE_SECOND,
    4 * TIMELINE_SECOND,
    6 * TIMELINE_SECOND,
    19 * TIMELINE_SECOND,
    21 * TIMELINE_SECOND,
    26 * TIMELINE_SECOND,
    MINUTE,
    10 * MINUTE,
};

size_t timeline_profiles(void) {
    size_t n = 0;
    while (profile_at(n) != NULL)
        n++;
    return n;
}

size_t timeline_disks(void) {
    size_t n = 0;
    while (disk_profile_at(n) != NULL)
        n++;
    return n;
}

/* ---- rows of the catalogue ---- */

/* Rows that need no wire, in the order of the catalogue; found once. */
static struct {
    size_t count;
    const struct fault_kind *rows[FAULT_ROWS_MAX];
} dry;

static void find_dry_rows(void) {
    for (size_t i = 0; i < catalogue_count(); i++) {
        if (!catalogue_at(i)->wire_only)
            dry.rows[dry.count++] = catalogue_at(i);
    }
    CHECK(dry.count > 0);
}

size_t timeline_fault_rows(void) {
    if (dry.count == 0)
        find_dry_rows();
    return dry.count;
}

const struct fault_kind *timeline_fault(uint8_t value) {
    size_t count = timeline_fault_rows();
    return dry.rows[value % count];
}

uint8_t timeline_fault_value(const struct fault_kind *kind) {
    for (size_t i = 0; i < timeline_fault_rows(); i++) {
        if (dry.rows[i] == kind)
            return (uint8_t)i;
    }
    return 0;
}

/* The n-th site that a row fits. False: there are fewer. */
static bool fitting_site(const struct fault_kind *kind, size_t n, struct site *site) {
    for (unsigned on = 0; on < SITE_OBJECT_COUNT; on++) {
        *site = (struct site){kind->op, (enum site_object)on};
        if (catalogue_fits(kind, *site) && n-- == 0)
            return true;
    }
    return false;
}

struct site timeline_fault_site(const struct fault_kind *kind, uint8_t value) {
    struct site site;
    size_t count = 0;
    while (fitting_site(kind, count, &site))
        count++;
    CHECK(count > 0);
    CHECK(fitting_site(kind, value % count, &site));
    return site;
}

uint8_t timeline_fault_site_value(const struct fault_kind *kind, struct site site) {
    struct site other;
    for (size_t i = 0; fitting_site(kind, i, &other); i++) {
        if (other.on == site.on)
            return (uint8_t)i;
    }
    return 0;
}

/* ---- sites of crashes ---- */

static bool is_crash_site(struct site site) {
    return site_is_valid(site) && site.op != SITE_DISK_STAT && site.op != SITE_DISK_REST &&
           site.op != SITE_WIRE_REQUEST && site.op != SITE_WIRE_REPLY;
}

/* In the order of their numbers; found once. */
static struct {
    size_t count;
    struct site sites[SITE_COUNT];
} crashes;

static void find_crash_sites(void) {
    for (unsigned i = 0; i < SITE_COUNT; i++) {
        struct site site = {i / SITE_OBJECT_COUNT, i % SITE_OBJECT_COUNT};
        if (is_crash_site(site))
            crashes.sites[crashes.count++] = site;
    }
    CHECK(crashes.count > 0);
}

struct site timeline_crash_site(uint8_t value) {
    if (crashes.count == 0)
        find_crash_sites();
    return crashes.sites[value % crashes.count];
}

uint8_t timeline_crash_site_value(struct site site) {
    for (size_t i = 0; i <= UINT8_MAX; i++) {
        if (site_index(timeline_crash_site((uint8_t)i)) == site_index(site))
            return (uint8_t)i;
    }
    return 0;
}

/* ---- durations ---- */

static uint8_t longest(const int64_t *table, size_t count, int64_t ns) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        if (table[i] <= ns)
            best = i;
    }
    return (uint8_t)best;
}

uint8_t timeline_duration_value(int64_t ns) {
    return longest(timeline_durations, TIMELINE_DURATIONS, ns);
}

uint8_t timeline_stall_value(int64_t ns) {
    return longest(timeline_stalls, TIMELINE_STALLS, ns);
}
