/* What must hold whatever the world does: a false CHECK is a fault of ours, in every build. */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H

#define CHECK(cond)                  ((cond) ? (void)0 : CHECK_STOP(__FILE__, __LINE__, #cond))
#define CHECK_STOP(file, line, cond) CHECK_SAY(file, line, cond) /* the line as a number */
#define CHECK_SAY(file, line, cond)  check_stop(file ":" #line ": CHECK(" cond ")")

/* Leaves `text` in check_said and ends the process by a trap. */
_Noreturn void check_stop(const char *text);

/* NULL: nothing was ever wrong. For whoever catches the trap to say why. */
extern const char *check_said;

#endif
