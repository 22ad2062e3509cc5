/* Answers that go wrong on their way, as bytes: an HTTP error in place of one, or a 200 whose
 * content is not what it should be. */
#ifndef SIM_WIRE_WRONG_H
#define SIM_WIRE_WRONG_H

#include "sim/port.h"

/* A whole HTTP message (headers and body) with an error status, as something on the way says it.
 * Malloced; *length is without the closing zero. */
char *wire_error_message(int status, enum error_body body, size_t *length);

/* A whole HTTP message with status 200, made from the body of the exchange's answer (`status`),
 * which is one JSON object, an array of them when `list`, or anything when it is an error. Where the
 * exchange has nothing to show, the answer is about a made-up row; but UNKNOWN_STATUS changes
 * nothing then, and NULL is returned: the answer stays what it is. Malloced, as above. */
char *wire_wrong_message(enum wrong wrong, int status, const char *body, bool list, size_t *length);

/* How long the body of a HUGE answer is: more than any client should read. */
enum { WIRE_HUGE_BODY = 10 * 1024 * 1024 };

#endif
