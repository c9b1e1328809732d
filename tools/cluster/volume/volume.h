// SPDX-License-Identifier: Apache-2.0
/* Volumes of a cluster: file systems that its nodes have besides their root disks (docs/formats/manifest.md, Volumes). */
#ifndef VH_CLUSTER_VOLUME_H
#define VH_CLUSTER_VOLUME_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/doc/doc.h"
#include "lib/show/progress.h"

enum { VOLUMES_MAX = 16 };	/* of a cluster; a node's disks have a letter each */
enum volume_kind { VOLUME_NODE, VOLUME_SHARED, VOLUME_DATA };
enum volume_by { VOLUME_BY_NODE, VOLUME_BY_HOST };
/* What a node does with one: nothing, have a disk for itself, have the disk and export it, mount it from who does, mount
 * it from the host, read the disk that all have. */
enum volume_part { VOLUME_NONE, VOLUME_HAS, VOLUME_EXPORTS, VOLUME_MOUNTS, VOLUME_ENTERS, VOLUME_READS };

struct volume {
	char *name;		/* the disk's serial number, and the label of its file system: as many letters as both take */
	char *mount;
	int kind;		/* enum volume_kind */
	int by;			/* enum volume_by; of a shared one, who serves it */
	uint64_t size;		/* bytes; of data 0 */
	char *from;		/* of data, what of the host it is packed of; NULL: it is no data */
	char **groups;		/* whose nodes mount it; NULL: all */
	char *on;		/* of a shared one, whose first node has the disk; NULL: the head */
	bool keep;		/* what is on it outlives the cluster */
};

extern const char *const volume_kinds[];	/* by enum volume_kind; ends with NULL */
extern const char *const volume_bys[];		/* by enum volume_by */
/* What is said of one, a row a key. */
extern const struct vh_key volume_keys[];

/* Manifest and record have the same; AT is where the struct vh_doc_list is. */
#define VOLUMES_KEY(AT) \
	{ .name = "volumes", .type = VH_KEY_LIST, .offset = (AT), .keys = volume_keys, .item_size = sizeof(struct volume), \
	  .max = VOLUMES_MAX, .settled = volume_settled, .help = "File systems that nodes have besides their root disks." }

/* A copy of its own; -ENOMEM. volumes_clear frees what a list holds, also of a zeroed one. */
int volumes_copy(const struct vh_doc_list *volumes, struct vh_doc_list *ret, struct vh_err *err);
void volumes_clear(struct vh_doc_list *volumes);
/* The name of one that is not alike in both; NULL: they are the same. */
const char *volumes_differ(const struct vh_doc_list *a, const struct vh_doc_list *b);
/* What the table sees to where a manifest is read: of volumes from elsewhere. groups: the names of all. Refused. */
int volumes_check(const struct vh_doc_list *volumes, char *const *groups, struct vh_err *err);

/* What of a volume goes together, as vh_key.settled has it. */
int volume_settled(const void *volume, struct vh_err *err);
/* What a node of that group (NULL: there are none) does with it; serves: whether it is the one that a shared one is on. */
enum volume_part volume_part(const struct volume *v, const char *group, bool serves);
/* Prints the lines of such a node's identity (docs/formats/identity.md). address: of the node that a shared one is on;
 * network: the cluster's, "a.b.c.d/p". */
void volume_put(FILE *f, const struct volume *v, enum volume_part part, const char *address, const char *network);

/* --- disk.c */

/* Makes a node's disk, qcow2 with an ext4 file system in it, whole or not at all: nothing ever formats it again. One that
 * is there is looked at as volume_disk_look does, and stays. */
int volume_disk_make(const struct volume *v, const char *path, bool *ret_made, struct vh_err *err);
/* Whether it is there, and such a disk of the planned size that is all in its own file: who had it wrote it. Refused where
 * it is another. */
int volume_disk_look(const struct volume *v, const char *path, bool *ret_there, struct vh_err *err);
/* Removes it, and what a killed run left half made of it. keep: that alone. */
int volume_disk_remove(const char *path, bool keep, struct vh_err *err);

/* The same of one that the host serves: an image of an ext4 file system, in which nodes have the directory VOLUME_FILES. It
 * is the host's alone, which mounts it. */
#define VOLUME_FILES "files"
int volume_image_make(const struct volume *v, const char *path, bool *ret_made, struct vh_err *err);
int volume_image_look(const struct volume *v, const char *path, bool *ret_there, struct vh_err *err);
int volume_image_remove(const char *path, bool keep, struct vh_err *err);
/* Of the directory that it is to be mounted on, where it is not: refused where it has files, as of a copied state directory. */
int volume_place_check(const char *dir, struct vh_err *err);

/* --- data.c */

enum source_form { SOURCE_DIRECTORY, SOURCE_IMAGE, SOURCE_QCOW2 };	/* an image has a file system in it, a qcow2 an image */
/* What a set is made of; of what was packed, as it was then. */
struct source {
	uint64_t files, bytes;	/* regular ones, and how much is in them */
	uint64_t newest;	/* when the last of a directory's changed, in seconds; of what was packed it is not kept */
	int form;		/* enum source_form */
	char *digest;		/* of names, modes, sizes and times: another one means that it has changed */
};
void source_clear(struct source *s);

/* Looks at what the set is made of, as a user of the host with no rights of his own does: what not everybody may read is
 * in no set. Refused where it can be none. until: by vh_now, -ETIME where a directory takes longer; 0: however long it takes. */
int data_look(const struct volume *v, double until, struct source *ret, struct vh_err *err);
/* Packs it into a disk that is only read, of an image copies it there, whole or not at all; one that is there stays. */
int data_make(const struct volume *v, const char *disk, struct vh_progress *progress, bool *ret_made, struct vh_err *err);
/* What the disk was packed of; -ENOENT (no error text): it is not there. */
int data_packed(const char *disk, struct source *ret, struct vh_err *err);
/* Removes it, and what a killed run left half made of it. */
int data_remove(const char *disk, struct vh_err *err);

/* --- sets.c: all sets of a cluster, whose disks are in dir */

/* A set's disk; malloc'd, NULL without memory. */
char *data_disk(const char *dir, const struct volume *v);

enum data_is {
	DATA_NEW,	/* to be packed */
	DATA_PACKED,
	DATA_CHANGED,	/* packed, and what it is of is another by now */
	DATA_LOST,	/* packed, and what it is of can be read no more */
	DATA_LONG,	/* packed, and what it is of takes longer to look at than was given */
};
/* Of one that is packed as that was then. */
struct data_seen { const struct volume *volume; enum data_is is; struct source source; };
struct data { struct data_seen v[VOLUMES_MAX]; size_t n; };
void data_clear(struct data *d);
#define autodata vh_cleanup(data_clear) struct data
/* Looks at all that are among the volumes. Refused where one that is to be packed cannot be. */
int data_see(const struct vh_doc_list *volumes, const char *dir, struct data *ret, struct vh_err *err);
/* At those alone that are packed, all of them until then, by vh_now. -ENOMEM. */
int data_glance(const struct vh_doc_list *volumes, const char *dir, double until, struct data *ret, struct vh_err *err);
/* As data_see, but for what those are of by now that are packed: nodes have that, whatever became of it. */
int data_expect(const struct vh_doc_list *volumes, const char *dir, struct data *ret, struct vh_err *err);

#endif
