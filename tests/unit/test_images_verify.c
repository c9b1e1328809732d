// SPDX-License-Identifier: Apache-2.0
/* What a guest is asked, and how its answers are judged. */
#include <errno.h>
#include <string.h>
#include "lib/json.h"
#include "lib/files/read.h"
#include "images/recipe/recipe.h"
#include "images/verify/verify.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

static const char image_text[] =
	"{\"kernel\": {\"version\": \"6.1\"}, \"user\": \"hpc\", \"mpi\": {\"name\": \"openmpi\", \"version\": \"4.1.4\", \"transport\": \"ivshm\"},"
	" \"root\": {\"size\": 4096}, \"recipe\": {"
	" \"sysctl\": [\"vm.stat_interval=120\", \"net.ipv4.tcp_rmem=4096 131072 16777216\", \"net/ipv4/conf/eth0.1/x=1\", \"bad;name=1\"],"
	" \"sysfs\": [\"kernel/mm/transparent_hugepage/enabled=madvise\"],"
	" \"limits\": [\"memlock=unlimited\", \"stack=8\", \"nofile=65536\"],"
	" \"mask\": [\"a.service\", \"b.timer\"], \"blacklist\": [\"ahci\"], \"cmdline\": [\"quiet\"],"
	" \"suite\": \"bookworm\", \"mirror\": \"file:///m\", \"mirror_key_sha256\": \"k0\", \"components\": [\"main\", \"contrib\"],"
	" \"repositories\": [{\"name\": \"site\", \"url\": \"http://s/d\", \"suite\": \"/\", \"components\": [], \"key_sha256\": \"k1\"}],"
	" \"packages\": [\"numactl\"], \"rdma\": true, \"ucx\": false, \"backports\": [\"numactl\"], \"without\": [\"libx11-6\"],"
	" \"exclude\": [\"/usr/share/man/*\", \"/usr/lib/ucx/*_rocm.so*\", \"/o'dd/*\"],"
	" \"mitigations\": \"off\", \"modules\": [\"br-netfilter\", \"overlay\"], \"enable\": [\"c.service\"],"
	" \"files\": [{\"path\": \"/etc/motd\", \"mode\": \"0644\", \"owner\": \"root\", \"sha256\": \"f0\"},"
	" {\"path\": \"/etc/hosts\", \"mode\": \"0644\", \"owner\": \"root\", \"sha256\": \"f1\"},"
	" {\"path\": \"/usr/share/man/ours\", \"mode\": \"00600\", \"owner\": \"munge:0\", \"sha256\": \"f2\"}],"
	" \"users\": [{\"name\": \"ada\", \"uid\": 1001, \"shell\": \"/bin/sh\", \"groups\": [\"video\"], \"keys\": [\"ssh-ed25519 AAAA ada\"]},"
	" {\"name\": \"root\", \"uid\": 0, \"shell\": \"/bin/bash\", \"groups\": [], \"keys\": [\"ssh-ed25519 BBBB\"]}],"
	" \"cloud_init\": true, \"console_login\": false},"
	" \"suite\": \"bookworm\", \"epoch\": 77, \"packages\": [{\"name\": \"numactl\", \"version\": \"2.0~bpo12+1\"},"
	" {\"name\": \"ibverbs-providers\", \"version\": \"1\"}, {\"name\": \"ibverbs-utils\", \"version\": \"1\"},"
	" {\"name\": \"rdma-core\", \"version\": \"1\"}]}";

