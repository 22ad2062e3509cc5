/* Calling an OMS that may stop itself: the functions of struct sut, each of which comes back.
 *
 * An OMS whose own rules do not hold ends its process by a trap (SIGILL, SIGTRAP). Here that ends its
 * life and not the harness: the call gives the answer of an OMS that fail-stops, and sut_stopped says
 * why. Between the call and the trap lie only frames of the OMS and of libraries that it called (a
 * call made from within a port is one of its own), so that nothing of the harness is left half done;
 * the OMS's memory is lost. Every other signal, and a trap outside such a call, does what it does in
 * any program.
 *
 * For what each function means and gives see sim/sut/sut.h. */
#ifndef SIM_SUT_CALL_H
#define SIM_SUT_CALL_H

#include "sim/sut/sut.h"

/* Catches traps from here on; again after somebody else took the signals. */
void sut_catch_stops(void);

bool sut_create(const struct sut *sut, const struct sut_ports *ports,
                const struct sut_config *config, const struct oms_opening *opening,
                size_t opening_count, char why[SUT_WHY_SIZE]);
void *sut_boot(const struct sut *sut, const struct sut_ports *ports,
               const struct sut_config *config, char why[SUT_WHY_SIZE]);
enum sut_answer sut_signal(const struct sut *sut, void *instance,
                           const struct oms_decision *decision, char why[SUT_WHY_SIZE]);
void sut_signals(const struct sut *sut, void *instance, const struct oms_decision *decisions,
                 size_t count, enum sut_answer *answers, char why[SUT_WHY_SIZE]);
bool sut_cancel(const struct sut *sut, void *instance, const char *decision_id);
bool sut_kill_switch(const struct sut *sut, void *instance, bool on);
bool sut_reconcile(const struct sut *sut, void *instance, bool daily);
bool sut_resolve(const struct sut *sut, void *instance, const char *decision_id,
                 const char *broker_order_id, char why[SUT_WHY_SIZE]);
bool sut_step(const struct sut *sut, void *instance);
/* False: it stopped itself, and *next is as it was. */
bool sut_next(const struct sut *sut, void *instance, struct oms_next *next);
/* One that stopped itself cannot be asked to free anything: it is left where it is. */
void sut_bury(const struct sut *sut, void *instance, bool orderly);
bool sut_observe(const struct sut *sut, const char *vfs, const char *path, bool check,
                 struct oms_view *view, char why[SUT_WHY_SIZE]);
bool sut_meaning(const struct sut *sut, const char *vfs, const char *path,
                 const struct sut_config *config, struct sut_meaning *meaning);

/* Whether an OMS stopped itself since this was last asked; `why` says where, if it told. */
bool sut_stopped(char why[SUT_WHY_SIZE]);

#endif
