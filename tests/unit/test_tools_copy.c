// SPDX-License-Identifier: Apache-2.0
/* Copies to nodes and back. A program called ssh stands for the way there: a node is a directory. */
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/files/files.h"
#include "lib/files/read.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"
#include "tools/cluster/copy/copy.h"
#include "tools/cluster/copy/names.h"

/* What a node does otherwise is said by files in its directory. */
static const char ssh[] =
	"#!/bin/sh\n"
	"[ \"$1$3$4$6\" = -F-lada-- ] && [ $# = 7 ] || exit 99\n"
	"cd \"${0%/bin/ssh}/$5\" || exit 98\n"
	"[ ! -e refuses ] || { echo 'no way in' >&2; exit 5; }\n"
	"[ ! -e cut ] || { head -c 300000 | sh -c \"$7\"; exit; }\n"
	"[ ! -e spoils ] || { sed s/zzzz/zzzy/ | sh -c \"$7\" >../out; r=$?; sed s/zzzz/zzzy/ ../out; rm ../out; exit $r; }\n"
	"case $7 in *'tar -c'*) [ ! -e hostile ] || exec cat hostile ;; esac\n"
	"exec sh -c \"$7\"\n";

static char *const both[] = { (char *)"two-1", (char *)"two-2", NULL }, *const first[] = { (char *)"two-1", NULL };

/* Where we were, and what we ran: other suites may follow in this process. */
struct before { int dir; char *path; };

static void go_back(struct before *b)
{
	ck_assert(fchdir(b->dir) == 0 && setenv("PATH", b->path, 1) == 0);
	close(b->dir);
	free(b->path);
}
#define autobefore vh_cleanup(go_back) struct before

/* A directory with both nodes and the program; here: where we are, in it. */
static void begin(struct copy *ret, struct before *was)
{
	vh_autofree char *dir = unit_tmpdir();
	vh_autofree char *program = unit_file(dir, "bin/ssh", ssh), *path = vh_strf("%s/bin:%s", dir, getenv("PATH"));
	vh_autofree char *here = vh_strf("%s/here", dir), *one = vh_strf("%s/two-1", dir), *two = vh_strf("%s/two-2", dir);

	*was = (struct before){ open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), strdup(getenv("PATH")) };
	ck_assert(chmod(program, 0755) == 0 && mkdir(here, 0755) == 0 && mkdir(one, 0755) == 0 && mkdir(two, 0755) == 0);
	ck_assert(setenv("PATH", path, 1) == 0 && chdir(here) == 0);
	/* As every program of ours does (lib/cli.c). */
	signal(SIGPIPE, SIG_IGN);
	*ret = (struct copy){ .config = "/nowhere/ssh_config", .user = "ada" };
}

static void put(const char *path, const char *text)
{
	free(unit_file(".", path, text));
}

/* So many bytes, all of them z. */
static void put_many(const char *path, size_t n)
{
	vh_autofree char *text = malloc(n + 1);

	memset(text, 'z', n);
	text[n] = 0;
	put(path, text);
}

static bool same(const char *a, const char *b)
{
	char *const argv[] = { (char *)"diff", (char *)"-r", (char *)"--no-dereference", (char *)"--", (char *)a, (char *)b, NULL };
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	return vh_spawn_run(&(struct vh_spawn){ .argv = argv }, &out, &err) == 0 && out.status == 0;
}

static size_t count(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	ck_assert_ptr_nonnull(d);
	for (struct dirent *e; (e = readdir(d)); )
		n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
	closedir(d);
	return n;
}

static void put_tree(void)
{
	put("tree/a b", "1");
	put("tree/new\nline", "22");
	put("tree/-rf", "333");
	put("tree/quo'te \"$(touch oops)\"", "4444");
	put("tree/sub/deep/empty", "");
	put_many("tree/sub/many", 3 << 20);
	ck_assert(mkdir("tree/none", 0755) == 0 && chmod("tree/sub/many", 0754) == 0);
	ck_assert(symlink("sub/deep", "tree/link") == 0 && symlink("../a b", "tree/sub/up") == 0);
}

