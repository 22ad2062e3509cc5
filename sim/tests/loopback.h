/* An exchange on a loopback port of the system's choice, for programs that tests run. */
#ifndef SIM_TESTS_LOOPBACK_H
#define SIM_TESTS_LOOPBACK_H

#include "scenarios/cli/listener.h"

/* The caller's, to be run and closed (scenarios/cli/listener.h); `owner` (NULL: nobody) is borrowed.
 * Fails the test when it cannot. */
struct listener *loopback_open(const struct wire_exchange *exchange,
                               const struct listener_owner *owner, char url[LISTENER_URL_SIZE]);

#endif
