/* What the parts of a script's run share: script.c its schedule and its end, script_stimuli.c its lines,
 * script_points.c what the OMS tells, script_faults.c what goes wrong at its ports, script_deaths.c where
 * it dies. Nobody else includes this. */
#ifndef SCENARIOS_LANG_SCRIPT_PARTS_H
#define SCENARIOS_LANG_SCRIPT_PARTS_H

#include "scenarios/lang/codes.h"
#include "scenarios/lang/script.h"

enum { POINT_TEXT_SIZE = 64 };

/* ---- script.c ---- */

/* Notes a failure of the run, unless there is one. */
__attribute__((format(printf, 4, 5))) void script_fail(struct script *script, enum run_code code,
                                                       int line, const char *format, ...);
/* Where a line of the scenario stands in its file. */
int script_line_number(const struct script *script, size_t index);
/* Whether the line leaves open where it strikes. */
bool script_crash_is_quantified(const struct scn_crash *crash);
/* The line is due then. */
void script_schedule(struct script *script, size_t index, int64_t at_ns);
/* A crash or restart on line `cause` has happened: lines below that count from it know their time.
 * What stands below the restart after the first of two crashes counts from the second. */
void script_resolve_relative(struct script *script, size_t cause, enum scn_base base);
bool script_point_matches(const struct scn_point *point, enum scn_point_kind kind, int decision);
/* Whether the lines above have had their turn, so that a line that waits for a point is in force. */
bool script_in_force(const struct script *script, size_t index);
/* A line that waited for a point happens. */
void script_happen_at_point(struct script *script, size_t index);

/* ---- script_stimuli.c ---- */

/* What the line does to the world, to the OMS, or to what is to strike. */
void script_stimulate(struct script *script, size_t index);
/* Opens the second window of a `crash twice` that has struck once. True: it is open. */
bool script_open_second(struct script *script, size_t index);

/* ---- script_points.c ---- */

/* "after record D1", for messages. Returns `out`. */
char *script_point_text(const struct script *script, bool after, enum scn_point_kind kind,
                        int decision, char out[POINT_TEXT_SIZE]);
/* A point is about to be reached, or has been. */
void script_reach_point(struct script *script, bool after, enum scn_point_kind kind, int decision);
/* What a crash at this call would leave, for lines that ask for a crash at its site. */
void script_remember_site_key(struct script *script, struct site site);
/* The first line from there on that is an observed one. */
size_t script_next_observed(const struct script *script, size_t from);
/* As in struct stage_outside. */
void script_told(void *ctx, const struct oms_event *event);
void script_left(void *ctx, int decision);
void script_delivered(void *ctx, int decision);

/* ---- script_faults.c ---- */

/* Whether the OMS asks the broker something at this point. */
bool script_point_is_read(enum scn_point_kind kind);
/* As in struct stage_outside. */
struct port_answer script_ask(void *ctx, const struct port_call *call, unsigned occurrence);
struct port_answer script_rest(void *ctx, const struct port_call *call);
void script_passed(void *ctx, const struct port_call *call, unsigned occurrence);

/* ---- script_deaths.c ---- */

/* The death under way; `always_written`: it belongs in the plan whatever survives. */
void script_note_death(struct script *script, const struct plan_item *item, bool always_written);
/* A death that the script itself orders: only the choice of what survives belongs in a plan. */
void script_die_at_line(struct script *script, size_t index);
/* A death that the plan orders. */
void script_die_by_plan(struct script *script, const struct plan_item *item);
/* The last crash point of a window: right before the restart below it, or when all is quiet. */
void script_die_idle(struct script *script, size_t window, unsigned occurrence);
/* The OMS runs, and comes to a restart in the script or to its end. Which such moment of its life it is:
 * a restart that finds it running leaves it alone, and it comes to the next. */
unsigned script_idle_again(struct script *script);
/* A crash may strike here, or is told or shown as one that could. */
void script_offer_crash(struct script *script, struct site site, unsigned occurrence, bool after);
void script_list_point(struct script *script, struct site site, unsigned occurrence, bool after);
void script_show_crash_point(struct script *script, const struct port_call *call,
                             unsigned occurrence, bool after);
/* "a, b": one more name. */
void script_add_name(char *names, size_t size, const char *name);
/* Every window whose line is reached and whose end is not: the first one, or -1. */
int script_open_window(const struct script *script);
/* Asks the chooser, unless a crash now leaves the same as the one offered before. */
bool script_chooses_crash(struct script *script);
/* Whether some line counts from a crash that has not struck yet. */
bool script_crash_is_awaited(const struct script *script, size_t from);
/* How much of its counted calls a fault has used up. */
int64_t script_calls_spent(const struct scn_strike *strike, const struct line_run *line);
/* What a crash now would leave: the world, the judge's memory, what the script has spent, and, when
 * the script or the next start goes on from the crash, its moment. Equal keys are equal crash
 * points. */
uint64_t script_crash_key(const struct script *script);
/* As in struct stage_outside: which of the unsynced writes survive. */
unsigned script_choose_power(void *ctx, unsigned outcomes, bool reduced);

#endif
