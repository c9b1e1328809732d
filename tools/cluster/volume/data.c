// SPDX-License-Identifier: Apache-2.0
/* A set's disk: a squashfs of what it is made of, or an image as it is, raw, and beside it what that was then. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/confine.h"
#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/json.h"
#include "lib/parallel.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "tools/cluster/volume/qcow2.h"
#include "tools/cluster/volume/source.h"

enum { PROCESSORS_MAX = 8, NEARLY = 1 << 20 };

int data_look(const struct volume *v, double until, struct source *ret, struct vh_err *err)
{
	struct source_reader reader;
	int r = source_start(v->from, -1, until, &reader, err);

	if (r == 0)
		r = source_end(&reader, NULL, NULL, ret, err);
	return r < 0 ? vh_err_within(err, "volume %s", v->name) : 0;
}

/* --- what it was packed of */

static const char *const forms[] = { [SOURCE_DIRECTORY] = "directory", [SOURCE_IMAGE] = "image", [SOURCE_QCOW2] = "qcow2", NULL };
static const struct vh_key source_keys[] = {
	{ .name = "files", .type = VH_KEY_UINT, .offset = offsetof(struct source, files), .required = true },
	{ .name = "bytes", .type = VH_KEY_UINT, .offset = offsetof(struct source, bytes), .required = true },
	{ .name = "form", .type = VH_KEY_ENUM, .offset = offsetof(struct source, form), .required = true, .choices = forms },
	{ .name = "digest", .type = VH_KEY_STR, .offset = offsetof(struct source, digest), .required = true },
	{ .name = NULL },
};

/* A set of which that is not known is packed anew. */
int data_packed(const char *disk, struct source *ret, struct vh_err *err)
{
	vh_autofree char *beside = vh_strf("%s.json", disk), *text = NULL;
	vh_autoerr none = VH_ERR_NONE;
	vh_autojson doc = NULL;
	struct source was = { 0 };
	size_t len;

	if (!beside)
		return vh_err_nomem(err);
	if (access(disk, F_OK) < 0 || vh_host_file(beside, &text, &len, &none) < 0)
		return -ENOENT;
	doc = json_loadb(text, len, 0, NULL);
	if (!doc || vh_doc_from_json(source_keys, doc, &was, &none) < 0)
		return -ENOENT;
	*ret = was;
	return 0;
}

static int write_packed(const char *disk, const struct source *is, struct vh_err *err)
{
	vh_autofree char *beside = vh_strf("%s.json", disk), *text = NULL;
	vh_autojson doc = vh_doc_json(source_keys, is);

	text = doc ? json_dumps(doc, JSON_INDENT(1)) : NULL;
	return beside && text ? vh_write_file(beside, text, strlen(text), 0600, err) : vh_err_nomem(err);
}

/* --- packed */

struct packing {
	const struct volume *v;
	const char *part;
	struct vh_progress *progress;
	uint64_t total;		/* bytes that are read */
	int form;		/* enum source_form */
	uint64_t newest;	/* as struct source has it */
	uint64_t room;		/* bytes that the disk may have */
	int pipe[2], to;
	struct source_reader reader;
	struct source is;
	int read, packed;	/* what became of both */
	struct vh_err read_err, pack_err;
};

/* Once. */
static void close_end(int *fd)
{
	int end = vh_steal_fd(fd);

	vh_close_fd(&end);
}

static void packing_clear(struct packing *p)
{
	close_end(&p->pipe[0]);
	close_end(&p->pipe[1]);
	close_end(&p->to);
	source_clear(&p->is);
	vh_err_clear(&p->read_err);
	vh_err_clear(&p->pack_err);
}

static void tick(void *arg, uint64_t bytes)
{
	const struct packing *p = arg;
	char size[16];

	vh_progress_step(p->progress, "volume %s: packed %u %% of %s", p->v->name, (unsigned)(bytes * 10 / (p->total + 1)) * 10,
			 vh_size_format(size, sizeof(size), p->total));
}

/* The same bytes every time: of the root directory, which is not in the archive, it has the time of the newest in that. */
static int run_mksquashfs(struct packing *p)
{
	vh_autofree char *out = vh_strf("/proc/self/fd/%d", p->to);
	vh_autofree char *newest = vh_strf("SOURCE_DATE_EPOCH=%llu", (unsigned long long)p->newest);
	vh_autofree char *processors = vh_strf("%zu", vh_processors() < PROCESSORS_MAX ? vh_processors() : PROCESSORS_MAX);
	const char *const argv[] = { "mksquashfs", "-", out, "-tar", "-noappend", "-quiet", "-no-progress", "-exit-on-error", "-no-xattrs",
				     "-comp", "zstd", "-Xcompression-level", "3", "-mem", "512M", "-processors", processors,
				     "-all-root", "-root-mode", "0555", NULL };
	/* Threads with heaps of their own reserve more than a confined program may have. */
	char *const env[] = { (char *)"MALLOC_ARENA_MAX=2", newest, NULL };
	const int keep[] = { p->to, -1 };

	if (!out || !processors || !newest)
		return vh_err_nomem(&p->pack_err);
	return vh_spawn_ok(&(struct vh_spawn){ .argv = (char *const *)argv, .env = env, .in_fd = p->pipe[0], .confined = true,
			   .file_max = p->room, .keep = keep }, NULL, &p->pack_err);
}

