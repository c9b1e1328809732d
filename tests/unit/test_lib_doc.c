// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <string.h>
#include "lib/doc/doc.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "lib/values.h"
#include "tests/unit/unit.h"

/* A manifest with a key of every type. */
struct disk { char *path; uint64_t size; };
struct cluster {
	char *name, *image;
	uint64_t vcpus, memory;
	bool pinned;
	int policy;
	char **packages, **env;
	struct { char *cidr; uint64_t mtu; } network;
	struct vh_doc_list disks;
};

static const char *const policies[] = { "dedicated", "shared", NULL };

static const struct vh_key network_keys[] = {
	{ .name = "cidr", .type = VH_KEY_STR, .offset = offsetof(struct cluster, network.cidr) - offsetof(struct cluster, network),
	  .dflt = "auto", .help = "IPv4 network" },
	{ .name = "mtu", .type = VH_KEY_UINT, .offset = offsetof(struct cluster, network.mtu) - offsetof(struct cluster, network),
	  .min = 576, .max = 9000, .dflt = "1500", .help = "bytes" },
	{ 0 }
};
static const struct vh_key disk_keys[] = {
	{ .name = "path", .type = VH_KEY_STR, .offset = offsetof(struct disk, path), .required = true, .help = "where" },
	{ .name = "size", .type = VH_KEY_SIZE, .offset = offsetof(struct disk, size), .dflt = "1G", .help = "bytes" },
	{ 0 }
};
#define KEY(k, t) .name = #k, .type = t, .offset = offsetof(struct cluster, k)
static const struct vh_key keys[] = {
	{ KEY(name, VH_KEY_STR), .required = true, .check = vh_hostname_check, .help = "the cluster's name" },
	{ KEY(image, VH_KEY_STR), .dflt = "mpi", .help = "the image" },
	{ KEY(vcpus, VH_KEY_UINT), .dflt = "2", .min = 1, .max = 64, .help = "vCPUs a node" },
	{ KEY(memory, VH_KEY_SIZE), .dflt = "512M", .min = 64 << 20, .max = 1ULL << 40, .help = "memory a node" },
	{ KEY(pinned, VH_KEY_BOOL), .dflt = "yes", .help = "whether pinned" },
	{ KEY(policy, VH_KEY_ENUM), .dflt = "shared", .choices = policies, .help = "CPU policy" },
	{ KEY(packages, VH_KEY_STRV), .max = 3, .check = vh_hostname_check, .help = "packages" },
	{ KEY(env, VH_KEY_STRMAP), .help = "variables" },
	{ KEY(network, VH_KEY_MAP), .keys = network_keys, .help = "the network" },
	{ KEY(disks, VH_KEY_LIST), .keys = disk_keys, .item_size = sizeof(struct disk), .max = 2, .help = "disks" },
	{ 0 }
};

static int parse(const char *text, struct cluster *c, struct vh_err *err)
{
	*c = (struct cluster){ 0 };
	return vh_doc_parse("two.yaml", text, strlen(text), keys, c, err);
}

static void refused(const char *text, const char *want, const char *hint, int line)
{
	vh_autoerr err = VH_ERR_NONE;
	struct cluster c;
	int r = parse(text, &c, &err);

	if (r == 0)
		ck_abort_msg("line %d: taken, but '%s' was expected", line, want);
	/* What failed owns nothing. */
	ck_assert(!c.name && !c.image && !c.packages && !c.env && !c.disks.items && !c.network.cidr);
	unit_check_err(&err, VH_EXIT_REFUSED, want, hint, __FILE__, line);
}
#define REFUSED(text, want, hint) refused(text, want, hint, __LINE__)

