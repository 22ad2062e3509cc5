/* Units of work become tasks. */
#include "scenarios/cli/gate_tasks.h"

#include "scenarios/lang/exits.h"
#include "sim/check.h"

#include <stdlib.h>

enum { TASKS_MAX = 1000000 };

/* In which order kinds are begun. */
static const enum work_kind begun[] = {WORK_BUG,       WORK_SWEEP, WORK_SEEDS, WORK_EXPLORE,
                                       WORK_KNOWN_BAD, WORK_RUN,   WORK_REPEAT};
_Static_assert(sizeof begun / sizeof begun[0] == WORK_KIND_COUNT, "every kind has its turn");

static int rank_of(const struct gate_task *task) {
    int rank = 0;
    while (begun[rank] != task->unit->kind)
        rank++;
    return rank;
}

static int by_turn(const void *a, const void *b) {
    const struct gate_task *one = a, *other = b;
    int difference = rank_of(one) - rank_of(other);
    return difference != 0 ? difference : (one->unit > other->unit) - (one->unit < other->unit);
}

struct making {
    struct gate_tasks *tasks;
    const struct work *work;
    struct work_shard shard;
    bool *made; /* units that have a task */
};

static void add(struct making *making, struct gate_task task) {
    struct gate_tasks *tasks = making->tasks;
    size_t unit = (size_t)(task.unit - making->work->v);
    if (making->made[unit] || !work_is_of(task.unit, making->shard))
        return;
    making->made[unit] = true;
    CHECK_ROOM(tasks->v, tasks->n, tasks->cap, TASKS_MAX);
    tasks->v[tasks->n++] = task;
}

static void add_configuration(void *ctx, const char *path, const struct scenario *scenario,
                              const struct run_config *config) {
    static const enum work_kind kinds[] = {WORK_RUN, WORK_REPEAT, WORK_EXPLORE, WORK_SWEEP};
    struct making *making = ctx;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct work_unit *unit = work_find(making->work, kinds[i], path, scenario, config);
        if (unit != NULL)
            add(making, (struct gate_task){.unit = unit, .scenario = scenario, .config = *config});
    }
}

static void add_bugs(struct making *making) {
    const struct bugs *bugs = &making->tasks->bugs;
    for (size_t i = 0; i < bugs->n; i++) {
        const struct work_unit *unit =
            work_find(making->work, WORK_BUG, bugs->v[i].path, NULL, NULL);
        if (unit != NULL)
            add(making, (struct gate_task){.unit = unit, .bug = &bugs->v[i]});
    }
}

static void add_others(struct making *making) {
    bool sampled = false;
    for (size_t i = 0; i < making->work->n; i++) {
        const struct work_unit *unit = &making->work->v[i];
        bool planted = unit->kind == WORK_KNOWN_BAD && work_is_of(unit, making->shard);
        if (unit->kind == WORK_SEEDS || (planted && !sampled))
            add(making, (struct gate_task){.unit = unit});
        sampled = sampled || planted;
    }
}

bool gate_tasks_make(struct suite *suite, const struct suite_paths *paths, const char *base,
                     const struct work *work, struct work_shard shard, struct gate_tasks *tasks) {
    struct making making = {.tasks = tasks, .work = work, .shard = shard};
    *tasks = (struct gate_tasks){.file_count = paths->n};
    tasks->files = check_zalloc(paths->n + 1, sizeof *tasks->files);
    if (!bugs_load(base, &tasks->bugs))
        suite_worst(suite, EXIT_MISTAKE);
    making.made = check_zalloc(work->n + 1, sizeof *making.made);
    add_bugs(&making);
    for (size_t i = 0; i < paths->n; i++)
        suite_pick(suite, paths->v[i], add_configuration, &making, &tasks->files[i]);
    add_others(&making);
    free(making.made);
    if (tasks->n > 0)
        qsort(tasks->v, tasks->n, sizeof *tasks->v, by_turn);
    while (tasks->repeats_from < tasks->n &&
           tasks->v[tasks->repeats_from].unit->kind != WORK_REPEAT)
        tasks->repeats_from++;
    return suite->exit_code == EXIT_PASS;
}

void gate_tasks_free(struct gate_tasks *tasks) {
    for (size_t i = 0; i < tasks->file_count; i++)
        scenario_free(&tasks->files[i]);
    free(tasks->files);
    free(tasks->v);
    bugs_free(&tasks->bugs);
    *tasks = (struct gate_tasks){0};
}
