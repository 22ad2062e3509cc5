/* The table of disk profiles. */
#include "sim/disk_profile.h"

#include <string.h>

static const struct disk_profile profiles[] = {
#define X(name, sector, power_safe, torn, zeros, names, aftermaths, meaning) \
    {name, sector, power_safe, torn, zeros, names, aftermaths, meaning},
    DISK_PROFILES(X)
#undef X
};

const struct disk_profile *disk_profile_at(size_t index) {
    return index < sizeof profiles / sizeof profiles[0] ? &profiles[index] : NULL;
}

const struct disk_profile *disk_profile_find(const char *name) {
    for (size_t i = 0; disk_profile_at(i) != NULL; i++) {
        if (strcmp(profiles[i].name, name) == 0)
            return &profiles[i];
    }
    return NULL;
}
