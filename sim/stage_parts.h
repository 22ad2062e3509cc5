/* What the files of the stage share. */
#ifndef SIM_STAGE_PARTS_H
#define SIM_STAGE_PARTS_H

#include "sim/stage.h"

/* ---- the story: a fingerprint over everything that happens ---- */

void stage_mark(struct stage *stage, uint64_t what, uint64_t value);
/* The same, with a text for whoever compares two runs; NULL: none. */
void stage_mark_text(struct stage *stage, uint64_t what, uint64_t value, const char *text);

/* ---- what a life touches ---- */

void stage_connect(struct stage *stage, struct port *port);
/* What an OMS is started with, on the store as `vfs` shows it. */
void stage_ports(struct stage *stage, const char *vfs, struct port *port, struct sut_ports *ports);
/* A port at which nothing goes wrong and nothing is noted. */
struct port stage_calm_port(void *ctx, int64_t (*now)(void *ctx));
void stage_tell_nobody(void *ctx, const struct oms_event *event);
int64_t stage_now(void *ctx); /* of the stage that `ctx` is */
/* Tells and judges the requests that reached the exchange since this was last called. */
void stage_notice_deliveries(struct stage *stage);
/* Lets the next thing from outside happen if it is due until then. Checks due exactly then wait for
 * the OMS to act first, unless `checks`. False: nothing was due. */
bool stage_outside_happens(struct stage *stage, int64_t until_ns, bool checks);

/* ---- lives ---- */

/* Before a life: faults strike the files of the store, and it is kept for later ones to restore. */
void stage_rest(struct stage *stage);
/* After every call into the OMS. `healthy`: it did not fail-stop. */
void stage_back_from_oms(struct stage *stage, bool healthy);
/* Judges an OMS whose own rules did not hold. */
void stage_notice_stop(struct stage *stage);
/* Carries out the death in stage->dying. */
void stage_finish_death(struct stage *stage);
/* An operator's word (stage_resolve) at an OMS that is up, or a tool. False: it fail-stopped. */
bool stage_resolve_at(struct stage *stage, void *oms, size_t decision, bool adopt);

#endif
