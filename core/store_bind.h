/* Binding values to statements: nothing is copied, so nothing can fail. */
#ifndef CORE_STORE_BIND_H
#define CORE_STORE_BIND_H

#include "core/check.h"
#include "core/position.h"

#include <sqlite3.h>
#include <stdint.h>

/* 128 bits, and what the archive holds of a position: a flag, two numbers of 64 bits and two of 128,
 * and the id of an execution. */
enum { WIDE_SIZE = 16, BASE_FIXED = 49, BASE_SIZE = BASE_FIXED + BROKER_EXECUTION_ID_SIZE };

static inline void put_text(sqlite3_stmt *statement, int n, const char *text) {
    CHECK(sqlite3_bind_text(statement, n, text, -1, SQLITE_STATIC) == SQLITE_OK);
}

static inline void put_int(sqlite3_stmt *statement, int n, int64_t value) {
    CHECK(sqlite3_bind_int64(statement, n, value) == SQLITE_OK);
}

#endif