static const char good[] =
	"@uptime 3.5\n@memory 83886080\n@init 0.5\n@systemd 750000\n@sshd 3000000\n@kernel 6.1\n@cmdline root=/dev/vda quiet mitigations=off\n"
	"@user hpc\n@mpi mpirun (Open MPI) 4.1.4 \n@transport mca:btl:ivshm:version:\"component:4.1.4\"\n@failed \n@audit \n@root     2\n@modules  virtio br_netfilter ext4 \n@builtin  overlay \n"
	"@limit Max locked memory         unlimited            unlimited            bytes\n"
	"@limit Max stack size            8192                 8192                 bytes\n"
	"@limit Max open files            65536                65536                files\n"
	"@sysctl vm.stat_interval 120 \n@sysctl net.ipv4.tcp_rmem 4096 131072   16777216 \n@sysctl net/ipv4/conf/eth0.1/x 1\n"
	"@sysfs kernel/mm/transparent_hugepage/enabled always [madvise] never \n"
	"@unit a.service masked\n@unit b.timer masked\n@enable c.service enabled inactive\n@suite bookworm\n"
	"@package numactl 2.0~bpo12+1 installed\n@package ibverbs-providers 1 installed\n@package ibverbs-utils 1 installed\n"
	"@package rdma-core 1 installed\n@present /usr/share/man/ours\n@exclude done\n"
	"@apt deb [signed-by=/x] file:///m bookworm main contrib\n@apt deb [signed-by=/y] http://s/d /\n"
	"@keyring vhpc-mirror.asc k0\n@keyring site.gpg k1\n"
	"@file /etc/motd 0644 root f0\n@file /etc/hosts 0644 root other\n@file /usr/share/man/ours 0600 munge:0 f2\n"
	"@login ada 1001:/bin/sh\n@groups ada ada video\n@key ada ssh-ed25519 AAAA ada\n@login root 0:/bin/bash\n@groups root root\n"
	"@key root ssh-ed25519 BBBB\n@cloud-init enabled --no-seed cd\n@console false\n@end \n";

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
	ck_assert_ptr_nonnull(strstr(script, "find '/usr/lib/ucx/' -xdev -path '/usr/lib/ucx/*_rocm.so*' "));
	ck_assert_ptr_null(strstr(script, "o'dd"));
	ck_assert_ptr_nonnull(strstr(script, "\nepoch=77\n"));
	ck_assert_ptr_nonnull(strstr(script, "file '/usr/share/man/ours' 'munge:0'\n"));
	ck_assert_ptr_nonnull(strstr(script, "'/etc/ssh/authorized_keys.d/ada'"));
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
	for (size_t i = 0; i < json_array_size(v.findings.rows); i++) {
		const json_t *row = json_array_get(v.findings.rows, i);
		ck_assert_msg(vh_finding_is(row, VH_OK), "%s", json_string_value(json_object_get(row, "check")));
	}
	ck_assert_uint_eq(json_array_size(v.findings.rows), 41);
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
		{ "MPI) 4.1.4", "MPI) 5.0.7", "mpi" }, { "mca:btl:ivshm", "unable to open mca_btl_ivshm", "btl ivshm" }, { "@failed ", "@failed a.service ", "failed units" },
		{ "@audit ", "@audit bad", "dpkg --audit" }, { "@root     2", "@root     1", "root grown" },
		{ " quiet ", " quietly ", "cmdline" }, { "stat_interval 120", "stat_interval 1", "sysctl vm.stat_interval" },
		{ "@sysctl vm.stat_interval 120 \n", "", "sysctl vm.stat_interval" },
		{ "[madvise] never", "madvise [never]", "sysfs kernel/mm/transparent_hugepage/enabled" },
		{ "unlimited            unlimited", "unlimited            65536", "limit memlock" },
		{ "8192                 8192", "8                    8", "limit stack" },
		{ "b.timer masked", "b.timer loaded", "units masked" }, { " virtio br", " ahci br", "modules not loaded" },
		{ "mitigations=off", "mitigations=auto", "mitigations" }, { " br_netfilter", "", "modules loaded" },
		{ "builtin  overlay", "builtin  overlays", "modules loaded" },
		{ "c.service enabled", "c.service disabled", "unit c.service" }, { "enabled inactive", "enabled failed", "unit c.service" },
		{ "@suite bookworm", "@suite trixie", "suite" },
		{ "rdma-core 1 installed\n", "rdma-core 1 installed\n@package more 1 installed\n", "packages installed" },
		{ "rdma-core 1 installed", "rdma-core 2 installed", "packages installed" },
		{ "rdma-core 1 installed\n", "rdma-core 1 installed\n@present /usr/share/man/x\n", "exclude" },
		{ "@exclude done\n", "", "exclude" }, { "file:///m ", "file:///n ", "mirror" }, { " contrib", "", "components" },
		{ "http://s/d", "http://s/e", "repository site" }, { "asc k0", "asc k1", "key of vhpc-mirror" }, { "gpg k1", "gpg k0", "key of site" },
		{ "0644 root f0", "0600 root f0", "file /etc/motd" }, { "0644 root f0", "0644 0:0 f0", "file /etc/motd" },
		{ "0644 root f0", "0644 root f1", "file /etc/motd" }, { "@file /etc/hosts", "@file /etc/host", "file /etc/hosts" },
		{ "1001:/bin/sh", "1001:/bin/bash", "user ada" }, { "ada video", "ada", "groups of ada" }, { "AAAA ada", "AAAA", "keys of ada" },
		{ "BBBB", "CCCC", "keys of root" }, { "--no-seed cd", "--no-seed", "cloud_init" },
		{ "@console false", "@console true", "console_login" },
	};
	vh_autojson doc = image();

	json_array_remove(json_object_get(json_object_get(doc, "recipe"), "sysctl"), 3);
	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autofree char *text = with(cases[i].from, cases[i].to);
		vh_autoverify v = { 0 };
		vh_autoerr err = VH_ERR_NONE;
		size_t bad = 0;

		ck_assert_int_eq(vh_verify_judge(doc, text, &v, &err), 0);
		for (size_t k = 0; k < json_array_size(v.findings.rows); k++) {
			const json_t *row = json_array_get(v.findings.rows, k);
			if (vh_finding_is(row, VH_OK))
				continue;
			bad++;
			ck_assert_str_eq(json_string_value(json_object_get(row, "check")), cases[i].check);
		}
		ck_assert_msg(bad == 1 && !vh_verify_holds(&v), "%s: %zu", cases[i].check, bad);
	}
}
END_TEST