START_TEST(every_type_is_read)
{
	vh_autoerr err = VH_ERR_NONE;
	struct cluster c;
	const struct disk *disks;

	ck_assert_msg(parse("# a cluster\nname: two-node\nimage: 'mpi: 1'\nvcpus: 4\nmemory: 1.5G\npinned: no\n"
			    "policy: dedicated\npackages: [gcc, make]\nenv:\n  A: 1\n  B: x=y\n"
			    "network: {cidr: 10.1.0.0/24, mtu: 9000}\ndisks:\n- path: /a\n- size: 2G\n  path: /b\n",
			    &c, &err) == 0, "%s", err.text);
	ck_assert_str_eq(c.name, "two-node");
	ck_assert_str_eq(c.image, "mpi: 1");
	ck_assert_uint_eq(c.vcpus, 4);
	ck_assert_uint_eq(c.memory, 3ULL << 29);
	ck_assert(!c.pinned);
	ck_assert_int_eq(c.policy, 0);
	ck_assert_uint_eq(vh_strv_len(c.packages), 2);
	ck_assert_str_eq(c.packages[1], "make");
	ck_assert_str_eq(c.env[0], "A=1");
	ck_assert_str_eq(c.env[1], "B=x=y");
	ck_assert_str_eq(c.network.cidr, "10.1.0.0/24");
	ck_assert_uint_eq(c.network.mtu, 9000);
	ck_assert_uint_eq(c.disks.n, 2);
	disks = c.disks.items;
	ck_assert_str_eq(disks[0].path, "/a");
	ck_assert_uint_eq(disks[0].size, 1 << 30);
	ck_assert_str_eq(disks[1].path, "/b");
	ck_assert_uint_eq(disks[1].size, 2ULL << 30);
	vh_doc_free(keys, &c);
	ck_assert(!c.name && !c.disks.items && !c.disks.n);
}
END_TEST

START_TEST(defaults_fill_what_is_left_out)
{
	vh_autoerr err = VH_ERR_NONE;
	struct cluster c;

	ck_assert_msg(parse("name: a", &c, &err) == 0, "%s", err.text);
	ck_assert_str_eq(c.image, "mpi");
	ck_assert_uint_eq(c.vcpus, 2);
	ck_assert_uint_eq(c.memory, 512 << 20);
	ck_assert(c.pinned);
	ck_assert_int_eq(c.policy, 1);
	ck_assert_ptr_null(c.packages);
	ck_assert_str_eq(c.network.cidr, "auto");
	ck_assert_uint_eq(c.network.mtu, 1500);
	ck_assert_ptr_null(c.disks.items);
	vh_doc_free(keys, &c);
}
END_TEST

START_TEST(words_that_yaml_would_change_stay_text)
{
	vh_autoerr err = VH_ERR_NONE;
	struct cluster c;

	ck_assert_int_eq(parse("name: 'no'\nimage: 1.10", &c, &err), 0);
	ck_assert_str_eq(c.name, "no");
	ck_assert_str_eq(c.image, "1.10");
	vh_doc_free(keys, &c);
}
END_TEST

START_TEST(unknown_keys_name_the_nearest)
{
	REFUSED("name: a\nimage: x\n\nvcpu: 2\n", "two.yaml:4:1: unknown key 'vcpu'", "did you mean 'vcpus'?");
	REFUSED("name: a\nnetwork:\n  mtuu: 2\n", "two.yaml:3:3: unknown key 'mtuu'", "did you mean 'mtu'?");
	REFUSED("name: a\ndisks:\n  - path: x\n    szie: 1\n", "two.yaml:4:5: unknown key 'szie'", "did you mean 'size'?");
	REFUSED("name: a\nnetwork: {bandwidth: 2}\n", "two.yaml:2:11: unknown key 'bandwidth'", "known here: cidr, mtu");
}
END_TEST

START_TEST(missing_keys_are_named)
{
	REFUSED("vcpus: 2\n", "two.yaml:1:1: key 'name' is missing", NULL);
	REFUSED("name: a\ndisks:\n  - path: x\n  - size: 1G\n", "two.yaml:4:5: key 'path' is missing", NULL);
	REFUSED("", "two.yaml:1:1: a document of keys is expected, not nothing", NULL);
	REFUSED("# nothing\n", "two.yaml:1:1: a document of keys is expected, not nothing", NULL);
	REFUSED("- a\n", "two.yaml:1:1: a document of keys is expected, not a list", NULL);
}
END_TEST

