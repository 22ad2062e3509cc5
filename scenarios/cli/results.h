/* Result folders: what came of the units of one list of work, in files that any machine can merge.
 *
 * A file holds the whole list, who did what of it, and what came of that: one JSON document, a unit
 * a line, the same bytes whoever made it. It appears under its name whole or not at all. */
#ifndef SCENARIOS_CLI_RESULTS_H
#define SCENARIOS_CLI_RESULTS_H

#include "scenarios/cli/manifest.h"
#include "scenarios/cli/record.h"
#include "scenarios/cli/suite.h"
#include "scenarios/cli/work.h"

enum { RESULTS_VERSION = 1, RESULTS_WHY_SIZE = 1000 };

struct results {
    struct work work;
    const char *manifest; /* its path, for messages; the suite's */
    struct manifest promised;
    struct work_shard *shards; /* that are in it, sorted; all of them together are 1/1 */
    size_t shard_count, shard_cap;
    struct record **records; /* a unit's, by its place in the list; NULL: not done */
    const char *from;        /* the file it was read from first; "" for our own */
};

/* Takes over the list of work; no unit is done. Release with results_free. */
void results_open(struct results *results, struct work *work, const char *manifest,
                  const struct manifest *promised);
void results_free(struct results *results);
/* Takes over the record. It goes through its written form, so that it is what any reader would
 * get. */
void results_add(struct results *results, struct suite *suite, struct record *record);
void results_add_shard(struct results *results, struct work_shard shard);
bool results_complete(const struct results *results);
size_t results_done(const struct results *results); /* units */
/* "2/3, 3/3": shards that nobody did, as far as all files agree on how many there are; otherwise how
 * many units are missing. */
void results_missing(const struct results *results, char text[RESULTS_WHY_SIZE]);

/* Writes "results-I-of-N.json" into the folder, which is made when it is not there. False: `why`
 * says which file, and what failed. */
bool results_write(const struct results *results, const char *folder, char why[RESULTS_WHY_SIZE]);
/* Reads one file. False: `why` names the file, the place and what is wrong. */
bool results_read(const char *path, struct suite *suite, struct results *results,
                  char why[RESULTS_WHY_SIZE]);
/* Adds what `more` has; it is empty then. EXIT_MISTAKE: they are of different lists of work;
 * EXIT_NOT_REPEATABLE: the same unit came out in two ways; `why` names both files. */
int results_merge(struct results *all, struct results *more, char why[RESULTS_WHY_SIZE]);

/* Every results file of a folder, sorted. False: said on standard error. */
bool results_in(const char *folder, struct suite_paths *paths);
/* A folder that holds results of another list of work is refused: false, and `why` names both. */
bool results_fit(const char *folder, struct suite *suite, const struct work *work,
                 char why[RESULTS_WHY_SIZE]);

#endif
