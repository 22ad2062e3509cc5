/* What happens to a store at rest, between two lives. */
#include "sim/stage_parts.h"

#include "sim/check.h"

static bool flip_bit(struct disk *disk, const char *name, int64_t at, int64_t bit) {
    unsigned char byte = 0;
    if (!disk_file_read(disk, name, at, &byte, 1))
        return false;
    byte ^= (unsigned char)(1u << bit);
    return disk_file_damage(disk, name, at, &byte, 1);
}

static bool damage_at_rest(struct stage *stage, const char *name,
                           const struct port_answer *answer) {
    struct disk *disk = stage->world.disk;
    const struct disk *backup = NULL;
    switch ((int)answer->act) {
    case ACT_FLIP:
        return flip_bit(disk, name, answer->arg[0], answer->arg[1]);
    case ACT_CUT:
        return disk_file_cut(disk, name, answer->arg[0]);
    case ACT_MISSING:
        return disk_file_remove(disk, name);
    case ACT_RESTORED:
        if (answer->arg[0] <= STAGE_BACKUPS_MAX)
            backup = stage->backups[answer->arg[0] - 1];
        if (backup != NULL)
            disk_restore(disk, backup, answer->arg[1] != 0 ? STAGE_STORE "-lock" : NULL);
        return backup != NULL;
    default:
        return false;
    }
}

static void rest_file(struct stage *stage, enum site_object on, const char *name) {
    struct port_call call = {.site = {SITE_DISK_REST, on}, .ref = ""};
    struct port_answer answer;
    if (!disk_file_size(stage->world.disk, name, &call.length) || call.length == 0)
        return;
    answer = stage->outside.rest(stage->outside.ctx, &call);
    if (answer.act == ACT_NONE)
        return;
    stage->counts.faults++;
    stage_mark(stage, CHAIN_FAULT + (uint64_t)answer.act, (uint64_t)answer.arg[0]);
    stage->judge.damaged = true;
    CHECK(damage_at_rest(stage, name, &answer));
}

/* A store that was empty, or that is not there, has nothing to lose. */
void stage_rest(struct stage *stage) {
    if (stage->outside.rest != NULL && !stage->settling) {
        rest_file(stage, ON_DB, STAGE_STORE);
        rest_file(stage, ON_WAL, STAGE_STORE "-wal");
    }
    if (stage->config.keeps_backups && stage->life <= STAGE_BACKUPS_MAX &&
        stage->backups[stage->life - 1] == NULL)
        stage->backups[stage->life - 1] = disk_copy(stage->world.disk);
}
