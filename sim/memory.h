/* Memory for SQLite in a process that opens thousands of databases a second: size classes on free
 * lists, never given back. Debian's SQLite has no lookaside, and malloc is a third of a life. */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

/* Makes SQLite use it; before sqlite3_initialize. Under the address sanitizer, which has to see every
 * allocation, SQLite keeps its own. Either way shortages (sim/shortage.h) can strike. */
void memory_for_sqlite(void);

#endif