/* With the package that stands for more than one key, more than one row is wrong. */
START_TEST(packages_of_keys_are_named)
{
	static const struct { const char *from, *to, *check; } cases[] = {
		{ "@package rdma-core 1 installed\n", "", "rdma" }, { "@package numactl 2.0~bpo12+1 installed", "@package n 1 installed", "packages" },
		{ "2.0~bpo12+1", "2.0", "backports" }, { "@package rdma-core", "@package libx11-6 1 installed\n@package rdma-core", "packages left out" },
	};
	vh_autojson doc = image();

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autofree char *text = with(cases[i].from, cases[i].to);
		vh_autoverify v = { 0 };
		vh_autoerr err = VH_ERR_NONE;
		bool found = false;

		ck_assert_int_eq(vh_verify_judge(doc, text, &v, &err), 0);
		for (size_t k = 0; k < json_array_size(v.findings.rows); k++) {
			const json_t *row = json_array_get(v.findings.rows, k);
			found |= !vh_finding_is(row, VH_OK) &&
				 !strcmp(json_string_value(json_object_get(row, "check")), cases[i].check);
		}
		ck_assert_msg(found, "%s", cases[i].check);
	}
}
END_TEST

/* Nothing is added to recipes that is not read back, or said not to be; the page says how. */
START_TEST(every_key_of_a_recipe_is_covered)
{
	vh_autofree char *page = NULL;
	vh_autoerr err = VH_ERR_NONE;
	size_t n = 0, m = 0, len;

	ck_assert_int_eq(vh_host_file("docs/formats/image.md", &page, &len, &err), 0);
	for (const struct vh_key *key = vh_recipe_keys; key->name; key++, n++) {
		vh_autofree char *cell = vh_strf("`%s`", key->name);
		bool found = false;
		for (const struct vh_subject *const *s = vh_subjects; *s; s++)
			for (const struct vh_subject_key *k = (*s)->keys; k->name; k++)
				found |= !strcmp(k->name, key->name);
		ck_assert_msg(found, "%s", key->name);
		ck_assert_msg(strstr(page, cell), "%s", key->name);
	}
	for (const struct vh_subject *const *s = vh_subjects; *s; s++)
		for (const struct vh_subject_key *k = (*s)->keys; k->name; k++)
			m++;
	ck_assert_uint_eq(n, m);
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

START_TEST(figures_that_no_guest_can_mean_are_none)
{
	static const char *const figures[] = { "@memory 1e39\n", "@memory inf\n", "@memory nan\n", "@memory -1\n" };
	vh_autojson doc = image();

	for (size_t i = 0; i < vh_array_len(figures); i++) {
		vh_autofree char *said = with("@memory 83886080\n", figures[i]);
		vh_autoverify v = { 0 };
		vh_autoerr err = VH_ERR_NONE;

		ck_assert_int_eq(vh_verify_judge(doc, said, &v, &err), 0);
		ck_assert_uint_eq(v.memory_used, 0);
	}
}
END_TEST

UNIT_SUITE(images_verify, script_asks_for_what_the_recipe_sets, good_answers_hold, each_broken_promise_is_found,
	   packages_of_keys_are_named, every_key_of_a_recipe_is_covered, cut_short_answers_are_no_verdict,
	   figures_that_no_guest_can_mean_are_none)