START_TEST(values_are_checked)
{
	REFUSED("name: a\nvcpus: -1\n", "two.yaml:2:8: vcpus: '-1' is not a whole number", NULL);
	REFUSED("name: a\nvcpus: 0\n", "two.yaml:2:8: vcpus: 0 is less than 1", NULL);
	REFUSED("name: a\nvcpus: 65\n", "two.yaml:2:8: vcpus: 65 is more than 64", NULL);
	REFUSED("name: a\nvcpus: 99999999999999999999\n",
		"two.yaml:2:8: vcpus: 99999999999999999999 is more than 18446744073709551615", NULL);
	REFUSED("name: a\nmemory: lots\n", "two.yaml:2:9: memory: 'lots' is not a size",
		"a number and K, M, G or T, such as 512M or 2G");
	REFUSED("name: a\nmemory: 1M\n", "two.yaml:2:9: memory: 1 MiB is less than 64 MiB", NULL);
	REFUSED("name: a\nmemory: 9T\n", "two.yaml:2:9: memory: 9 TiB is more than 1 TiB", NULL);
	REFUSED("name: a\npinned: maybe\n", "two.yaml:2:9: pinned: 'maybe' is neither true nor false", "true, false, yes or no");
	REFUSED("name: a\npolicy: dedicatd\n", "two.yaml:2:9: policy: 'dedicatd' is none of its choices", "did you mean 'dedicated'?");
	REFUSED("name: a\npolicy: x\n", "two.yaml:2:9: policy: 'x' is none of its choices", "known here: dedicated, shared");
	REFUSED("name: No_Host\n", "two.yaml:1:7: name: 'No_Host' is no host name", NULL);
	REFUSED("name: a\npackages: [ok, -bad]\n", "two.yaml:2:16: packages: '-bad' is no host name", NULL);
	REFUSED("name: a\npackages: [a, b, c, d]\n", "two.yaml:2:11: packages: 4 given, at most 3 taken", NULL);
	REFUSED("name: a\ndisks: [{path: a}, {path: b}, {path: c}]\n", "two.yaml:2:8: disks: 3 given, at most 2 taken", NULL);
	REFUSED("name: a\nenv: {a=b: c}\n", "two.yaml:2:7: env: a name has no '='", NULL);
}
END_TEST

START_TEST(kinds_are_checked)
{
	REFUSED("name: [a]\n", "two.yaml:1:7: name: a value is expected, not a list", NULL);
	REFUSED("name: {a: b}\n", "two.yaml:1:7: name: a value is expected, not a map", NULL);
	REFUSED("name:\n", "two.yaml:1:6: name: a value is expected, not nothing", NULL);
	REFUSED("name: ~\n", "two.yaml:1:7: name: a value is expected, not nothing", NULL);
	REFUSED("name: a\nnetwork: 1\n", "two.yaml:2:10: network: a map is expected, not a value", NULL);
	REFUSED("name: a\ndisks: {}\n", "two.yaml:2:8: disks: a list is expected, not a map", NULL);
	REFUSED("name: a\ndisks: [1]\n", "two.yaml:2:9: disks: a map is expected, not a value", NULL);
	REFUSED("name: a\npackages: x\n", "two.yaml:2:11: packages: a list is expected, not a value", NULL);
	REFUSED("name: a\npackages: [[x]]\n", "two.yaml:2:12: packages: a value is expected, not a list", NULL);
	REFUSED("name: a\nenv: [x]\n", "two.yaml:2:6: env: a map is expected, not a list", NULL);
	REFUSED("name: a\nenv: {x: [y]}\n", "two.yaml:2:10: env: a value is expected, not a list", NULL);
}
END_TEST

