/* The slots of a line: each call reads one, from the next token on. Nobody outside scenarios/lang
 * includes it.
 *
 * False: the next token cannot be one (the attempt fails and the next row is tried). True: it was
 * read; if it breaks a rule, the mistake was told and the value is a harmless one. */
#ifndef SCENARIOS_LANG_SLOTS_H
#define SCENARIOS_LANG_SLOTS_H

#include "scenarios/lang/parser.h"

#define COUNT_OF(table) (sizeof(table) / sizeof(table)[0])

/* slots.c: words */
bool is_name(const struct token *token); /* of a decision, a tag, a kind of fault */
void note_guess(struct diag *diag,
                const struct guess *guess); /* "did you mean ...?", if there is a guess */

/* numbers */
enum sign { ANY_SIGN, NOT_NEGATIVE, POSITIVE };
bool number_slot(struct parser *p, const char *what, enum sign sign, int64_t *nanos);
bool integer_slot(struct parser *p, int64_t least, int64_t most, int64_t *value);
bool duration_slot(struct parser *p, int64_t *ns);
bool until_slot(struct parser *p, int64_t *ns);

/* names and words of closed lists */
bool decision_slot(struct parser *p, int *decision);
bool new_decision_slot(struct parser *p, struct scn_args *args);
bool symbol_slot(struct parser *p, int *symbol);
bool same_symbol_slot(struct parser *p, const struct scn_args *args);
bool discrepancy_slot(struct parser *p, int *type);
bool severity_slot(struct parser *p, int *severity);
bool state_slot(struct parser *p, enum oms_state *order_state);
bool tif_slot(struct parser *p, enum broker_tif *tif);
bool text_slot(struct parser *p, char *out, size_t size);
bool path_slot(struct parser *p, char *out, size_t size);

/* headers; these write into the scenario */
bool tags_slot(struct parser *p);
bool kinds_slot(struct parser *p);
bool profiles_slot(struct parser *p);
bool disk_slot(struct parser *p);
bool option_slot(struct parser *p);
bool date_slot(struct parser *p);

/* places.c: where crashes and faults strike */
bool site_slot(struct parser *p, struct site *site, bool *known, struct token *token);
bool crash_slot(struct parser *p, struct scn_crash *crash);
bool fault_slot(struct parser *p, struct scn_strike *strike);

#endif