START_TEST(there_and_back)
{
	autobefore was;
	struct copy c;
	char *const paths[] = { (char *)"tree", (char *)"-file", NULL };
	const struct copy_from from[] = { { "two-1", "tree" }, { "two-2", "./-file" } }, all[] = { { "two-1", "tree/" }, { "two-2", "tree" } };
	vh_autoerr err = VH_ERR_NONE;
	struct stat st;

	begin(&c, &was);
	put_tree();
	put("-file", "x");
	ck_assert_msg(copy_to_nodes(&c, paths, 2, both, "", &err) == 0, "%s", err.text);
	ck_assert(same("tree", "../two-1/tree") && same("tree", "../two-2/tree") && same("-file", "../two-2/-file"));
	ck_assert_uint_eq(count("../two-1"), 2);
	ck_assert_uint_eq(c.files, 2 * 7);
	ck_assert(stat("../two-1/tree/sub/many", &st) == 0 && (st.st_mode & 07777) == 0754);
	ck_assert_int_eq(mkdir("back", 0755), 0);
	ck_assert_msg(copy_from_nodes(&c, from, 2, "back", false, &err) == 0, "%s", err.text);
	ck_assert(same("tree", "back/tree") && same("-file", "back/-file"));
	ck_assert(stat("back/tree/sub/many", &st) == 0 && (st.st_mode & 07777) == 0754);
	ck_assert_msg(copy_from_nodes(&c, all, 2, "back", true, &err) == 0, "%s", err.text);
	ck_assert(same("tree", "back/two-1/tree") && same("tree", "back/two-2/tree"));
	ck_assert_uint_eq(count("back"), 4);
	ck_assert_uint_eq(count("back/two-1"), 1);
}
END_TEST

