// SPDX-License-Identifier: Apache-2.0
/* Documents (manifests, recipes) in YAML: one table, a row a key, from which reading,
 * checking and the reference page come. The text is untrusted: at most 1 MiB, 32
 * levels and 20,000 values, no aliases, anchors or tags, no duplicate keys, no control
 * characters but tab and newline; every error says FILE:LINE:COLUMN. A key of no value
 * is an error, and so is an unknown key. */
#ifndef VH_DOC_H
#define VH_DOC_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdbool.h>
#include "lib/err.h"
#include "lib/doc/yaml.h"

enum vh_key_type {
	VH_KEY_STR,	/* char * */
	VH_KEY_UINT,	/* uint64_t; min and max are checked */
	VH_KEY_SIZE,	/* uint64_t, bytes ("2G"); min and max are checked */
	VH_KEY_BOOL,	/* bool: true, false, yes, no */
	VH_KEY_ENUM,	/* int: the index in choices */
	VH_KEY_STRV,	/* char **: a list of texts */
	VH_KEY_MAP,	/* the struct of keys, in place: offset is its start */
	VH_KEY_LIST,	/* struct vh_doc_list of such structs, each of item_size */
	VH_KEY_STRMAP,	/* char **: "name=value" of free names, in document order */
};

struct vh_doc_list { void *items; size_t n; };

struct vh_key {
	const char *name;
	enum vh_key_type type;
	size_t offset;
	bool required;
	const char *dflt;		/* as written in a document; NULL: zero */
	uint64_t min, max;		/* UINT, SIZE: bounds; max 0: none. LIST, STRV: number of items */
	const char *const *choices;	/* ENUM: ends with NULL */
	const struct vh_key *keys;	/* MAP, LIST: ends with a NULL name */
	size_t item_size;		/* LIST */
	const char *under;		/* LIST: a map of the document's top that says what its items leave out; or NULL */
	int (*settled)(const void *item, struct vh_err *err);	/* LIST: what of an item's keys goes together; or NULL */
	bool unique;			/* STR, UINT of a list's items: no two may have the same */
	bool (*apart)(const char *a, const char *b);	/* STR, unique: which two go beside each other; NULL: any that are not the same */
	const char *names;		/* STR, and each item of STRV: it is the name of an item of that list of the document's top; or NULL */
	bool includes;			/* STRV of the top: files that vh_doc_load reads with the document */
	int (*check)(const char *value, struct vh_err *err);	/* STR, UINT, and each item of STRV, as written; or NULL */
	int (*check_key)(const char *key, const char *value, struct vh_err *err);	/* the same for many keys; or NULL */
	const char *help;		/* a sentence for the reference page, with unit */
};

/* Reads path into out (a zeroed struct). Refusals exit with VH_EXIT_REFUSED and name
 * file, line and column; an unknown key names the nearest known one. On failure out
 * holds nothing that needs freeing.
 * Files that it includes (paths from its own directory, 32 at most, none that includes itself) come
 * under it: what they say stays where the document is silent, maps are merged, and lists begin with theirs. */
int vh_doc_load(const char *path, const struct vh_key *keys, void *out, struct vh_err *err);
/* The same from memory; name stands for the file in errors. */
int vh_doc_parse(const char *name, const char *text, size_t len, const struct vh_key *keys,
		 void *out, struct vh_err *err);

/* --- documents in layers, for tables of at most 64 keys and without maps (VH_KEY_MAP) at their top. */

/* Reads one layer alone, without defaults; *given: a bit for each key of the table that was there. */
int vh_doc_layer(const char *name, const char *text, size_t len, const struct vh_key *keys,
		 void *out, uint64_t *given, struct vh_err *err);
/* Reads one map of a document that others write as such a layer: keys that the table lacks, and
 * keys of no value, are passed over. */
int vh_doc_pick(const char *name, const struct vh_yaml *map, const struct vh_key *keys, void *out,
		uint64_t *given, struct vh_err *err);
/* Lays over over under and empties it: a value replaces, a list grows by what it lacks, of free
 * names the later value stays. */
int vh_doc_lay(const struct vh_key *keys, void *under, void *over, uint64_t given, struct vh_err *err);
/* Empties what that key holds. */
void vh_doc_empty(const struct vh_key *key, void *out);
/* Fills in the defaults of what no layer gave; refused where a required key is missing. */
int vh_doc_close(const char *name, const struct vh_key *keys, void *out, uint64_t given, struct vh_err *err);

/* What was read as JSON, in the table's order; free names as "name=value"; NULL without memory. */
json_t *vh_doc_json(const struct vh_key *keys, const void *out);

/* Reads into out what vh_doc_json made: members that the table lacks are passed over, what is absent or
 * null has its default, what out holds is replaced. -EBADMSG where a value is of another kind or a
 * required one is absent; then out holds nothing that needs freeing. */
int vh_doc_from_json(const struct vh_key *keys, const json_t *doc, void *out, struct vh_err *err);

/* A JSON Schema (2020-12) of the documents that the table reads, for editors; NULL without memory. */
json_t *vh_doc_schema(const struct vh_key *keys);

/* Frees what was read; out itself is the caller's. */
void vh_doc_free(const struct vh_key *keys, void *out);

/* The reference table in Markdown: key, type, default, bounds, help. */
void vh_doc_reference(FILE *f, const struct vh_key *keys);

#endif
