/* The fuzz target: bytes are a timeline, and a broken invariant is a crash. */
#include "fuzz/target.h"

#include "fuzz/finding.h"
#include "fuzz/timeline_tables.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"
#include "sim/disk.h"
#include "sim/peek.h"
#include "sim/sut/sut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAP_SIZE_MAX = 1 << 23 };

static bool playing;

/* The harness and the OMS have no business to end the program: an exit in the middle of a timeline
 * (a CHECK, an OMS that goes on for ever after its death) is a finding. */
static void no_exit(void) {
    if (playing)
        abort();
}

const struct sut *target_oms(void) {
    const char *name = getenv("FUZZ_OMS");
    char why[SUT_WHY_SIZE];
    const struct sut *sut = &sut_core;
    if (name != NULL && name[0] != '\0')
        sut = strchr(name, '/') != NULL ? sut_load(name, why) : sut_find(name);
    if (sut != NULL)
        return sut;
    fprintf(stderr, "fuzz: FUZZ_OMS=%s: %s\n", name,
            strchr(name, '/') != NULL ? why
                                      : "no such OMS; it is core, seed-protocol or ./FILE.so");
    exit(EXIT_ENVIRONMENT);
}

/* AFL++'s map of what ran, when it is its compiler that built this. */
extern unsigned char *__afl_area_ptr __attribute__((weak));
extern unsigned __afl_map_size __attribute__((weak));
static unsigned char *before_look;

static size_t map_size(void) {
    CHECK(__afl_map_size <= MAP_SIZE_MAX);
    return __afl_map_size;
}

/* The judge's looks at the store are remembered from one timeline to the next, which makes the
 * target faster by half; what they run is put out of the map, so that it does not tell. */
static void hide_look(bool begins) {
    if (begins)
        memcpy(before_look, __afl_area_ptr, map_size());
    else
        memcpy(__afl_area_ptr, before_look, map_size());
}

static const struct sut *sut;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    char why[SUT_WHY_SIZE];
    (void)argc, (void)argv;
    sut = target_oms();
    disk_vfs_register();
    if (!timeline_make_stores(sut, why)) {
        fprintf(stderr, "fuzz: no store could be made: %s\n", why);
        exit(EXIT_ENVIRONMENT);
    }
    /* Tables that are found once are found now: a first timeline takes no other way than a second. */
    timeline_fault_rows();
    timeline_crash_site(0);
    if (&__afl_area_ptr != NULL && &__afl_map_size != NULL) {
        before_look = check_alloc(MAP_SIZE_MAX);
        peek_watch = hide_look;
    }
    atexit(no_exit);
    return 0;
}

/* Told as it is: to shrink it takes longer than a fuzzer waits for a target. */
static _Noreturn void tell(const struct timeline *timeline) {
    struct finding finding;
    const char *oms = getenv("FUZZ_OMS");
    if (!finding_make(timeline, sut, false, &finding))
        fprintf(stderr, "fuzz: the same timeline took another path when it was repeated\n");
    else {
        finding_headline(&finding.end, stderr);
        fwrite(finding.scenario, 1, finding.scenario_length, stderr);
        fputs("again, once this is saved as found.scn: ", stderr);
        finding_command(&finding, "found.scn", oms, stderr);
    }
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct timeline timeline;
    struct timeline_end end;
    bool played = false;
    timeline_read(&timeline, data, size);
    playing = true;
    played = timeline_play(&timeline, sut, &end);
    playing = false;
    if (!played) {
        fprintf(stderr, "fuzz: %s\n", end.why);
        abort();
    }
    if (end.invariant != 0)
        tell(&timeline);
    return 0;
}
