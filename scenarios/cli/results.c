/* Results together: what is done, what is missing, and what two of them come to. */
#include "scenarios/cli/results.h"

#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void results_open(struct results *results, struct work *work, const char *manifest,
                  const struct manifest *promised) {
    *results =
        (struct results){.work = *work, .manifest = manifest, .promised = *promised, .from = ""};
    *work = (struct work){0};
    results->records = check_zalloc(results->work.n + 1, sizeof *results->records);
}

void results_free(struct results *results) {
    for (size_t i = 0; i < results->work.n; i++)
        record_free(results->records[i]);
    free(results->records);
    free(results->shards);
    work_free(&results->work);
    *results = (struct results){0};
}

void results_add(struct results *results, struct suite *suite, struct record *record) {
    char *line = record_write(&results->work, record);
    cJSON *object = cJSON_Parse(line);
    char why[RECORD_WHY_SIZE] = "";
    struct record *read = record_read(&results->work, object, suite, why);
    CHECK(read != NULL);
    record_free(results->records[read->unit]);
    results->records[read->unit] = read;
    record_free(record);
    cJSON_Delete(object);
    cJSON_free(line);
}

/* ---- shards ---- */

static int by_place(const void *a, const void *b) {
    const struct work_shard *x = a, *y = b;
    if (x->of != y->of)
        return x->of < y->of ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

void results_add_shard(struct results *results, struct work_shard shard) {
    for (size_t i = 0; i < results->shard_count; i++) {
        if (by_place(&results->shards[i], &shard) == 0)
            return;
    }
    CHECK_ROOM(results->shards, results->shard_count, results->shard_cap,
               WORK_SHARDS_MAX * WORK_SHARDS_MAX);
    results->shards[results->shard_count++] = shard;
    qsort(results->shards, results->shard_count, sizeof *results->shards, by_place);
}

size_t results_done(const struct results *results) {
    size_t done = 0;
    for (size_t i = 0; i < results->work.n; i++)
        done += results->records[i] != NULL;
    return done;
}

bool results_complete(const struct results *results) {
    return results_done(results) == results->work.n;
}

static bool has_shard(const struct results *results, struct work_shard shard) {
    for (size_t i = 0; i < results->shard_count; i++) {
        if (by_place(&results->shards[i], &shard) == 0)
            return true;
    }
    return false;
}

void results_missing(const struct results *results, char text[RESULTS_WHY_SIZE]) {
    size_t used = 0;
    unsigned of = results->shard_count > 0 ? results->shards[0].of : 1;
    text[0] = '\0';
    if (results->shard_count == 0 || results->shards[results->shard_count - 1].of != of) {
        snprintf(text, RESULTS_WHY_SIZE, "%zu of %zu units",
                 results->work.n - results_done(results), results->work.n);
        return;
    }
    for (unsigned i = 1; i <= of && used < RESULTS_WHY_SIZE; i++) {
        struct work_shard shard = {i, of};
        if (!has_shard(results, shard))
            used += (size_t)snprintf(text + used, RESULTS_WHY_SIZE - used, "%sshard %u/%u",
                                     used > 0 ? ", " : "", i, of);
    }
}

/* ---- merging ---- */

static bool is_same(const struct results *all, const struct record *a, const struct record *b) {
    char *x = record_write(&all->work, a), *y = record_write(&all->work, b);
    bool same = strcmp(x, y) == 0;
    cJSON_free(x);
    cJSON_free(y);
    return same;
}

static int take_all(struct results *all, struct results *more, char *why) {
    for (size_t i = 0; i < all->work.n; i++) {
        if (more->records[i] == NULL)
            continue;
        if (all->records[i] == NULL) {
            all->records[i] = more->records[i];
            more->records[i] = NULL;
        } else if (!is_same(all, all->records[i], more->records[i])) {
            snprintf(why, RESULTS_WHY_SIZE,
                     "%.250s has another result of '%.200s' than an earlier file (the first was "
                     "%.250s): the same unit must come out the same everywhere",
                     more->from, all->work.v[i].id, all->from);
            return EXIT_NOT_REPEATABLE;
        }
    }
    for (size_t i = 0; i < more->shard_count; i++)
        results_add_shard(all, more->shards[i]);
    return EXIT_PASS;
}

int results_merge(struct results *all, struct results *more, char why[RESULTS_WHY_SIZE]) {
    int exit_code = EXIT_MISTAKE;
    if (all->work.digest != more->work.digest || all->work.n != more->work.n)
        snprintf(why, RESULTS_WHY_SIZE,
                 "%.300s is of plan %016" PRIx64 ", %.300s of plan %016" PRIx64
                 ": only results of the same scenarios, planted bugs, options and sources can be "
                 "merged",
                 all->from, all->work.digest, more->from, more->work.digest);
    else
        exit_code = take_all(all, more, why);
    if (exit_code == EXIT_PASS && results_complete(all)) {
        all->shard_count = 0;
        results_add_shard(all, (struct work_shard){1, 1});
    }
    results_free(more);
    return exit_code;
}