START_TEST(empty_text_is_text_when_quoted)
{
	vh_autoerr err = VH_ERR_NONE;
	struct cluster c;

	ck_assert_int_eq(parse("name: a\nimage: ''\n", &c, &err), 0);
	ck_assert_str_eq(c.image, "");
	vh_doc_free(keys, &c);
	REFUSED("name: ''\n", "two.yaml:1:7: name: '' is no host name", NULL);
}
END_TEST

START_TEST(what_yaml_offers_beyond_documents_is_refused)
{
	REFUSED("name: a\nname: b\n", "two.yaml:2:1: key 'name' is there twice, first on line 1", NULL);
	REFUSED("name: a\nenv:\n  x: 1\n  x: 2\n", "two.yaml:4:3: key 'x' is there twice, first on line 3", NULL);
	REFUSED("name: &n a\n", "two.yaml:1:7: tags and anchors are not taken", "write out what they stand for");
	REFUSED("name: *n\n", "two.yaml:1:7: aliases are not taken", "write out what they stand for");
	REFUSED("name: !!str a\n", "two.yaml:1:7: tags and anchors are not taken", "write out what they stand for");
	REFUSED("name: a\n---\nname: b\n", "two.yaml:2:1: one document is taken, not several", NULL);
	REFUSED("[a]: b\n", "two.yaml:1:1: a key must be a word", NULL);
	REFUSED("~: b\n", "two.yaml:1:1: a key must be a word", NULL);
	REFUSED("<<: {name: a}\n", "two.yaml:1:1: unknown key '<<'", NULL);
}
END_TEST

START_TEST(syntax_errors_have_their_place)
{
	vh_autoerr err = VH_ERR_NONE;
	struct cluster c;

	ck_assert_int_eq(parse("name: a\nvcpus: [1\n", &c, &err), -EINVAL);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_msg(!strncmp(err.text, "two.yaml:3:1: ", 14), "%s", err.text);
	ck_assert_int_eq(parse("name: a\n\tvcpus: 1\n", &c, &err), -EINVAL);
	ck_assert_msg(!strncmp(err.text, "two.yaml:2:1: ", 14), "%s", err.text);
}
END_TEST

START_TEST(bytes_that_are_no_text_are_refused)
{
	vh_autoerr err = VH_ERR_NONE;
	struct cluster c = { 0 };

	ck_assert_int_eq(parse("name: a\nimage: h\xc3\xb6 \xff\n", &c, &err), -EINVAL);
	ck_assert_msg(!strncmp(err.text, "two.yaml:2:11: ", 15), "%s", err.text);
	ck_assert_int_eq(vh_doc_parse("two.yaml", "name: a\0b", 9, keys, &c, &err), -EINVAL);
	ck_assert_msg(!strncmp(err.text, "two.yaml:1:8: ", 14), "%s", err.text);
	REFUSED("name: a\nimage: \"a\\0b\"\n", "two.yaml:2:8: control characters are not taken", NULL);
	REFUSED("name: a\nimage: \"a\\e[31m\"\n", "two.yaml:2:8: control characters are not taken", NULL);
	REFUSED("name: a\nimage: \"a\\x9b31m\"\n", "two.yaml:2:8: control characters are not taken", NULL);
	/* UTF-16 is not guessed at. */
	ck_assert_int_eq(vh_doc_parse("two.yaml", "\xff\xfen\0a\0", 6, keys, &c, &err), -EINVAL);
}
END_TEST

static char *repeat(const char *before, const char *s, size_t n, const char *after)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	fputs(before, f);
	for (size_t i = 0; i < n; i++)
		fputs(s, f);
	fputs(after, f);
	fclose(f);
	return text;
}

