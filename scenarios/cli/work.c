/* What a gate is to do: the list, its digest, and whose part is what. */
#include "scenarios/cli/work.h"

#include "scenarios/cli/bug.h"
#include "scenarios/cli/known_bad.h"
#include "scenarios/cli/numbers.h"
#include "scenarios/cli/sweep.h"
#include "scenarios/cli/version.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"
#include "sim/hash.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { UNITS_MAX = 1000000, ID_SIZE = 4400, SAMPLE_EVERY = 8, SEEDS_A_UNIT = 250 };

static const char *const words[] = {
#define X(id, word, meaning) word,
    WORK_KINDS(X)
#undef X
};

const char *work_kind_word(enum work_kind kind) {
    return words[kind];
}

bool work_shard_parse(const char *text, struct work_shard *shard) {
    unsigned index = 0, of = 0;
    int used = 0;
    if (strspn(text, "0123456789/") != strlen(text) ||
        sscanf(text, "%4u/%4u%n", &index, &of, &used) != 2 || text[used] != '\0')
        return false;
    *shard = (struct work_shard){index, of};
    return index >= 1 && index <= of && of <= WORK_SHARDS_MAX;
}

bool work_is_of(const struct work_unit *unit, struct work_shard shard) {
    return unit->turn % shard.of + 1 == shard.index;
}

/* ---- names ---- */

/* Kinds of crash are explored together. */
static bool has_crash_kind(enum work_kind kind, const struct scenario *scenario) {
    return kind != WORK_EXPLORE && scenario->uses_default_crash;
}

static void name_unit(enum work_kind kind, const char *path, const struct scenario *scenario,
                      const struct run_config *config, char id[ID_SIZE]) {
    bool crash = scenario != NULL && has_crash_kind(kind, scenario);
    if (scenario == NULL)
        snprintf(id, ID_SIZE, "%s %s", words[kind], path);
    else
        snprintf(id, ID_SIZE, "%s %s:%d [%s, %s%s%s]", words[kind], path, scenario->place.line,
                 config->profile->name,
                 crash ? scn_crash_kind_name((enum scn_crash_kind)config->crash_kind) : "",
                 crash ? ", " : "", config->door == STAGE_WIRE ? "wire" : "direct");
}

const struct work_unit *work_find_id(const struct work *work, const char *id) {
    for (size_t i = 0; i < work->n; i++) {
        if (strcmp(work->v[i].id, id) == 0)
            return &work->v[i];
    }
    return NULL;
}

const struct work_unit *work_find(const struct work *work, enum work_kind kind, const char *path,
                                  const struct scenario *scenario,
                                  const struct run_config *config) {
    char id[ID_SIZE];
    name_unit(kind, path, scenario, config, id);
    return work_find_id(work, id);
}

/* ---- the list ---- */

void work_add_read(struct work *work, struct work_unit unit) {
    CHECK_ROOM(work->v, work->n, work->cap, UNITS_MAX);
    work->v[work->n] = unit;
    work->v[work->n].id = strdup(unit.id);
    work->v[work->n].path = strdup(unit.path);
    CHECK(work->v[work->n].id != NULL && work->v[work->n].path != NULL);
    work->n++;
}

static void add(struct work *work, enum work_kind kind, const char *path,
                const struct scenario *scenario, const struct run_config *config) {
    char id[ID_SIZE];
    name_unit(kind, path, scenario, config, id);
    if (work_find_id(work, id) != NULL)
        return; /* kinds of crash that this kind of unit takes together */
    work_add_read(work, (struct work_unit){.kind = kind,
                                           .id = id,
                                           .path = path,
                                           .line = scenario != NULL ? scenario->place.line : 0});
}

struct listing {
    struct work *work;
    enum work_kind kind;
    size_t quantified; /* so far */
};

/* Told scenarios are all repeated, of the others every few. */
static bool is_sampled(struct listing *listing, const struct scenario *scenario) {
    return !scenario->quantified || listing->quantified++ % SAMPLE_EVERY == 0;
}

static void list_one(void *ctx, const char *path, const struct scenario *scenario,
                     const struct run_config *config) {
    struct listing *listing = ctx;
    bool again = scenario->depth == SCN_AGAIN, wanted = false;
    switch (listing->kind) {
    case WORK_RUN:
        wanted = !again;
        break;
    case WORK_REPEAT:
        wanted = !again && is_sampled(listing, scenario);
        break;
    case WORK_EXPLORE:
        wanted = again;
        break;
    case WORK_SWEEP:
        wanted = sweep_is_tagged(scenario);
        break;
    case WORK_BUG:
    case WORK_SEEDS:
    case WORK_KNOWN_BAD:
    case WORK_KIND_COUNT:
        break;
    }
    if (wanted)
        add(listing->work, listing->kind, path, scenario, config);
}

static void hash_scenarios(struct work *work, const struct scenario_file *file) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    CHECK(out != NULL);
    scenario_print(file, out);
    CHECK(fclose(out) == 0);
    work->digest = hash_bytes(work->digest, text, size);
    free(text);
}

