/* Where the broker's keys come from: the environment, or a file that nobody else can read. */
#ifndef CORE_LIVE_KEYS_H
#define CORE_LIVE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

enum { KEYS_SIZE = 160, KEYS_FILE_MAX = 4096 };

struct keys {
    char key_id[KEYS_SIZE], secret[KEYS_SIZE];
};

/* From `file`, or (NULL) from APCA_API_KEY_ID and APCA_API_SECRET_KEY in the environment. The file
 * holds these two names, each with `=` and its value, one a line; blank lines and lines that begin
 * with # say nothing. It must be a regular file of this process's user with mode 0600 or less. False:
 * `why` names the place and the rule, and no value. */
bool keys_find(const char *file, struct keys *keys, char *why, size_t why_size);
/* Leaves nothing of them in memory. */
void keys_forget(struct keys *keys);

#endif
