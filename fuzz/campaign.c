/* Playing many seeds: processes that take the next few seeds until none is left. */
#include "fuzz/campaign.h"

#include "fuzz/generate.h"
#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 32, LOOK_EVERY_NS = 20 * 1000 * 1000 };

/* One process, as all see it. */
struct worker {
    pid_t pid; /* 0: it has ended; the parent's own business */
    struct coverage coverage;
    uint64_t next, end; /* places of the seeds it has taken and not played */
    uint64_t playing;   /* the place of the one under way */
    uint64_t hit_count;
    size_t hits_kept;
    struct campaign_hit hits[CAMPAIGN_HITS_MAX]; /* the lowest, in no order */
    uint64_t repeated, unrepeatable, unrepeatable_seed;
    uint64_t canaries, caught;
    char why[SUT_WHY_SIZE];
};

struct board {
    _Atomic uint64_t taken;  /* places that were handed out */
    _Atomic uint64_t played; /* for progress only */
    _Atomic bool stopped;
    struct worker workers[CAMPAIGN_JOBS_MAX];
};

/* ---- which seeds ---- */

static uint64_t lowest_seed(const struct campaign_options *options) {
    uint64_t wanted = options->shard - 1, rest = options->first % options->shards;
    return options->first + (wanted + options->shards - rest) % options->shards;
}

uint64_t campaign_seed(const struct campaign_options *options, uint64_t place) {
    return lowest_seed(options) + place * options->shards;
}

static uint64_t place_of(const struct campaign_options *options, uint64_t seed) {
    return (seed - lowest_seed(options)) / options->shards;
}

static uint64_t seed_count(const struct campaign_options *options) {
    uint64_t lowest = lowest_seed(options);
    return lowest > options->last || lowest < options->first
               ? 0
               : (options->last - lowest) / options->shards + 1;
}

/* ---- playing one ---- */

/* The lowest seeds are kept, whoever met them and when. */
static void keep_hit(struct campaign_hit hits[CAMPAIGN_HITS_MAX], size_t *kept,
                     struct campaign_hit hit) {
    size_t highest = 0;
    if (*kept < CAMPAIGN_HITS_MAX) {
        hits[(*kept)++] = hit;
        return;
    }
    for (size_t i = 1; i < *kept; i++) {
        if (hits[i].seed > hits[highest].seed)
            highest = i;
    }
    if (hit.seed < hits[highest].seed)
        hits[highest] = hit;
}

static void note_hit(struct worker *worker, uint64_t seed, int invariant) {
    worker->hit_count++;
    keep_hit(worker->hits, &worker->hits_kept, (struct campaign_hit){seed, invariant});
}

static bool play_canary(const struct campaign_options *options, struct worker *worker,
                        uint64_t place, const struct timeline *timeline) {
    struct timeline_end end;
    if (options->canary == NULL ||
        (place >= options->canaries && place % CAMPAIGN_CANARY_EVERY != 0))
        return true;
    if (!timeline_play(timeline, options->canary, &end)) {
        memcpy(worker->why, end.why, sizeof worker->why);
        return false;
    }
    worker->canaries++;
    worker->caught += end.invariant != 0;
    return true;
}

static bool play_seed(const struct campaign_options *options, struct worker *worker, uint64_t place,
                      uint64_t *fingerprint) {
    static struct timeline_notes notes;
    struct timeline timeline;
    struct timeline_end end;
    uint64_t seed = campaign_seed(options, place);
    worker->playing = place;
    memset(&notes, 0, sizeof notes);
    generate_timeline(seed, &timeline);
    if (!timeline_play_noting(&timeline, options->sut, &notes, &end)) {
        memcpy(worker->why, end.why, sizeof worker->why);
        return false;
    }
    coverage_note(&worker->coverage, seed, &timeline, &end, &notes);
    *fingerprint = end.fingerprint;
    if (end.invariant != 0)
        note_hit(worker, seed, end.invariant);
    return play_canary(options, worker, place, &timeline);
}

/* (3) */
static bool repeat_seed(const struct campaign_options *options, struct worker *worker,
                        uint64_t place, uint64_t fingerprint) {
    struct timeline timeline;
    struct timeline_end end;
    uint64_t seed = campaign_seed(options, place);
    worker->playing = place;
    generate_timeline(seed, &timeline);
    if (!timeline_play(&timeline, options->sut, &end)) {
        memcpy(worker->why, end.why, sizeof worker->why);
        return false;
    }
    worker->repeated++;
    if (end.fingerprint == fingerprint)
        return true;
    if (worker->unrepeatable++ == 0 || seed < worker->unrepeatable_seed)
        worker->unrepeatable_seed = seed;
    return true;
}

/* ---- one process ---- */

static bool is_repeated(const struct campaign_options *options, uint64_t place) {
    return options->repeat_every > 0 && place % options->repeat_every == 0;
}

/* (5) What is left of the worker's seeds is above the one that it knows to break something. */
static bool has_enough(const struct campaign_options *options, const struct worker *worker) {
    return options->first_only && worker->hit_count > 0;
}

/* From worker->next on, which is moved before each seed is played: who comes after a process that
 * broke goes on behind the seed at which it did. */
static bool play_chunk(const struct campaign_options *options, struct board *board,
                       struct worker *worker) {
    uint64_t fingerprints[CHUNK] = {0};
    uint64_t from = worker->next;
    while (worker->next < worker->end && !has_enough(options, worker)) {
        uint64_t place = worker->next++;
        if (!play_seed(options, worker, place, &fingerprints[place - from]))
            return false;
        atomic_fetch_add(&board->played, 1);
    }
    for (uint64_t place = from; place < worker->next; place++) {
        if (is_repeated(options, place) &&
            !repeat_seed(options, worker, place, fingerprints[place - from]))
            return false;
    }
    return true;
}

