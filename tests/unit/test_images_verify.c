// SPDX-License-Identifier: Apache-2.0
/* What a guest is asked, and how its answers are judged. */
#include <errno.h>
#include <string.h>
#include "images/verify.h"
#include "lib/strv.h"
#include "lib/table.h"
#include "tests/unit/unit.h"

static const char image_text[] =
	"{\"kernel\": {\"version\": \"6.1\"}, \"user\": \"hpc\", \"mpi\": {\"name\": \"openmpi\", \"version\": \"4.1.4\"},"
	" \"root\": {\"size\": 1000}, \"recipe\": {"
	" \"sysctl\": [\"vm.stat_interval=120\", \"net.ipv4.tcp_rmem=4096 131072 16777216\", \"net/ipv4/conf/eth0.1/x=1\", \"bad;name=1\"],"
	" \"sysfs\": [\"kernel/mm/transparent_hugepage/enabled=madvise\"],"
	" \"limits\": [\"memlock=unlimited\", \"stack=8\", \"nofile=65536\"],"
	" \"mask\": [\"a.service\", \"b.timer\"], \"blacklist\": [\"ahci\"], \"cmdline\": [\"quiet\"]}}";

static const char good[] =
	"@uptime 3.5\n@memory 83886080\n@init 0.5\n@systemd 750000\n@sshd 3000000\n@kernel 6.1\n@cmdline root=/dev/vda quiet\n"
	"@user hpc\n@mpi mpirun (Open MPI) 4.1.4 \n@failed \n@audit \n@root 5 400\n@modules  virtio ext4 \n"
	"@limit Max locked memory         unlimited            unlimited            bytes\n"
	"@limit Max stack size            8192                 8192                 bytes\n"
	"@limit Max open files            65536                65536                files\n"
	"@sysctl vm.stat_interval 120 \n@sysctl net.ipv4.tcp_rmem 4096 131072   16777216 \n@sysctl net/ipv4/conf/eth0.1/x 1\n"
	"@sysfs kernel/mm/transparent_hugepage/enabled always [madvise] never \n"
	"@unit a.service masked\n@unit b.timer masked\n@end \n";

/* good with one text in it replaced. */
static char *with(const char *from, const char *to)
{
	const char *at = strstr(good, from);

	ck_assert_ptr_nonnull(at);
	return vh_strf("%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
}

static json_t *image(void)
{
	json_t *doc = json_loads(image_text, 0, NULL);
	ck_assert_ptr_nonnull(doc);
	return doc;
}

START_TEST(script_asks_for_what_the_recipe_sets)
{
	vh_autojson doc = image();
	vh_autofree char *script = vh_verify_script(doc);

	ck_assert_ptr_nonnull(strstr(script, "ctl sysctl 'vm.stat_interval' '/proc/sys/vm/stat_interval'\n"));
	ck_assert_ptr_nonnull(strstr(script, "'/proc/sys/net/ipv4/conf/eth0.1/x'\n"));
	ck_assert_ptr_nonnull(strstr(script, "'/sys/kernel/mm/transparent_hugepage/enabled'\n"));
	ck_assert_ptr_nonnull(strstr(script, "-- 'a.service' 'b.timer' |"));
	ck_assert_ptr_null(strstr(script, "bad"));
}
END_TEST

START_TEST(good_answers_hold)
{
	vh_autojson doc = image();
	vh_autoverify v = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	/* The name that cannot be asked for is the one check that fails. */
	json_array_remove(json_object_get(json_object_get(doc, "recipe"), "sysctl"), 3);
	ck_assert_int_eq(vh_verify_judge(doc, good, &v, &err), 0);
	for (size_t i = 0; i < json_array_size(v.checks); i++) {
		const json_t *row = json_array_get(v.checks, i);
		ck_assert_msg(json_is_true(json_object_get(row, "holds")), "%s", json_string_value(json_object_get(row, "check")));
	}
	ck_assert_uint_eq(json_array_size(v.checks), 16);
	ck_assert(vh_verify_holds(&v));
	ck_assert_uint_eq(v.memory_used, 80 << 20);
	ck_assert_double_eq_tol(v.phases.kernel, 0.5, 1e-9);
	ck_assert_double_eq_tol(v.phases.initrd, 0.25, 1e-9);
	ck_assert_double_eq_tol(v.phases.userspace, 2.25, 1e-9);
}
END_TEST

START_TEST(each_broken_promise_is_found)
{
	static const struct { const char *from, *to, *check; } cases[] = {
		{ "@kernel 6.1", "@kernel 6.10", "kernel" }, { "@user hpc", "@user x", "user" },
		{ "4.1.4", "5.0.7", "mpi" }, { "@failed ", "@failed a.service ", "failed units" },
		{ "@audit ", "@audit bad", "dpkg --audit" }, { "@root 5 400", "@root 5 200", "root grown" },
		{ " quiet\n", " quietly\n", "cmdline" }, { "stat_interval 120", "stat_interval 1", "sysctl vm.stat_interval" },
		{ "@sysctl vm.stat_interval 120 \n", "", "sysctl vm.stat_interval" },
		{ "[madvise] never", "madvise [never]", "sysfs kernel/mm/transparent_hugepage/enabled" },
		{ "unlimited            unlimited", "unlimited            65536", "limit memlock" },
		{ "8192                 8192", "8                    8", "limit stack" },
		{ "b.timer masked", "b.timer loaded", "units masked" }, { " virtio ext4", " virtio ahci", "modules not loaded" },
	};
	vh_autojson doc = image();

	json_array_remove(json_object_get(json_object_get(doc, "recipe"), "sysctl"), 3);
	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autofree char *text = with(cases[i].from, cases[i].to);
		vh_autoverify v = { 0 };
		vh_autoerr err = VH_ERR_NONE;
		size_t bad = 0;

		ck_assert_int_eq(vh_verify_judge(doc, text, &v, &err), 0);
		for (size_t k = 0; k < json_array_size(v.checks); k++) {
			const json_t *row = json_array_get(v.checks, k);
			if (json_is_true(json_object_get(row, "holds")))
				continue;
			bad++;
			ck_assert_str_eq(json_string_value(json_object_get(row, "check")), cases[i].check);
		}
		ck_assert_msg(bad == 1 && !vh_verify_holds(&v), "%s: %zu", cases[i].check, bad);
	}
}
END_TEST

START_TEST(cut_short_answers_are_no_verdict)
{
	vh_autojson doc = image();
	vh_autofree char *cut = with("@end \n", "");
	vh_autoverify v = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_int_eq(vh_verify_judge(doc, cut, &v, &err), -EBADMSG);
}
END_TEST

UNIT_SUITE(images_verify, script_asks_for_what_the_recipe_sets, good_answers_hold, each_broken_promise_is_found,
	   cut_short_answers_are_no_verdict)