START_TEST(target_is_a_directory_or_a_new_name)
{
	autobefore was;
	struct copy c;
	char *const file[] = { (char *)"file", (char *)"other", NULL }, *const tree[] = { (char *)"tree/", NULL };
	char *const twice[] = { (char *)"file", (char *)"tree/file", NULL }, *const none[] = { (char *)"..", NULL }, *const gone[] = { (char *)"gone", NULL };
	const struct copy_from from[] = { { "two-1", "file" }, { "two-2", "file" } };
	vh_autoerr err = VH_ERR_NONE;

	begin(&c, &was);
	put("file", "new");
	put("other", "x");
	put("tree/file", "y");
	put("../two-1/file", "old");
	put("../two-2/was/it", "z");
	ck_assert_int_eq(copy_to_nodes(&c, file, 1, both, "file", &err), 0);
	ck_assert(same("file", "../two-1/file") && same("file", "../two-2/file"));
	ck_assert_int_eq(copy_to_nodes(&c, tree, 1, first, "it's/", &err), -EIO);
	unit_assert_err(&err, VH_EXIT_FAILED, "two-1: ssh: exit status 1: ./it's/: no such directory", NULL);
	ck_assert_int_eq(copy_to_nodes(&c, tree, 1, first, "it's", &err), 0);
	ck_assert(same("tree", "../two-1/it's"));
	ck_assert_int_lt(copy_to_nodes(&c, file, 2, first, "several", &err), 0);
	unit_assert_err(&err, VH_EXIT_FAILED, "two-1: ssh: exit status 1: ./several: no such directory, for several", NULL);
	/* One of them has such a directory: the other has its copy. */
	ck_assert_int_eq(rename("../two-2/was", "../two-2/tree"), 0);
	ck_assert_int_lt(copy_to_nodes(&c, tree, 1, both, "", &err), 0);
	unit_assert_err(&err, VH_EXIT_PARTIAL, "two-2: ssh: exit status 1: ./tree: is a directory that is there already", NULL);
	ck_assert(same("tree", "../two-1/tree"));
	ck_assert_uint_eq(count("../two-2"), 2);

	ck_assert_int_lt(copy_to_nodes(&c, twice, 2, first, "", &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "two of what is to be copied are called file", NULL);
	ck_assert_int_lt(copy_to_nodes(&c, none, 1, first, "", &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "'..' has no name of its own", "say the directory by its name");
	ck_assert_int_lt(copy_to_nodes(&c, gone, 1, first, "", &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "gone: no such file or directory", NULL);

	ck_assert_int_eq(copy_from_nodes(&c, from, 1, "other", false, &err), 0);
	ck_assert(same("file", "other"));
	ck_assert_int_lt(copy_from_nodes(&c, from, 1, "nowhere/", false, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "nowhere/: no such directory", NULL);
	ck_assert_int_lt(copy_from_nodes(&c, from, 2, ".", false, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "two of what is to be copied would be ./file", NULL);
	ck_assert_int_lt(copy_from_nodes(&c, &(struct copy_from){ "two-1", "a/b c" }, 1, ".", false, &err), 0);
	unit_assert_err(&err, VH_EXIT_FAILED, "two-1: ssh: exit status 2: sh: 2: cd: can't cd to ./a", NULL);
	ck_assert_int_lt(copy_from_nodes(&c, &(struct copy_from){ "two-1", "b c" }, 1, ".", false, &err), 0);
	unit_assert_err(&err, VH_EXIT_FAILED, "two-1: ssh: exit status 1: ./b c: no such file or directory", NULL);
	ck_assert_int_lt(copy_from_nodes(&c, &(struct copy_from){ "two-1", "tree" }, 1, ".", false, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "two-1: ./tree: is a directory that is there already", NULL);
	ck_assert_uint_eq(count("."), 3);
}
END_TEST

START_TEST(what_is_cut_short_or_spoilt_has_no_name)
{
	static const struct { const char *how, *why; } ways[] = {
		{ "cut", "tar: Unexpected EOF in archive" }, { "spoils", "what arrived is not what was sent" }, { "refuses", "no way in" },
	};
	char *const paths[] = { (char *)"many", NULL };
	autobefore was;
	struct copy c;
	const struct copy_from from = { "two-2", "there" };
	vh_autoerr err = VH_ERR_NONE;

	begin(&c, &was);
	put_many("many", 4 << 20);
	put_many("../two-2/there", 1 << 20);
	for (size_t i = 0; i < vh_array_len(ways); i++) {
		vh_autofree char *file = vh_strf("../two-1/%s", ways[i].how);

		put(file, "");
		ck_assert_int_lt(copy_to_nodes(&c, paths, 1, first, "new", &err), 0);
		ck_assert_msg(strstr(err.text, ways[i].why), "%s", err.text);
		vh_err_clear(&err);
		ck_assert_uint_eq(count("../two-1"), 1);
		ck_assert_int_eq(unlink(file), 0);
	}
	put("../two-2/spoils", "");
	ck_assert_int_lt(copy_from_nodes(&c, &from, 1, "new", false, &err), 0);
	unit_assert_err(&err, VH_EXIT_FAILED, "two-2: there: what arrived is not what is there", "copy again: it may have changed meanwhile");
	put("../two-2/refuses", "");
	ck_assert_int_lt(copy_from_nodes(&c, &from, 1, "new", false, &err), 0);
	unit_assert_err(&err, VH_EXIT_FAILED, "two-2: ssh: exit status 5: no way in", NULL);
	ck_assert_uint_eq(count("."), 1);
}
END_TEST

START_TEST(what_is_no_file_is_not_sent)
{
	char *const paths[] = { (char *)"tree", NULL };
	autobefore was;
	struct copy c;
	vh_autoerr err = VH_ERR_NONE;

	begin(&c, &was);
	put("tree/file", "x");
	ck_assert_int_eq(mkfifo("tree/pipe", 0600), 0);
	ck_assert_int_lt(copy_to_nodes(&c, paths, 1, first, "", &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "two-1: tree/pipe: is neither file, directory nor link", NULL);
	ck_assert_uint_eq(count("../two-1"), 0);
}
END_TEST

/* --- archives of nodes that lie */

struct lie { const char *name, *target; unsigned type; };

static void write_lies(const char *path, const struct lie *lies)
{
	struct archive *a = archive_write_new();

	ck_assert(archive_write_set_format_gnutar(a) == ARCHIVE_OK && archive_write_open_filename(a, path) == ARCHIVE_OK);
	for (; lies->name; lies++) {
		struct archive_entry *e = archive_entry_new();

		archive_entry_set_pathname(e, lies->name);
		archive_entry_set_filetype(e, lies->type ? lies->type : AE_IFREG);
		archive_entry_set_perm(e, 06755);
		archive_entry_set_size(e, lies->target || lies->type ? 0 : 1);
		if (lies->target && lies->type)
			archive_entry_set_symlink(e, lies->target);
		else if (lies->target)
			archive_entry_set_hardlink(e, lies->target);
		ck_assert_msg(archive_write_header(a, e) == ARCHIVE_OK, "%s", archive_error_string(a));
		if (!lies->target && !lies->type)
			ck_assert_int_eq(archive_write_data(a, "x", 1), 1);
		archive_entry_free(e);
	}
	ck_assert(archive_write_close(a) == ARCHIVE_OK);
	archive_write_free(a);
}

START_TEST(lies_of_a_node_are_refused)
{
	static const struct { struct lie lies[4]; const char *why; } cases[] = {
		{ { { "../evil", NULL, 0 } }, "'../evil' in the node's archive is not below what was asked for" },
		{ { { "/tmp/evil", NULL, 0 } }, "'/tmp/evil' in the node's archive is not below what was asked for" },
		{ { { "./other", NULL, 0 } }, "'./other' in the node's archive is not below what was asked for" },
		{ { { "./itother", NULL, 0 } }, "'./itother' in the node's archive is not below what was asked for" },
		{ { { "./it/", NULL, AE_IFDIR }, { "./it/../../evil", NULL, 0 } },
		  "'./it/../../evil' in the node's archive is not below what was asked for" },
		{ { { "./it", "/etc", AE_IFLNK }, { "./it/passwd", NULL, 0 } },
		  "'./it' in the node's archive is a link that leads out of what is copied" },
		{ { { "./it/", NULL, AE_IFDIR }, { "./it/l", "../../..", AE_IFLNK } },
		  "'./it/l' in the node's archive is a link that leads out of what is copied" },
		{ { { "./it/", NULL, AE_IFDIR }, { "./it/l", ".", AE_IFLNK }, { "./it/l/f", NULL, 0 } },
		  "'./it/l/f' in the node's archive is in no directory of it" },
		{ { { "./it/", NULL, AE_IFDIR }, { "./it/f", NULL, 0 }, { "./it/f", NULL, 0 } },
		  "'./it/f' in the node's archive comes twice" },
		{ { { "./it/", NULL, AE_IFDIR }, { "./it/l", "f", AE_IFLNK }, { "./it/l", NULL, 0 } },
		  "'./it/l' in the node's archive comes twice" },
		{ { { "./it", "/etc/passwd", 0 } }, "'./it' in the node's archive is neither file, directory nor link" },
		{ { { "./it", NULL, AE_IFIFO } }, "'./it' in the node's archive is neither file, directory nor link" },
		{ { { "./it", NULL, AE_IFCHR } }, "'./it' in the node's archive is neither file, directory nor link" },
	};
	autobefore was;
	struct copy c;
	const struct copy_from from = { "two-1", "it" };

	begin(&c, &was);
	put("../two-1/it/f", "x");
	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autofree char *want = vh_strf("two-1: %s", cases[i].why);
		vh_autoerr err = VH_ERR_NONE;

		write_lies("../two-1/hostile", cases[i].lies);
		ck_assert_int_lt(copy_from_nodes(&c, &from, 1, ".", false, &err), 0);
		unit_assert_err(&err, VH_EXIT_REFUSED, want, NULL);
		ck_assert_uint_eq(count("."), 0);
		ck_assert_uint_eq(count(".."), 4);
	}
}
END_TEST

START_TEST(archives_that_are_none_are_refused)
{
	static const struct lie true_one[] = { { "./it", NULL, 0 }, { NULL, NULL, 0 } };
	autobefore was;
	struct copy c;
	vh_autofree char *bytes = NULL;
	const struct copy_from from = { "two-1", "it" };
	vh_autoerr err = VH_ERR_NONE;
	struct stat st;
	size_t len;

	begin(&c, &was);
	put("../two-1/it", "x");
	put("../two-1/hostile", "Welcome to this node!\n");
	ck_assert_int_lt(copy_from_nodes(&c, &from, 1, ".", false, &err), 0);
	unit_assert_err(&err, VH_EXIT_FAILED, "two-1: it: its archive Unrecognized archive format", NULL);
	put("../two-1/hostile", "");
	ck_assert_int_lt(copy_from_nodes(&c, &from, 1, ".", false, &err), 0);
	vh_err_clear(&err);
	write_lies("../two-1/hostile", true_one);
	ck_assert_int_eq(vh_host_file("../two-1/hostile", &bytes, &len, &err), 0);
	ck_assert_int_eq(truncate("../two-1/hostile", 512), 0);
	ck_assert_int_lt(copy_from_nodes(&c, &from, 1, ".", false, &err), 0);
	vh_err_clear(&err);
	ck_assert_uint_eq(count("."), 0);
	/* What it would have become: nothing that runs as somebody else. */
	ck_assert_int_eq(vh_write_file("../two-1/hostile", bytes, len, 0600, &err), 0);
	ck_assert_msg(copy_from_nodes(&c, &from, 1, ".", false, &err) == 0, "%s", err.text);
	ck_assert(stat("it", &st) == 0 && (st.st_mode & 07777) == 0755);
}
END_TEST

START_TEST(links_stay_or_lead_out)
{
	static const struct { const char *path, *target; bool stays; } cases[] = {
		{ "it/a", "b", true }, { "it/a", "b/c/d", true }, { "it/s/a", "../b", true }, { "it/s/a", "..", true },
		{ "it/a", "..", false }, { "it/a", "../it/b", false }, { "it/a", "/b", false }, { "it/a", "", false },
		{ "it", "b", false }, { "it/a", "b/../c", false }, { "it/s/t/a", "../../x/..", false }, { "it/s/a", "../../b", false },
		{ "it/a", "..b", true }, { "it/a", "b/..c", true },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++)
		ck_assert_msg(name_link_stays(cases[i].path, cases[i].target) == cases[i].stays, "%s -> %s", cases[i].path, cases[i].target);
}
END_TEST

START_TEST(arguments_with_a_node)
{
	ck_assert_uint_eq(copy_node_len("2:/tmp/a:b"), 1);
	ck_assert_uint_eq(copy_node_len("all:"), 3);
	ck_assert_uint_eq(copy_node_len("./a:b"), 0);
	ck_assert_uint_eq(copy_node_len("/a:b"), 0);
	ck_assert_uint_eq(copy_node_len("file"), 0);
	ck_assert_uint_eq(copy_node_len(":file"), 0);
}
END_TEST

UNIT_SUITE(tools_copy, there_and_back, target_is_a_directory_or_a_new_name, what_is_cut_short_or_spoilt_has_no_name,
	   what_is_no_file_is_not_sent, lies_of_a_node_are_refused, archives_that_are_none_are_refused, links_stay_or_lead_out,
	   arguments_with_a_node)