/* Who packs has the end of an archive with its first zeros, and reads no more; who writes it has more of them. */
static void drain(int fd)
{
	char rest[4096];

	while (read(fd, rest, sizeof(rest)) > 0)
		;
}

/* Who packs, and the reader, a process that runs already: in this order where there is no thread more, for the reader waits
 * for who packs. */
static void do_one(void *arg, size_t i)
{
	struct packing *p = arg;

	if (i == 1) {
		p->read = source_end(&p->reader, tick, p, &p->is, &p->read_err);
		return;
	}
	p->packed = run_mksquashfs(p);
	if (p->packed == 0)
		drain(p->pipe[0]);
	close_end(&p->pipe[0]);
}

/* Whether it has had all the room that it was given, or all that others have left of it. */
static bool is_full(const struct packing *p)
{
	struct stat st;
	struct statvfs fs;

	return (fstat(p->to, &st) == 0 && (uint64_t)st.st_size + NEARLY >= p->room) ||
	       (fstatvfs(p->to, &fs) == 0 && (uint64_t)fs.f_bavail * fs.f_frsize < NEARLY);
}

/* Who reads ends by the end of who packs. */
static int judge(struct packing *p, struct vh_err *err)
{
	const bool by_reader = p->read < 0 && (p->packed == 0 || p->read_err.num != EPIPE);
	char size[16];

	if (p->packed < 0 && is_full(p))
		return vh_err_set(err, ENOSPC, "%s: packed it takes more than the %s that are free there", p->part,
				  vh_size_format(size, sizeof(size), p->room));
	if (by_reader || p->packed < 0)
		vh_err_move(err, by_reader ? &p->read_err : &p->pack_err);
	return by_reader ? p->read : p->packed;
}

static int pack_directory(struct packing *p, struct vh_err *err)
{
	int r = pipe2(p->pipe, O_CLOEXEC) < 0 ? vh_err_set(err, errno, "pipe: %s", strerror(errno)) : 0;

	if (r == 0)
		r = source_start(p->v->from, p->pipe[1], 0, &p->reader, err);
	if (r < 0)
		return r;
	close_end(&p->pipe[1]);
	vh_parallel(2, 2, do_one, p);
	return judge(p, err);
}

static int copy_image(struct packing *p, int to, struct vh_err *err)
{
	int r = source_start(p->v->from, to, 0, &p->reader, err);

	return r < 0 ? r : source_end(&p->reader, tick, p, &p->is, err);
}

static int open_lent(const char *path, int *ret, struct vh_err *err)
{
	*ret = open(path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*ret < 0 || (errno = -vh_confine_lend(*ret)))
		return vh_err_set(err, errno, "%s: %s", path, strerror(errno));
	return 0;
}

static int run_qemu_img(const struct packing *p, int from, struct vh_err *err)
{
	vh_autofree char *in = vh_strf("/proc/self/fd/%d", from), *out = vh_strf("/proc/self/fd/%d", p->to);
	char *const argv[] = { (char *)"qemu-img", (char *)"convert", (char *)"-f", (char *)"qcow2", (char *)"-O", (char *)"raw", in, out, NULL };
	const int keep[] = { from, p->to, -1 };

	if (!in || !out)
		return vh_err_nomem(err);
	return vh_spawn_ok(&(struct vh_spawn){ .argv = argv, .confined = true, .file_max = p->room, .keep = keep }, NULL, err);
}

/* What is in it is judged as an image is. */
static int judge_unpacked(const struct packing *p, struct vh_err *err)
{
	vh_autofree uint8_t *head = calloc(1, SOURCE_HEAD);
	const char *why;
	struct stat st;

	if (!head)
		return vh_err_nomem(err);
	if (fstat(p->to, &st) < 0 || pread(p->to, head, SOURCE_HEAD, 0) < 0)
		return vh_err_set(err, errno, "%s: %s", p->part, strerror(errno));
	why = source_objection(head, (uint64_t)st.st_size);
	return why ? vh_err_refuse(err, EINVAL, "%s: what is in it %s", p->v->from, why) : 0;
}

