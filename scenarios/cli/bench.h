/* What the measurements of `crashgate bench` share: the story they all tell, and a clock. */
#ifndef SCENARIOS_CLI_BENCH_H
#define SCENARIOS_CLI_BENCH_H

#include "scenarios/lang/ast.h"
#include "sim/stage.h"

#include <stdbool.h>
#include <stdint.h>

/* The story: one decision, one crash after it was recorded, recovery, reconciliation. */
struct bench {
    struct scenario_file file;
    const struct scenario *story; /* the first one in the file */
    const struct profile *profile;
    struct wire *wire;
    uint64_t seed; /* of the next timeline: no two write the same bytes */
};

/* Time this process has used its processor, system calls included. */
double bench_cpu_s(void);

/* Plays the whole story once, judged; `twice`: with one more recovery at the end (I8). False: it
 * did not pass (said on standard error). */
bool bench_timeline(struct bench *bench, enum stage_door door, bool twice);

/* ---- the floor: the SQL of the story's OMS without the OMS (bench_floor.c) ---- */

struct floor;
/* Has `play` play the story once at the direct door, and writes down every statement that its OMS runs,
 * life by life. NULL: it returned false, or something it did cannot be written down. Free with
 * floor_free. */
struct floor *floor_record(struct bench *bench, bool (*play)(struct bench *bench));
void floor_free(struct floor *floor);
/* Runs the same statements on a VFS that only moves bytes, from the same first database. False:
 * SQLite refused one (said on standard error). */
bool floor_replay(struct floor *floor);
unsigned floor_statements(const struct floor *floor);

/* ---- exploring (bench_explore.c) ---- */

typedef void bench_say(void *ctx, const char *name, double value, const char *unit);
/* Closes every documented story in each profile, and stories of one to four orders; tells the
 * figures, and writes reports/growth.svg and reports/growth.md. False: something did not close. */
bool bench_explore(bench_say *say, void *ctx);

/* ---- random timelines (bench_sweep.c) ---- */

/* Plays the same seeds with one process and with two. False: one did not pass, which was said. */
bool bench_sweep(bench_say *say, void *ctx);

/* ---- shrinking (bench_shrink.c) ---- */

/* Shrinks long findings of an OMS whose mistakes are known. False: one was not made minimal, or too few
 * were found. */
bool bench_shrink(bench_say *say, void *ctx);

/* ---- planted bugs (bench_find.c) ---- */

struct cJSON;
/* Finds every planted bug in its scenario, and by some seeds of the sweep; prints a table, adds a row
 * to `rows` for each, and tells the sums. `program` as in suite_open. Needs 'make variants'. False:
 * one was missed, which was said. */
bool bench_find(const char *program, bench_say *say, void *ctx, struct cJSON *rows);

/* ---- much of everything (bench_scale.c) ---- */

/* A million finished orders, decisions per second, a large comparison, memory over a million
 * decisions; in `folder`, which is on a real disk. False: something went wrong, which was said. */
bool bench_scale(const char *folder, bench_say *say, void *ctx);

/* ---- the same story with a real process, disk and SIGKILL (bench_sigkill.c) ---- */

/* Plays it once in `folder`, which is on a real disk: the OMS is a child process on SQLite's own
 * unix VFS; its broker is the simulated exchange in this process, behind a socket pair; it is
 * killed with SIGKILL after it recorded the order, and started again. Afterwards the exchange must
 * have one order, and the store the position. False: it has not (said on standard error). */
bool sigkill_timeline(const struct bench *bench, const char *folder);
/* Removes what it left in `folder`, and the folder. */
void sigkill_clean(const char *folder);

#endif
