/* A VFS over the default one whose n-th call fails, for the core's tests. */
#ifndef CORE_TESTS_FAULT_VFS_H
#define CORE_TESTS_FAULT_VFS_H

#include <stdbool.h>

struct fault_plan {
    int at;          /* the call that fails, from 1; 0: none */
    int code;        /* what it returns */
    bool has_effect; /* the call does its work and fails all the same */
    bool sticky;     /* so do all later ones */
    bool only_syncs; /* counts syncs only */
};

/* Registers "fault" once per process. */
void fault_register(void);
/* Starts counting anew. */
void fault_arm(struct fault_plan plan);
int fault_calls(void);  /* calls that change files, since then */
bool fault_fired(void); /* the planned one was met */

#endif
