/* Timelines in and out of bytes. */
#include "fuzz/timeline.h"

#include <string.h>

void timeline_read(struct timeline *timeline, const uint8_t *bytes, size_t size) {
    size_t head = size < TIMELINE_UNIT ? size : TIMELINE_UNIT;
    *timeline = (struct timeline){0};
    memcpy(timeline->head, bytes, head);
    for (size_t at = TIMELINE_UNIT;
         at + TIMELINE_UNIT <= size && timeline->count < TIMELINE_RECORDS_MAX;
         at += TIMELINE_UNIT) {
        struct timeline_record *record = &timeline->records[timeline->count++];
        record->op = bytes[at];
        memcpy(record->arg, bytes + at + 1, TIMELINE_ARGS);
    }
}

size_t timeline_write(const struct timeline *timeline, uint8_t bytes[TIMELINE_BYTES_MAX]) {
    size_t used = TIMELINE_UNIT;
    memcpy(bytes, timeline->head, TIMELINE_UNIT);
    for (size_t i = 0; i < timeline->count; i++) {
        bytes[used] = timeline->records[i].op;
        memcpy(bytes + used + 1, timeline->records[i].arg, TIMELINE_ARGS);
        used += TIMELINE_UNIT;
    }
    return used;
}
