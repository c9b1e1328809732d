// SPDX-License-Identifier: Apache-2.0
/* A file of lines "NAME:...:NUMBER:...", as passwd and group are. Functions that return an int return 0, or -1 after
 * saying why. Lines are pointers into the text, good until the table changes. */
#ifndef VH_GUEST_TABLE_H
#define VH_GUEST_TABLE_H

#include <sys/stat.h>

/* As it was, and as it is to be. */
struct table {
	const char *path;
	struct stat st;
	char *text;		/* malloc'd, the caller's to free */
};

int table_read(int root, const char *path, struct table *ret);
int table_write(int root, const struct table *t);

/* Puts that line, which ends with a newline, at its end. */
int table_append(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The line of that name; of that number; NULL: there is none. */
const char *table_line(const struct table *t, const char *name);
const char *table_numbered(const struct table *t, unsigned number);
/* The third field; -1 where there is none. */
long long table_number(const char *line);
/* Takes the line of that name away, where there is one. */
int table_remove(struct table *t, const char *name);

/* Has the user in the group of this line, which is the table's; and no more; in none of its groups any more. */
int table_join(struct table *group, const char *line, const char *user);
int table_leave(struct table *group, const char *line, const char *user);
int table_leave_all(struct table *group, const char *user);

#endif