START_TEST(depth_count_and_size_have_limits)
{
	vh_autofree char *deep = repeat("name: ", "[", 40, ""), *block = repeat("name:\n ", "- ", 100000, "x");
	vh_autofree char *many = repeat("name: a\npackages: [", "a, ", 30000, "a]\n");
	vh_autofree char *big = repeat("name: a\n", "# comment\n", (1 << 20) / 10, "");

	REFUSED(deep, "two.yaml:1:38: nested deeper than 32 levels", NULL);
	REFUSED(block, "two.yaml:2:64: nested deeper than 32 levels", NULL);
	REFUSED(many, "two.yaml:2:59997: more than 20000 values", NULL);
	REFUSED(big, "two.yaml: more than 1 MiB", NULL);
}
END_TEST

START_TEST(many_keys_are_checked_in_time)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	vh_autoerr err = VH_ERR_NONE;
	struct cluster c;

	fputs("name: a\nenv:\n", f);
	for (int i = 0; i < 9000; i++)
		fprintf(f, "  k%d: v\n", i);
	fclose(f);
	ck_assert_msg(parse(text, &c, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(vh_strv_len(c.env), 9000);
	vh_doc_free(keys, &c);
	free(text);
}
END_TEST

START_TEST(files_are_read_and_named)
{
	vh_autofree char *dir = unit_tmpdir(), *good = unit_file(dir, "good.yaml", "name: a\n");
	vh_autofree char *bad = unit_file(dir, "bad.yaml", "nam: a\n"), *none = vh_strf("%s/none.yaml", dir);
	vh_autofree char *want_bad = vh_strf("%s:1:1: unknown key 'nam'", bad);
	vh_autofree char *want_none = vh_strf("%s: No such file or directory", none);
	vh_autofree char *want_dir = vh_strf("%s: Is a directory", dir);
	vh_autoerr err = VH_ERR_NONE;
	struct cluster c = { 0 };

	ck_assert_int_eq(vh_doc_load(good, keys, &c, &err), 0);
	ck_assert_str_eq(c.name, "a");
	vh_doc_free(keys, &c);
	ck_assert_int_eq(vh_doc_load(bad, keys, &c, &err), -EINVAL);
	unit_assert_err(&err, VH_EXIT_REFUSED, want_bad, "did you mean 'name'?");
	ck_assert_int_eq(vh_doc_load(none, keys, &c, &err), -ENOENT);
	unit_assert_err(&err, VH_EXIT_REFUSED, want_none, NULL);
	ck_assert_int_eq(vh_doc_load(dir, keys, &c, &err), -EISDIR);
	unit_assert_err(&err, VH_EXIT_REFUSED, want_dir, NULL);
	ck_assert_int_eq(vh_doc_load("/dev/zero", keys, &c, &err), -EFBIG);
}
END_TEST

START_TEST(reference_has_a_row_a_key)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	vh_doc_reference(f, keys);
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "| `name` | text | required |  | the cluster's name |\n"));
	ck_assert_ptr_nonnull(strstr(text, "| `vcpus` | number | `2` | from 1 to 64 | vCPUs a node |\n"));
	ck_assert_ptr_nonnull(strstr(text, "| `memory` | size | `512M` | from 64 MiB to 1 TiB | memory a node |\n"));
	ck_assert_ptr_nonnull(strstr(text, "| `policy` | choice | `shared` | `dedicated`, `shared` | CPU policy |\n"));
	ck_assert_ptr_nonnull(strstr(text, "| `network.mtu` | number | `1500` | from 576 to 9000 | bytes |\n"));
	ck_assert_ptr_nonnull(strstr(text, "| `disks[].path` | text | required |  | where |\n"));
	free(text);
}
END_TEST

static const struct vh_key layer_keys[] = {
	{ KEY(name, VH_KEY_STR), .required = true, .help = "name" },
	{ KEY(image, VH_KEY_STR), .dflt = "mpi", .help = "image" },
	{ KEY(vcpus, VH_KEY_UINT), .dflt = "2", .help = "vCPUs" },
	{ KEY(pinned, VH_KEY_BOOL), .dflt = "yes", .help = "pinned" },
	{ KEY(policy, VH_KEY_ENUM), .dflt = "shared", .choices = policies, .help = "policy" },
	{ KEY(packages, VH_KEY_STRV), .help = "packages" },
	{ KEY(env, VH_KEY_STRMAP), .help = "variables" },
	{ KEY(disks, VH_KEY_LIST), .keys = disk_keys, .item_size = sizeof(struct disk), .help = "disks" },
	{ 0 }
};