static bool take_chunk(struct board *board, struct worker *worker, uint64_t count) {
    if (atomic_load(&board->stopped))
        return false;
    worker->next = atomic_fetch_add(&board->taken, CHUNK);
    worker->end = worker->next + CHUNK < count ? worker->next + CHUNK : count;
    if (worker->next < count)
        return true;
    worker->next = worker->end = count;
    return false;
}

static _Noreturn void work(const struct campaign_options *options, struct board *board,
                           struct worker *worker) {
    uint64_t count = seed_count(options);
    bool good = true;
    do {
        good = play_chunk(options, board, worker);
        if (has_enough(options, worker))
            atomic_store(&board->stopped, true);
    } while (good && take_chunk(board, worker, count));
    _exit(good ? EXIT_PASS : EXIT_ENVIRONMENT);
}

static bool start(const struct campaign_options *options, struct board *board,
                  struct worker *worker, char why[SUT_WHY_SIZE]) {
    pid_t pid = -1;
    fflush(NULL);
    pid = fork();
    if (pid == 0)
        work(options, board, worker);
    if (pid > 0) {
        worker->pid = pid;
        return true;
    }
    snprintf(why, SUT_WHY_SIZE, "no process could be started: %s", strerror(errno));
    return false;
}

/* ---- all of them ---- */

/* (2). False: the environment failed. */
static bool see_off(const struct campaign_options *options, struct board *board,
                    struct worker *worker, int status, char why[SUT_WHY_SIZE]) {
    worker->pid = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_PASS)
        return true;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_ENVIRONMENT && worker->why[0] != '\0') {
        memcpy(why, worker->why, SUT_WHY_SIZE);
        return false;
    }
    note_hit(worker, campaign_seed(options, worker->playing), CAMPAIGN_PROGRAM_BROKE);
    return start(options, board, worker, why);
}

/* Waits for one process, or a moment. */
static bool look(const struct campaign_options *options, struct board *board, unsigned *running,
                 char why[SUT_WHY_SIZE]) {
    static const struct timespec moment = {.tv_nsec = LOOK_EVERY_NS};
    bool good = true;
    for (unsigned i = 0; i < options->jobs; i++) {
        struct worker *worker = &board->workers[i];
        int status = 0;
        if (worker->pid == 0 || waitpid(worker->pid, &status, WNOHANG) != worker->pid)
            continue;
        good = see_off(options, board, worker, status, why) && good;
        *running -= worker->pid == 0;
    }
    if (*running > 0)
        nanosleep(&moment, NULL);
    return good;
}

static bool run_all(const struct campaign_options *options, struct board *board, uint64_t count,
                    char why[SUT_WHY_SIZE]) {
    unsigned running = 0;
    bool good = true;
    for (unsigned i = 0; i < options->jobs && good; i++) {
        if (!take_chunk(board, &board->workers[i], count))
            break;
        good = start(options, board, &board->workers[i], why);
        running += good;
    }
    while (running > 0) {
        good = look(options, board, &running, why) && good;
        if (!good || (options->stop != NULL &&
                      options->stop(options->ctx, atomic_load(&board->played), count)))
            atomic_store(&board->stopped, true);
    }
    return good;
}

static int by_seed(const void *a, const void *b) {
    const struct campaign_hit *one = a, *other = b;
    return (one->seed > other->seed) - (one->seed < other->seed);
}

static void gather(const struct board *board, unsigned jobs, struct campaign_result *result) {
    size_t kept = 0;
    for (unsigned i = 0; i < jobs; i++) {
        const struct worker *worker = &board->workers[i];
        coverage_add(&result->coverage, &worker->coverage);
        for (size_t k = 0; k < worker->hits_kept; k++)
            keep_hit(result->hits, &kept, worker->hits[k]);
        if (worker->unrepeatable > 0 &&
            (result->unrepeatable == 0 || worker->unrepeatable_seed < result->unrepeatable_seed))
            result->unrepeatable_seed = worker->unrepeatable_seed;
        result->hit_count += worker->hit_count;
        result->repeated += worker->repeated;
        result->unrepeatable += worker->unrepeatable;
        result->canaries += worker->canaries;
        result->caught += worker->caught;
    }
    qsort(result->hits, kept, sizeof *result->hits, by_seed);
}

bool campaign_run(const struct campaign_options *options, struct campaign_result *result) {
    struct board *board =
        mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t taken = 0;
    bool good = true;
    CHECK(options->jobs >= 1 && options->jobs <= CAMPAIGN_JOBS_MAX);
    CHECK(options->shard >= 1 && options->shard <= options->shards);
    *result = (struct campaign_result){.seeds = seed_count(options)};
    if (board == MAP_FAILED) {
        snprintf(result->why, sizeof result->why, "no memory to share: %s", strerror(errno));
        return false;
    }
    good = run_all(options, board, result->seeds, result->why);
    gather(board, options->jobs, result);
    taken = atomic_load(&board->taken);
    if (options->first_only && result->hit_count > 0)
        taken = place_of(options, result->hits[0].seed) + 1;
    result->played = taken < result->seeds ? taken : result->seeds;
    result->left = campaign_seed(options, result->played);
    munmap(board, sizeof *board);
    return good;
}