/* How large it may become, and a word where it has to shrink for that. */
static int find_room(struct packing *p, struct vh_err *err)
{
	vh_autofree char *dir = strndup(p->part, (size_t)(strrchr(p->part, '/') - p->part));
	struct statvfs fs;
	char is[16], free_size[16];

	if (!dir)
		return vh_err_nomem(err);
	if (statvfs(dir, &fs) < 0)
		return vh_err_set(err, errno, "%s: %s", dir, strerror(errno));
	p->room = (uint64_t)fs.f_bavail * fs.f_frsize;
	p->room -= p->room / SOURCE_SPARE;
	if (p->total > p->room && p->form == SOURCE_DIRECTORY)
		vh_progress_note(p->progress, "volume %s: of %s, which has to shrink: %s are free in %s", p->v->name,
				 vh_size_format(is, sizeof(is), p->total), vh_size_format(free_size, sizeof(free_size), p->room), dir);
	return 0;
}

/* By way of our own copy, which nobody changes after the look at it, and which takes of the room. */
static int unpack_qcow2(struct packing *p, struct vh_err *err)
{
	vh_autofree char *copy = vh_strf("%s.qcow2", p->part);
	vh_autoclose int from = -1;
	uint8_t head[QCOW2_HEAD] = { 0 };
	uint64_t size;
	int r = copy ? open_lent(copy, &from, err) : vh_err_nomem(err);

	if (r == 0)
		r = copy_image(p, from, err);
	if (r == 0 && (pread(from, head, sizeof(head), 0) != sizeof(head) || qcow2_judge(head, &size) != QCOW2_PLAIN))
		r = vh_err_refuse(err, EBUSY, "%s: changed while it was read", p->v->from);
	if (r == 0)
		r = find_room(p, err);
	if (r == 0)
		r = run_qemu_img(p, from, err);
	if (copy)
		unlink(copy);
	return r < 0 ? r : judge_unpacked(p, err);
}

static int pack(struct packing *p, struct vh_err *err)
{
	int r = open_lent(p->part, &p->to, err);

	if (r < 0)
		return r;
	tick(p, 0);
	r = p->form == SOURCE_DIRECTORY ? pack_directory(p, err) : p->form == SOURCE_IMAGE ? copy_image(p, p->to, err) : unpack_qcow2(p, err);
	if (r == 0 && (errno = -vh_confine_take(p->to, 0400)))
		r = vh_err_set(err, errno, "%s: %s", p->part, strerror(errno));
	return r;
}

/* What changed behind the reader's back is seen by a second look. */
static int pack_whole(struct packing *p, struct vh_err *err)
{
	vh_cleanup(source_clear) struct source now = { 0 };
	int r = data_look(p->v, 0, &now, err);

	if (r < 0)
		return r;
	p->total = now.bytes;
	p->newest = now.newest;
	p->form = now.form;
	r = find_room(p, err);
	if (r == 0)
		r = pack(p, err);
	source_clear(&now);
	if (r < 0)
		return vh_err_within(err, "volume %s", p->v->name);
	r = data_look(p->v, 0, &now, err);
	if (r < 0 || (p->is.form == p->form && !strcmp(now.digest, p->is.digest)))
		return r;
	vh_err_refuse(err, EBUSY, "volume %s: %s changed while it was packed", p->v->name, p->v->from);
	return vh_err_hint(err, "try again once nobody writes there");
}

int data_make(const struct volume *v, const char *disk, struct vh_progress *progress, bool *ret_made, struct vh_err *err)
{
	vh_autofree char *part = vh_strf("%s.part", disk);
	vh_cleanup(packing_clear) struct packing p = { .v = v, .part = part, .progress = progress, .pipe = { -1, -1 }, .to = -1 };
	vh_cleanup(source_clear) struct source was = { 0 };
	vh_autoerr ignored = VH_ERR_NONE;
	int r = part ? data_packed(disk, &was, err) : vh_err_nomem(err);

	*ret_made = false;
	if (r != -ENOENT)
		return r;
	/* Of what that is not known, nor what a killed run left. */
	r = data_remove(disk, err);
	if (r == 0)
		r = pack_whole(&p, err);
	if (r == 0)
		r = write_packed(disk, &p.is, err);
	if (r == 0)
		r = vh_rename(part, disk, err);
	if (r < 0)
		data_remove(disk, &ignored);
	*ret_made = r == 0;
	return r;
}

int data_remove(const char *disk, struct vh_err *err)
{
	static const char *const ends[] = { ".part.qcow2", ".part", "", ".json" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < vh_array_len(ends); i++) {
		vh_autofree char *path = vh_strf("%s%s", disk, ends[i]);

		r = path ? vh_remove_tree(path, err) : vh_err_nomem(err);
	}
	return r;
}