static void lay(const char *text, struct cluster *under, uint64_t *given)
{
	vh_autoerr err = VH_ERR_NONE;
	struct cluster over = { 0 };
	uint64_t its;

	ck_assert_msg(vh_doc_layer("l.yaml", text, strlen(text), layer_keys, &over, &its, &err) == 0, "%s", err.text);
	ck_assert_msg(vh_doc_lay(layer_keys, under, &over, its, &err) == 0, "%s", err.text);
	ck_assert_ptr_null(over.packages);
	*given |= its;
}

START_TEST(layers_lie_over_each_other)
{
	vh_autoerr err = VH_ERR_NONE;
	struct cluster c = { 0 };
	uint64_t given = 0;

	lay("name: a\nvcpus: 8\npinned: no\npackages: [x, y]\nenv: {A: 1, AB: 2}\ndisks: [{path: /a}]\n", &c, &given);
	lay("packages: [y, z]\nenv: {A: 3, C: 4}\npolicy: dedicated\ndisks: [{path: /b, size: 2G}]\n", &c, &given);
	ck_assert_ptr_null(c.image);
	ck_assert_int_eq(vh_doc_close("l.yaml", layer_keys, &c, given, &err), 0);
	vh_autofree char *text = NULL;
	json_t *doc = vh_doc_json(layer_keys, &c);
	text = json_dumps(doc, JSON_COMPACT);
	ck_assert_str_eq(text, "{\"name\":\"a\",\"image\":\"mpi\",\"vcpus\":8,\"pinned\":false,\"policy\":\"dedicated\","
			 "\"packages\":[\"x\",\"y\",\"z\"],\"env\":[\"A=3\",\"AB=2\",\"C=4\"],"
			 "\"disks\":[{\"path\":\"/a\",\"size\":1073741824},{\"path\":\"/b\",\"size\":2147483648}]}");
	json_decref(doc);
	vh_doc_free(layer_keys, &c);
	ck_assert_int_lt(vh_doc_close("l.yaml", layer_keys, &c, 0, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "l.yaml:1:1: key 'name' is missing", NULL);
	vh_doc_free(layer_keys, &c);
}
END_TEST

START_TEST(documents_of_others_are_read_in_part)
{
	static const char text[] = "others: [{a: 1}]\nhere: {vcpus: 8, theirs: {b: c}, image: ~, name: n}\nbad: {vcpus: many}\n";
	vh_cleanup(vh_yaml_freep) struct vh_yaml *doc = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct cluster c = { 0 };
	uint64_t given = 0;

	ck_assert_int_eq(vh_yaml_parse("o.yaml", text, strlen(text), &doc, &err), 0);
	ck_assert_ptr_null(vh_yaml_get(doc, "none"));
	ck_assert_int_eq(vh_doc_pick("o.yaml", vh_yaml_get(doc, "here"), layer_keys, &c, &given, &err), 0);
	ck_assert_str_eq(c.name, "n");
	ck_assert_uint_eq(c.vcpus, 8);
	ck_assert_ptr_null(c.image);
	ck_assert_int_eq(__builtin_popcountll(given), 2);
	vh_doc_free(layer_keys, &c);
	ck_assert_int_lt(vh_doc_pick("o.yaml", vh_yaml_get(doc, "bad"), layer_keys, &c, &given, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "o.yaml:3:14: vcpus: "));
	vh_err_clear(&err);
	ck_assert_int_lt(vh_doc_pick("o.yaml", vh_yaml_get(doc, "others"), layer_keys, &c, &given, &err), 0);
	unit_assert_err(&err, VH_EXIT_REFUSED, "o.yaml:1:9: a map of keys is expected, not a list", NULL);
}
END_TEST

START_TEST(json_comes_back_as_it_was)
{
	struct cluster c, back = { .name = strdup("replaced") };
	vh_autoerr err = VH_ERR_NONE;
	vh_autojson before = NULL;
	vh_autojson after = NULL;

	ck_assert_int_eq(parse("name: two\nvcpus: 4\nmemory: 1G\npinned: no\npolicy: dedicated\npackages: [gcc, make]\n"
			       "env: {A: b=c, D: ''}\nnetwork: {mtu: 9000}\ndisks: [{path: /a}, {path: /b, size: 2G}]\n",
			       &c, &err), 0);
	before = vh_doc_json(keys, &c);
	ck_assert_msg(vh_doc_from_json(keys, before, &back, &err) == 0, "%s", err.text);
	after = vh_doc_json(keys, &back);
	ck_assert(json_equal(before, after));
	vh_doc_free(keys, &c);
	vh_doc_free(keys, &back);
}
END_TEST

START_TEST(json_that_lacks_something_has_its_defaults)
{
	struct cluster c = { 0 };
	vh_autoerr err = VH_ERR_NONE;
	vh_autojson doc = json_pack("{s:s, s:s, s:n}", "name", "two", "unknown", "to the table", "memory");

	ck_assert_msg(vh_doc_from_json(keys, doc, &c, &err) == 0, "%s", err.text);
	ck_assert_str_eq(c.image, "mpi");
	ck_assert_uint_eq(c.memory, 512 << 20);
	ck_assert_uint_eq(c.network.mtu, 1500);
	ck_assert(c.pinned && c.policy == 1);
	vh_doc_free(keys, &c);
}
END_TEST

START_TEST(json_of_another_kind_is_refused)
{
	static const char *const bad[] = {
		"[]", "{}", "{\"name\": 1}", "{\"name\": \"No Name\"}", "{\"name\": \"a\", \"vcpus\": -1}",
		"{\"name\": \"a\", \"vcpus\": \"2\"}", "{\"name\": \"a\", \"pinned\": 1}", "{\"name\": \"a\", \"policy\": \"greedy\"}",
		"{\"name\": \"a\", \"packages\": \"gcc\"}", "{\"name\": \"a\", \"packages\": [\"gcc\", 1]}",
		"{\"name\": \"a\", \"env\": {}}", "{\"name\": \"a\", \"network\": []}", "{\"name\": \"a\", \"network\": {\"mtu\": \"x\"}}",
		"{\"name\": \"a\", \"disks\": {}}", "{\"name\": \"a\", \"disks\": [{\"path\": \"/a\"}, {}]}",
	};

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		struct cluster c = { 0 };
		vh_autoerr err = VH_ERR_NONE;
		vh_autojson doc = json_loads(bad[i], 0, NULL);

		ck_assert_ptr_nonnull(doc);
		ck_assert_msg(vh_doc_from_json(keys, doc, &c, &err) == -EBADMSG, "%s", bad[i]);
		ck_assert(!c.name && !c.image && !c.packages && !c.env && !c.disks.items && !c.network.cidr);
	}
}
END_TEST

UNIT_SUITE(lib_doc, every_type_is_read, json_comes_back_as_it_was, json_that_lacks_something_has_its_defaults,
	   json_of_another_kind_is_refused, defaults_fill_what_is_left_out, words_that_yaml_would_change_stay_text,
	   unknown_keys_name_the_nearest, missing_keys_are_named, values_are_checked, kinds_are_checked,
	   empty_text_is_text_when_quoted, what_yaml_offers_beyond_documents_is_refused,
	   syntax_errors_have_their_place, bytes_that_are_no_text_are_refused, depth_count_and_size_have_limits,
	   many_keys_are_checked_in_time, files_are_read_and_named, reference_has_a_row_a_key,
	   layers_lie_over_each_other, documents_of_others_are_read_in_part)