/* A file that cannot be read has a digest of its own. */
static void hash_file(struct work *work, const char *path) {
    char chunk[4096];
    size_t n = 0;
    FILE *in = fopen(path, "r");
    work->digest = hash_u64(work->digest, in != NULL);
    while (in != NULL && (n = fread(chunk, 1, sizeof chunk, in)) > 0)
        work->digest = hash_bytes(work->digest, chunk, n);
    if (in != NULL)
        fclose(in);
}

/* What a bug is known by is written in comments: its file counts as it is. */
static bool list_bugs(struct work *work, const char *base) {
    struct bugs bugs;
    bool loaded = bugs_load(base, &bugs);
    for (size_t i = 0; i < bugs.n && loaded; i++) {
        add(work, WORK_BUG, bugs.v[i].path, NULL, NULL);
        hash_file(work, bugs.v[i].path);
    }
    bugs_free(&bugs);
    return loaded;
}

static void list_seeds(struct work *work, const struct manifest *manifest, const char *path) {
    for (uint64_t first = manifest->first_seed; first <= manifest->last_seed;
         first += SEEDS_A_UNIT) {
        uint64_t left = manifest->last_seed - first;
        char id[64];
        snprintf(id, sizeof id, "%s %" PRIu64 "..%" PRIu64, words[WORK_SEEDS], first,
                 first + (left < SEEDS_A_UNIT ? left : SEEDS_A_UNIT - 1));
        work_add_read(
            work, (struct work_unit){
                      .kind = WORK_SEEDS, .id = id, .path = path, .line = manifest->seeds_line});
    }
}

bool work_seeds(const struct work_unit *unit, uint64_t *first, uint64_t *last) {
    return unit->kind == WORK_SEEDS &&
           number_read_range(unit->id + strlen(words[WORK_SEEDS]) + 1, first, last);
}

static bool list_planted(void *ctx, const char *path) {
    struct work *work = ctx;
    add(work, WORK_KNOWN_BAD, path, NULL, NULL);
    hash_file(work, path);
    return false; /* listed, not tried */
}

static void hash_options(struct work *work, const struct options *options) {
    const char *oms = options->value[OPTION_OMS];
    const char *claims = options->value[OPTION_CLAIMS];
    work->digest = hash_text(work->digest, CRASHGATE_VERSION);
    work->digest = hash_text(work->digest, version_sources());
    work->digest = hash_text(work->digest, oms != NULL ? oms : "");
    work->digest = hash_text(work->digest, claims != NULL ? claims : "");
    work->digest = hash_u64(work->digest, options->has_seed ? options->seed + 1 : 0);
    if (oms != NULL && strchr(oms, '/') != NULL)
        hash_file(work, oms);
}

/* A repeat is made by whoever made the first. */
static void take_turns(struct work *work) {
    for (size_t i = 0; i < work->n; i++) {
        struct work_unit *unit = &work->v[i];
        const struct work_unit *first = NULL;
        if (unit->kind == WORK_REPEAT) {
            char id[ID_SIZE];
            snprintf(id, sizeof id, "%s%s", words[WORK_RUN], unit->id + strlen(words[WORK_REPEAT]));
            first = work_find_id(work, id);
            CHECK(first != NULL);
        }
        unit->turn = first != NULL ? first->turn : (unsigned)i;
        work->digest = hash_text(work->digest, unit->id);
    }
}

static void list_files(struct suite *suite, const struct suite_paths *paths, enum work_kind kind,
                       struct work *work) {
    struct listing listing = {.work = work, .kind = kind};
    for (size_t i = 0; i < paths->n; i++) {
        struct scenario_file file;
        suite_pick(suite, paths->v[i], list_one, &listing, &file);
        if (kind == WORK_RUN)
            hash_scenarios(work, &file);
        scenario_free(&file);
    }
}

bool work_list(struct suite *suite, const struct work_sources *from, struct work *work) {
    static const enum work_kind kinds[] = {WORK_RUN, WORK_REPEAT, WORK_EXPLORE, WORK_SWEEP};
    struct known_bad_each planted = {.wanted = list_planted, .ctx = work};
    *work = (struct work){0};
    hash_options(work, suite->options);
    hash_file(work, from->manifest_path);
    if (!list_bugs(work, from->base))
        suite_worst(suite, EXIT_MISTAKE);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && suite->exit_code == EXIT_PASS; i++)
        list_files(suite, from->paths, kinds[i], work);
    list_seeds(work, from->manifest, from->manifest_path);
    if (suite->exit_code == EXIT_PASS)
        known_bad_run(suite, &(struct known_bad_ask){.sample = true, .each = &planted});
    suite->scenario_count = 0;
    if (suite->exit_code == EXIT_PASS)
        take_turns(work);
    return suite->exit_code == EXIT_PASS;
}

void work_free(struct work *work) {
    for (size_t i = 0; i < work->n; i++) {
        free((void *)work->v[i].id);
        free((void *)work->v[i].path);
    }
    free(work->v);
    *work = (struct work){0};
}
