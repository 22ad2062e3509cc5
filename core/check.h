/* What must hold whatever the world does: a false CHECK is a fault of ours, in every build. */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#define CHECK(cond) ((cond) ? (void)0 : __builtin_trap())

#endif
