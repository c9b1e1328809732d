// SPDX-License-Identifier: Apache-2.0
/* What the program in the image makes of its credential. */
#include <libgen.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "images/guest/identity_parse.h"
#include "lib/files/files.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
/* "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n" */
#define HOSTKEY "LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZLS0tLS0KeAo="

/* 36 bytes, "0123..." */
#define MUNGE "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1"

static int parse(const char *text, struct vh_identity *id, char why[128])
{
	return vh_identity_parse(text, strlen(text), id, why, 128);
}

START_TEST(whole_identity_is_read)
{
	struct vh_identity id;
	char why[128] = "";

	ck_assert_msg(parse("# of a test\n\nhostname two-node-1\n"
			    "nic 02:00:0A:00:00:01 10.119.0.11/24 mpi0\n"
			    "nic 02:00:0a:00:00:02 10.120.0.11/16 mpi1 10.120.0.1\n"
			    "host 10.119.0.11 two-node-1\nhost 10.119.0.12 two-node-2\nmtu 9000\n"
			    "authorized " KEY " a comment\nhostkey " HOSTKEY "\nhostkey.pub " KEY, &id, why) == 0,
		      "%s", why);
	ck_assert_str_eq(id.hostname, "two-node-1");
	ck_assert_uint_eq(id.n_nics, 2);
	ck_assert_str_eq(id.nics[0].mac, "02:00:0a:00:00:01");
	ck_assert_str_eq(id.nics[0].gateway, "");
	ck_assert_str_eq(id.nics[1].gateway, "10.120.0.1");
	ck_assert_uint_eq(id.nics[1].prefix, 16);
	ck_assert_uint_eq(id.n_hosts, 2);
	ck_assert_str_eq(id.hosts[1].name, "two-node-2");
	ck_assert_uint_eq(id.mtu, 9000);
	ck_assert_str_eq(id.authorized[0], KEY " a comment");
	ck_assert_str_eq(id.hostkey, "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n");
	ck_assert_uint_eq(id.hostkey_len, strlen(id.hostkey));
	ck_assert_str_eq(id.hostkey_pub, KEY);
	vh_identity_clear(&id);
	ck_assert(!id.nics && !id.hostkey);
}
END_TEST

START_TEST(bad_lines_are_refused_with_their_number)
{
	static const struct { const char *line, *why; } bad[] = {
		{ "hostname", "line 2: a keyword without a value" },
		{ "hostname b", "line 2: a second host name" },
		{ "rootpw x", "line 2: unknown keyword" },
		{ "host 10.0.0.1", "line 2: host wants ADDRESS NAME" },
		{ "host 10.0.0.1 a b", "line 2: host wants ADDRESS NAME" },
		{ "host 10.0.0.1 a/../b", "line 2: not a host name" },
		{ "host 10.0.0 a", "line 2: host wants ADDRESS NAME" },
		{ "nic 02:00:00:00:00:01 10.0.0.1 mpi0", "line 2: address without /PREFIX" },
		{ "nic 02:00:00:00:00:01 10.0.0.1/33 mpi0", "line 2: not an IPv4 ADDRESS/PREFIX" },
		{ "nic 02:00:00:00:00:01 10.0.0.1/-1 mpi0", "line 2: not an IPv4 ADDRESS/PREFIX" },
		{ "nic 03:00:00:00:00:01 10.0.0.1/24 mpi0", "line 2: not a unicast MAC address" },
		{ "nic 00:00:00:00:00:00 10.0.0.1/24 mpi0", "line 2: not a unicast MAC address" },
		{ "nic 02:00:00:00:00:0x 10.0.0.1/24 mpi0", "line 2: not a unicast MAC address" },
		{ "nic 02-00-00-00-00-01 10.0.0.1/24 mpi0", "line 2: not a unicast MAC address" },
		{ "nic 02:00:00:00:00:01 10.0.0.1/24 ../x", "line 2: not an interface name" },
		{ "nic 02:00:00:00:00:01 10.0.0.1/24 mpi0 x", "line 2: gateway is not an IPv4 address" },
		{ "nic 02:00:00:00:00:01 10.0.0.1/24", "line 2: nic wants MAC ADDRESS/PREFIX NAME [GATEWAY]" },
		{ "export /home", "line 2: export wants TARGET NETWORK/PREFIX" },
		{ "export /home 10.0.0.0/24 rw", "line 2: export wants TARGET NETWORK/PREFIX" },
		{ "export home 10.0.0.0/24", "line 2: not a directory to export" },
		{ "export / 10.0.0.0/24", "line 2: not a directory to export" },
		{ "export /a/../etc 10.0.0.0/24", "line 2: not a directory to export" },
		{ "export /a(rw,no_root_squash) 10.0.0.0/24", "line 2: not a directory to export" },
		{ "export /a 10.0.0.0", "line 2: address without /PREFIX" },
		{ "export /a */24", "line 2: not an IPv4 ADDRESS/PREFIX" },
		{ "export /a 10.0.0.0/0", "line 2: not an IPv4 ADDRESS/PREFIX" },
		{ "mtu 100", "line 2: mtu is not a number from 576 to 65535" },
		{ "authorized command=\"x\" " KEY, "line 2: not an OpenSSH public key" },
		{ "authorized ssh-ed25519 AAAA", "line 2: not an OpenSSH public key" },
		{ "authorized " KEY " \033[2J", "line 2: not an OpenSSH public key" },
		{ "authorized " KEY "\r", "line 2: not an OpenSSH public key" },
		{ "userkey aGVsbG8=", "line 2: not an OpenSSH private key" },
		{ "userkey.pub x", "line 2: not an OpenSSH public key" },
		{ "cluster !!!!", "line 2: cluster is not base64" },
		{ "cluster aGVsbG8=", "line 2: cluster is no JSON object" },
		{ "known n2", "line 2: known wants NAME TYPE BASE64" },
		{ "known n2,* " KEY, "line 2: not a host name" },
		{ "known n2 ssh-ed25519 AAAA", "line 2: not an OpenSSH public key" },
		{ "hostkey !!!!", "line 2: private key is not base64" },
		{ "hostkey aGVsbG8=", "line 2: not an OpenSSH private key" },
		{ "hostkey aGVs bG8=", "line 2: private key is not base64" },
		{ "authorized ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f", "line 2: not an OpenSSH public key" },
		{ "user ada", "line 2: user wants NAME UID [GROUP,...]" },
		{ "user Ada 2001", "line 2: not a login (lower-case letters, digits, _ and -, at most 32)" },
		{ "user ../ada 2001", "line 2: not a login (lower-case letters, digits, _ and -, at most 32)" },
		{ "user ada 1000", "line 2: not a number that users and groups may have" },
		{ "user ada 0", "line 2: not a number that users and groups may have" },
		{ "user ada 60000", "line 2: not a number that users and groups may have" },
		{ "user ada 65535", "line 2: not a number that users and groups may have" },
		{ "user ada 2147483648", "line 2: not a number that users and groups may have" },
		{ "user ada 2001 a:b", "line 2: not a list of groups" },
		{ "user ada 2001 video,", "line 2: not a list of groups" },
		{ "group lab", "line 2: group wants NAME GID" },
		{ "group lab 5", "line 2: not a number that users and groups may have" },
		{ "user.authorized ada " KEY, "line 2: no user line of this name stands before it" },
		{ "user.key ada", "line 2: a user's key wants NAME and the key" },
		{ "user ada 2001\nuser ada 2002", "line 3: a second user or group of this name or number" },
		{ "user ada 2001\nuser bob 2001", "line 3: a second user or group of this name or number" },
		{ "group lab 2001\nuser bob 2001", "line 3: a second user or group of this name or number" },
		{ "user ada 2001\nuser.key ada aGVsbG8=", "line 3: not an OpenSSH private key" },
		{ "user ada 2001\nuser.key.pub ada x", "line 3: not an OpenSSH public key" },
		{ "user ada 2001\nuser.authorized ada " KEY "\r", "line 3: not an OpenSSH public key" },
		{ "user ada 2001\nuser.more ada x", "line 3: unknown keyword" },
		{ "slurm head", "line 2: slurm wants controller or compute" },
		{ "slurm.key x", "line 2: munge's key is not base64" },
		{ "slurm.key aGVsbG8=", "line 2: not a key of munge (32 to 1024 bytes)" },
		{ "slurm.key " MUNGE "\nslurm.key " MUNGE, "line 3: a second key of munge" },
		{ "slurm.file slurm.conf", "line 2: slurm.file wants NAME BASE64" },
		{ "slurm.file ../shadow aGVsbG8=", "line 2: not a file of Slurm's that a node is told" },
		{ "slurm.file slurm.conf %", "line 2: a file of Slurm's is not base64" },
		{ "slurm.file slurm.conf AAAA", "line 2: a file of Slurm's with a NUL byte" },
		{ "slurm.file gres.conf YQo=\nslurm.file gres.conf YQo=", "line 3: a second file of Slurm's of this name" },
		{ "slurm.more x", "line 2: unknown keyword" },
	};

	for (size_t i = 0; i < vh_array_len(bad); i++) {
		char text[512], why[128] = "";
		struct vh_identity id;

		snprintf(text, sizeof(text), "hostname a\n%s\n", bad[i].line);
		ck_assert_msg(parse(text, &id, why) < 0, "taken: %s", bad[i].line);
		ck_assert_str_eq(why, bad[i].why);
		ck_assert(!id.n_nics && !id.authorized && !*id.hostname && !id.people.users);
	}
}
END_TEST

START_TEST(text_as_a_whole_is_checked)
{
	struct vh_identity id;
	char why[128];

	ck_assert_int_lt(parse("", &id, why), 0);
	ck_assert_str_eq(why, "line 0: no host name");
	ck_assert_int_lt(vh_identity_parse("hostname a\0b", 12, &id, why, sizeof(why)), 0);
	ck_assert_str_eq(why, "line 0: a NUL byte");
	ck_assert_int_lt(vh_identity_parse("x", VH_ID_TEXT_MAX + 1, &id, why, sizeof(why)), 0);
	ck_assert_str_eq(why, "line 0: more than 1 MiB");
	ck_assert_int_lt(parse("hostname A\n", &id, why), 0);
	ck_assert_int_lt(parse("hostname -a\n", &id, why), 0);
	ck_assert_int_lt(parse("nic 02:00:00:00:00:01 10.0.0.1/24 mpi0\nnic 02:00:00:00:00:02 10.0.0.2/24 mpi0\n",
			       &id, why), 0);
	ck_assert_str_eq(why, "line 2: a second nic of this name or MAC address");
}
END_TEST

START_TEST(reasons_hold_no_secret)
{
	struct vh_identity id;
	char why[128];

	ck_assert_int_lt(parse("hostname a\nhostkey c2VjcmV0LXNlY3JldA==x\n", &id, why), 0);
	ck_assert_ptr_null(strstr(why, "c2Vj"));
}
END_TEST

/* The program itself, on a root made for the test; its exit status. */
static char *identity_program(void)
{
	char self[4096] = "";

	ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
	return vh_strf("%s/../guest/identity", dirname(self));
}

static int run(const char *root, const char *what)
{
	vh_autofree char *program = identity_program();
	const char *const argv[] = { program, what, root, NULL };
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_spawn_run(&(struct vh_spawn){ .argv = (char *const *)argv, .deadline_ms = 20000 },
				   &out, &err) == 0, "%s", err.text);
	return out.status;
}

static int apply(const char *root, const char *text)
{
	vh_autofree char *file = unit_file(root, "credential", text);
	return run(root, file);
}

static void check_file(const char *root, const char *name, mode_t mode, const char *want, struct stat *st)
{
	vh_autofree char *path = vh_strf("%s/%s", root, name);
	char text[1024] = "";
	FILE *f = fopen(path, "re");

	ck_assert_msg(f && fstat(fileno(f), st) == 0, "%s is missing", name);
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	ck_assert_msg(!strcmp(text, want), "%s: %s", name, text);
	ck_assert_uint_eq(st->st_mode & 07777, mode);
}

START_TEST(program_writes_the_files_once)
{
	static const char identity[] =
		"hostname n1\nnic 02:00:00:00:00:01 10.0.0.2/24 mpi0\nhost 10.0.0.2 n1\nhost 10.0.0.3 n2\n"
		"mtu 9000\nauthorized " KEY " c\nhostkey " HOSTKEY "\nhostkey.pub " KEY "\n";
	vh_autofree char *dir = unit_tmpdir();
	vh_autofree char *passwd = unit_file(dir, "etc/passwd",
		"root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/usr/sbin:/bin/false\nhpc:x:1000:1000::/home/hpc:/bin/bash\n");
	vh_autofree char *a = unit_file(dir, "etc/ssh/x", ""), *b = unit_file(dir, "etc/systemd/x", "");
	vh_autofree char *c = unit_file(dir, "root/x", ""), *d = unit_file(dir, "home/hpc/x", "");
	struct stat first, again, st;

	ck_assert(passwd && a && b && c && d);
	ck_assert_int_eq(apply(dir, identity), 0);
	check_file(dir, "etc/hostname", 0644, "n1\n", &st);
	check_file(dir, "etc/hosts", 0644, "127.0.0.1 localhost\n::1 localhost\n10.0.0.2 n1\n10.0.0.3 n2\n", &st);
	check_file(dir, "etc/systemd/network/10-vhpc-mpi0.link", 0644,
		   "[Match]\nMACAddress=02:00:00:00:00:01\n\n[Link]\nName=mpi0\nMTUBytes=9000\n", &st);
	check_file(dir, "etc/ssh/ssh_host_ed25519_key", 0600, "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n", &first);
	check_file(dir, "etc/ssh/ssh_host_ed25519_key.pub", 0644, KEY "\n", &st);
	check_file(dir, "root/.ssh/authorized_keys", 0600, KEY " c\n", &st);
	check_file(dir, "home/hpc/.ssh/authorized_keys", 0600, KEY " c\n", &st);
	ck_assert_uint_eq(st.st_uid, geteuid() == 0 ? 1000 : geteuid());
	/* Again: the same files. A bad line: nothing is touched. Another name: only that. */
	ck_assert_int_eq(apply(dir, identity), 0);
	check_file(dir, "etc/ssh/ssh_host_ed25519_key", 0600, "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n", &again);
	ck_assert_uint_eq(first.st_ino, again.st_ino);
	ck_assert_int_eq(apply(dir, "hostname n9\nnic x\n"), 1);
	check_file(dir, "etc/hostname", 0644, "n1\n", &st);
	ck_assert_int_eq(apply(dir, "hostname n2\n"), 0);
	check_file(dir, "etc/hosts", 0644, "127.0.0.1 localhost\n::1 localhost\n127.0.1.1 n2\n", &st);
}
END_TEST

START_TEST(the_key_of_nodes_is_the_users_alone)
{
	static const char identity[] =
		"hostname n1\nhost 10.0.0.2 n1\nhost 10.0.0.3 n2\nauthorized " KEY " operator\nuserkey " HOSTKEY "\nuserkey.pub " KEY " nodes\n"
		"known n1 " KEY " n1\nknown n2 " KEY "\nknown n3 " KEY "\ncluster eyJhIjogMX0=\n";
	vh_autofree char *dir = unit_tmpdir(), *roots = vh_strf("%s/root/.ssh/id_ed25519", dir), *others = vh_strf("%s/home/b/.ssh", dir);
	struct stat st;

	free(unit_file(dir, "etc/passwd",
		       "root:x:0:0:root:/root:/bin/bash\nb:x:1001:1001::/home/b:/bin/sh\nhpc:x:1000:1000::/home/hpc:/bin/bash\n"));
	for (const char *const *f = (const char *const[]){ "etc/ssh/x", "etc/systemd/x", "root/x", "home/hpc/x", "home/b/x", NULL }; *f; f++)
		free(unit_file(dir, *f, ""));
	ck_assert_int_eq(apply(dir, identity), 0);
	check_file(dir, "home/hpc/.ssh/id_ed25519", 0600, "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n", &st);
	ck_assert_uint_eq(st.st_uid, geteuid() == 0 ? 1000 : geteuid());
	check_file(dir, "home/hpc/.ssh/id_ed25519.pub", 0644, KEY " nodes\n", &st);
	check_file(dir, "home/hpc/.ssh/authorized_keys", 0600, KEY " operator\n" KEY " nodes\n", &st);
	check_file(dir, "root/.ssh/authorized_keys", 0600, KEY " operator\n", &st);
	ck_assert(access(roots, F_OK) < 0 && access(others, F_OK) < 0);
	check_file(dir, "etc/ssh/ssh_known_hosts", 0644, "n1,10.0.0.2 " KEY " n1\nn2,10.0.0.3 " KEY "\nn3 " KEY "\n", &st);
	check_file(dir, "etc/vhpc/cluster.json", 0644, "{\"a\": 1}", &st);
}
END_TEST

#define ACCOUNTS "root:x:0:0:root:/root:/bin/bash\nhpc:x:1000:1000::/home/hpc:/bin/bash\n"
#define GROUPS "root:x:0:\nvideo:x:44:hpc\nhpc:x:1000:\n"
#define SHADOW "root:*:19000:0:99999:7:::\nhpc:*:19000:0:99999:7:::\n"

/* A root with an image's accounts. */
static char *image_root(const char *passwd, const char *group)
{
	char *dir = unit_tmpdir();

	free(unit_file(dir, "etc/passwd", passwd));
	free(unit_file(dir, "etc/group", group));
	free(unit_file(dir, "etc/shadow", SHADOW));
	free(unit_file(dir, "etc/skel/.bashrc", "skel\n"));
	free(unit_file(dir, "etc/skel/.config/mpi", "more\n"));
	for (const char *const *f = (const char *const[]){ "etc/ssh/x", "etc/systemd/x", "root/x", "home/hpc/x", NULL }; *f; f++)
		free(unit_file(dir, *f, ""));
	return dir;
}

#define USERS "hostname n1\nhost 10.0.0.2 n1\nhost 10.0.0.3 n2\ngroup lab 50000\nuser ada 2001 video,lab,bob\nuser bob 300000 lab\n" \
	"user.authorized ada " KEY " ada@desk\nuser.authorized ada " KEY " ada@home\nuser.key ada " HOSTKEY "\nuser.key.pub ada " KEY " nodes\n"

START_TEST(users_are_made_once)
{
	vh_autofree char *dir = image_root(ACCOUNTS, GROUPS), *own = vh_strf("%s/home/ada/.bashrc", dir);
	const bool root = geteuid() == 0;
	struct stat st, first, again;

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(apply(dir, USERS), 0);
		check_file(dir, "etc/passwd", 0644, ACCOUNTS "ada:x:2001:2001::/home/ada:/bin/bash\nbob:x:300000:300000::/home/bob:/bin/bash\n",
			   i ? &again : &first);
		check_file(dir, "etc/group", 0644,
			   "root:x:0:\nvideo:x:44:hpc,ada\nhpc:x:1000:ada,bob\nlab:x:50000:ada,bob\nada:x:2001:\nbob:x:300000:ada\n", &st);
		check_file(dir, "etc/shadow", 0644, SHADOW "ada:*:19000:0:99999:7:::\nbob:*:19000:0:99999:7:::\n", &st);
		check_file(dir, "etc/ssh/authorized_keys.d/ada", 0644, KEY " ada@desk\n" KEY " ada@home\n" KEY " nodes\n", &st);
		check_file(dir, "etc/ssh/authorized_keys.d/bob", 0644, "", &st);
		check_file(dir, "etc/vhpc/keys/ada", 0600, "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n", &st);
		ck_assert(!root || st.st_uid == 2001);
		check_file(dir, "etc/ssh/ssh_config.d/10-vhpc.conf", 0644,
			   "Host n1 10.0.0.2 n2 10.0.0.3\n  IdentityFile /etc/vhpc/keys/%u\n  IdentityFile ~/.ssh/id_ed25519\n", &st);
		check_file(dir, "home/ada/.config/mpi", 0644, "more\n", &st);
		ck_assert(!root || st.st_uid == 2001);
		/* What they write there stays. */
		check_file(dir, "home/ada/.bashrc", 0644, i ? "mine\n" : "skel\n", &st);
		free(unit_file(dir, "home/ada/.bashrc", "mine\n"));
	}
	ck_assert_uint_eq(first.st_ino, again.st_ino);
	ck_assert_int_eq(chmod(own, 0600), 0);
	*strrchr(own, '/') = 0;
	ck_assert_int_eq(stat(own, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert(!root || (st.st_uid == 2001 && st.st_gid == 2001));
}
END_TEST

static bool is_there(const char *dir, const char *name);

/* But for their homes; and who stays is in no group any more that he was told of and is not by now. */
START_TEST(users_who_are_told_of_no_more_go)
{
	vh_autofree char *dir = image_root(ACCOUNTS, GROUPS);
	struct stat st;

	ck_assert_int_eq(apply(dir, USERS), 0);
	/* By hand, too. */
	free(unit_file(dir, "etc/group", "root:x:0:\nvideo:x:44:hpc,ada\nhpc:x:1000:ada,bob\nlab:x:50000:ada,bob\nown:x:900:bob,ada\n"
		       "ada:x:2001:\nbob:x:300000:ada\n"));
	ck_assert_int_eq(apply(dir, "hostname n1\ngroup night 50001\nuser bob 300000 night\nuser carol 2003\n"), 0);
	check_file(dir, "etc/passwd", 0644, ACCOUNTS "bob:x:300000:300000::/home/bob:/bin/bash\ncarol:x:2003:2003::/home/carol:/bin/bash\n", &st);
	check_file(dir, "etc/group", 0644, "root:x:0:\nvideo:x:44:hpc\nhpc:x:1000:bob,carol\nlab:x:50000:\nown:x:900:bob\nbob:x:300000:\n"
		   "night:x:50001:bob\ncarol:x:2003:\n", &st);
	check_file(dir, "etc/shadow", 0644, SHADOW "bob:*:19000:0:99999:7:::\ncarol:*:19000:0:99999:7:::\n", &st);
	check_file(dir, "etc/vhpc/users", 0644, "user bob 300000 night\nuser carol 2003\n", &st);
	ck_assert(!is_there(dir, "etc/ssh/authorized_keys.d/ada") && !is_there(dir, "etc/vhpc/keys/ada"));
	ck_assert(is_there(dir, "home/ada/.bashrc") && is_there(dir, "etc/ssh/authorized_keys.d/bob"));
	/* The group of one who left stays where another is in it; and then nobody is left. */
	ck_assert_int_eq(apply(dir, "hostname n1\ngroup bob 300000\nuser carol 2003 bob\n"), 0);
	check_file(dir, "etc/group", 0644, "root:x:0:\nvideo:x:44:hpc\nhpc:x:1000:carol\nlab:x:50000:\nown:x:900:\nbob:x:300000:carol\n"
		   "night:x:50001:\ncarol:x:2003:\n", &st);
	ck_assert_int_eq(apply(dir, "hostname n1\n"), 0);
	check_file(dir, "etc/passwd", 0644, ACCOUNTS, &st);
	check_file(dir, "etc/shadow", 0644, SHADOW, &st);
	/* He comes back to what he left. */
	free(unit_file(dir, "home/ada/.bashrc", "mine\n"));
	ck_assert_int_eq(apply(dir, "hostname n1\nuser ada 2001\n"), 0);
	check_file(dir, "home/ada/.bashrc", 0644, "mine\n", &st);
}
END_TEST

/* Who was left out goes without the image's own. */
START_TEST(who_was_the_images_stays)
{
	vh_autofree char *dir = image_root(ACCOUNTS "ada:x:112:112::/var/lib/ada:/bin/false\n", GROUPS "ada:x:112:\n");
	struct stat st;

	ck_assert_int_eq(apply(dir, USERS), 1);
	ck_assert_int_eq(apply(dir, "hostname n1\n"), 0);
	check_file(dir, "etc/passwd", 0644, ACCOUNTS "ada:x:112:112::/var/lib/ada:/bin/false\n", &st);
	check_file(dir, "etc/group", 0644, "root:x:0:\nvideo:x:44:hpc\nhpc:x:1000:\nada:x:112:\nlab:x:50000:\n", &st);
}
END_TEST

/* In processes of its own: one of a user who goes, and one of the image's, whose number a user was to have who was left out. */
static const char two_run[] =
	"cp \"$1\" \"$2/identity\"; printf 'hostname n1\\nuser ada 2001\\nuser bob 2002\\n' >\"$2/with\"; echo 'hostname n1' >\"$2/without\"\n"
	"setpriv --reuid 2001 --clear-groups sleep 60 & image=$!\n"
	"setpriv --reuid 2002 --clear-groups sleep 60 & bob=$!\n"
	"until grep -q '^Uid:.2001' /proc/$image/status && grep -q '^Uid:.2002' /proc/$bob/status; do sleep 0.01; done\n"
	"chroot \"$2\" /identity /with; chroot \"$2\" /identity /without\n"
	"wait $bob; [ $? = 137 ] && kill $image";

START_TEST(what_runs_of_one_who_was_left_out_is_not_his)
{
	vh_autofree char *dir = image_root(ACCOUNTS "svc:x:2001:2001::/:/bin/false\n", GROUPS), *program = identity_program();
	const char *const argv[] = { "unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", two_run, "sh",
				     program, dir, NULL };
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	if (geteuid() != 0)
		return;
	ck_assert_msg(vh_spawn_run(&(struct vh_spawn){ .argv = (char *const *)argv, .deadline_ms = 100000 }, &out, &err) == 0, "%s", err.text);
	ck_assert_int_eq(out.status, 0);
}
END_TEST

#define CREDENTIAL "run/credentials/@system/vhpc.identity"

/* A boot from inside has the credential of the last start from outside. */
START_TEST(what_was_told_since_counts)
{
	static const struct { const char *credential, *told, *name; } boots[] = {
		{ "# 1\nhostname n1\n", NULL, "n1\n" }, { "# 1\nhostname n1\n", "# 2\nhostname n2\n", "n2\n" },
		{ "# 1\nhostname n1\n", NULL, "n2\n" }, { "# 1\nhostname n1\n", "hostname \n", "n2\n" },
		{ "# 2\nhostname n2\n", NULL, "n2\n" }, { "# 3\nhostname n1\n", NULL, "n1\n" },
		{ "# 3\nhostname n1\n", "# 4\nhostname n4\n", "n4\n" }, { "# 3\nhostname n1\n# 4\n", NULL, "n1\n" },
	};
	vh_autofree char *dir = image_root(ACCOUNTS, GROUPS);
	struct stat st;

	for (size_t i = 0; i < vh_array_len(boots); i++) {
		free(unit_file(dir, CREDENTIAL, boots[i].credential));
		ck_assert(!boots[i].told || apply(dir, boots[i].told) == (strstr(boots[i].told, "hostname n") ? 0 : 1));
		ck_assert_int_eq(run(dir, "--no-seed"), 0);
		check_file(dir, "etc/hostname", 0644, boots[i].name, &st);
	}
}
END_TEST

START_TEST(what_is_exported_is_what_the_identity_says)
{
	vh_autofree char *dir = image_root(ACCOUNTS, GROUPS), *file = vh_strf("%s/etc/exports.d/vhpc.exports", dir);
	struct stat st;

	ck_assert_int_eq(apply(dir, "hostname n1\nexport /home 10.0.0.0/24\nexport /srv/a-b 10.0.0.0/24\n"), 0);
	check_file(dir, "etc/exports.d/vhpc.exports", 0644, "/home 10.0.0.0/24(rw,sync,root_squash,no_subtree_check)\n"
		   "/srv/a-b 10.0.0.0/24(rw,sync,root_squash,no_subtree_check)\n", &st);
	ck_assert_int_eq(apply(dir, "hostname n1\n"), 0);
	ck_assert_int_lt(access(file, F_OK), 0);
}
END_TEST

/* A file system is mounted there that has none yet. */
START_TEST(homes_are_made_where_home_is_empty)
{
	vh_autofree char *dir = image_root(ACCOUNTS, GROUPS), *home = vh_strf("%s/home", dir);
	vh_autoerr err = VH_ERR_NONE;
	struct stat st;

	ck_assert_int_eq(vh_remove_tree(home, &err), 0);
	ck_assert_int_eq(mkdir(home, 0755), 0);
	ck_assert_int_eq(apply(dir, USERS "authorized " KEY "\n"), 0);
	check_file(dir, "home/ada/.bashrc", 0644, "skel\n", &st);
	check_file(dir, "home/hpc/.bashrc", 0644, "skel\n", &st);
	check_file(dir, "home/hpc/.ssh/authorized_keys", 0600, KEY "\n", &st);
	ck_assert(geteuid() != 0 || st.st_uid == 1000);
}
END_TEST

/* Of a home that another node has made meanwhile; what others have begun is theirs. */
START_TEST(what_was_begun_of_a_home_goes)
{
	vh_autofree char *dir = image_root(ACCOUNTS, GROUPS);
	char host[65] = "";
	struct stat st;

	ck_assert_int_eq(apply(dir, USERS), 0);
	ck_assert_int_eq(gethostname(host, sizeof(host) - 1), 0);
	vh_autofree char *own = vh_strf("home/ada.%s.new", host), *begun = vh_strf("%s/.config/mpi", own);
	free(unit_file(dir, begun, "half"));
	free(unit_file(dir, "home/ada.another.new/.bashrc", "half"));
	ck_assert_int_eq(apply(dir, USERS), 0);
	ck_assert(!is_there(dir, own) && is_there(dir, "home/ada.another.new/.bashrc"));
	check_file(dir, "home/ada/.bashrc", 0644, "skel\n", &st);
}
END_TEST

/* A package's user or group of that name or number is never another's; who else is there is made. */
START_TEST(users_of_the_image_stay_what_they_are)
{
	static const struct { const char *passwd, *group; } images[] = {
		{ ACCOUNTS "ada:x:112:112::/var/lib/ada:/bin/false\n", GROUPS },
		{ ACCOUNTS "eve:x:2001:2001::/home/eve:/bin/sh\n", GROUPS },
		{ ACCOUNTS, GROUPS "ada:x:112:\n" },
		{ ACCOUNTS, GROUPS "eve:x:2001:\n" },
	};
	struct stat st;

	for (size_t i = 0; i < vh_array_len(images); i++) {
		vh_autofree char *dir = image_root(images[i].passwd, images[i].group);
		vh_autofree char *home = vh_strf("%s/home/ada", dir), *key = vh_strf("%s/etc/vhpc/keys/ada", dir);
		vh_autofree char *passwd = vh_strf("%sbob:x:300000:300000::/home/bob:/bin/bash\n", images[i].passwd);

		ck_assert_int_eq(apply(dir, USERS), 1);
		check_file(dir, "etc/passwd", 0644, passwd, &st);
		check_file(dir, "home/bob/.bashrc", 0644, "skel\n", &st);
		ck_assert(access(home, F_OK) < 0 && access(key, F_OK) < 0);
		check_file(dir, "etc/hostname", 0644, "n1\n", &st);
	}
	/* A group that the image has is that one. */
	vh_autofree char *dir = image_root(ACCOUNTS, GROUPS "lab:x:120:eve");
	ck_assert_int_eq(apply(dir, USERS), 0);
	check_file(dir, "etc/group", 0644,
		   "root:x:0:\nvideo:x:44:hpc,ada\nhpc:x:1000:ada,bob\nlab:x:120:eve,ada,bob\nada:x:2001:\nbob:x:300000:ada\n", &st);
}
END_TEST

#define SLURM "hostname n1\nslurm.key " MUNGE "\nslurm.file slurm.conf YQo=\n"

static bool is_there(const char *dir, const char *name)
{
	vh_autofree char *path = vh_strf("%s/%s", dir, name);

	return access(path, F_OK) == 0;
}

START_TEST(slurm_is_what_the_identity_says)
{
	vh_autofree char *dir = image_root(ACCOUNTS "munge:x:104:105::/nonexistent:/usr/sbin/nologin\n", GROUPS);
	const bool root = geteuid() == 0;
	struct stat st;

	ck_assert_int_eq(apply(dir, SLURM "slurm.file gres.conf Ygo=\nslurm controller\n"), 0);
	check_file(dir, "etc/munge/munge.key", 0400, "012345678901234567890123456789012345", &st);
	ck_assert(!root || (st.st_uid == 104 && st.st_gid == 105));
	check_file(dir, "etc/slurm/slurm.conf", 0644, "a\n", &st);
	check_file(dir, "etc/slurm/gres.conf", 0644, "b\n", &st);
	ck_assert(is_there(dir, "etc/vhpc/slurm/controller") && !is_there(dir, "etc/vhpc/slurm/compute"));
	/* Told otherwise later, it is otherwise. */
	ck_assert_int_eq(apply(dir, SLURM "slurm compute\n"), 0);
	ck_assert(!is_there(dir, "etc/vhpc/slurm/controller") && is_there(dir, "etc/vhpc/slurm/compute"));
	ck_assert(!is_there(dir, "etc/slurm/gres.conf"));
	/* Told nothing, what a site put there stays. */
	ck_assert_int_eq(apply(dir, "hostname n1\n"), 0);
	ck_assert(is_there(dir, "etc/munge/munge.key") && is_there(dir, "etc/slurm/slurm.conf"));
}
END_TEST

START_TEST(without_munge_the_rest_of_the_identity_counts)
{
	vh_autofree char *dir = image_root(ACCOUNTS, GROUPS);
	struct stat st;

	ck_assert_int_eq(apply(dir, SLURM "slurm compute\n"), 1);
	check_file(dir, "etc/hostname", 0644, "n1\n", &st);
	ck_assert(!is_there(dir, "etc/munge/munge.key") && !is_there(dir, "etc/vhpc/slurm/compute"));
	ck_assert_int_eq(apply(dir, "hostname n1\nslurm compute\n"), 1);
	ck_assert(!is_there(dir, "etc/vhpc/slurm/compute"));
}
END_TEST

START_TEST(where_cloud_init_reads_seeds_a_host_key_is_made)
{
	vh_autofree char *dir = unit_tmpdir();
	vh_autofree char *key = vh_strf("%s/etc/ssh/ssh_host_ed25519_key", dir);
	vh_autofree char *name = vh_strf("%s/etc/hostname", dir);
	struct stat first, again;

	free(unit_file(dir, "etc/ssh/x", ""));
	ck_assert_int_eq(run(dir, "--no-seed"), 0);
	ck_assert_int_eq(stat(key, &first), 0);
	ck_assert_uint_eq(first.st_mode & 07777, 0600);
	ck_assert_int_eq(run(dir, "--no-seed"), 0);
	ck_assert_int_eq(stat(key, &again), 0);
	ck_assert_uint_eq(first.st_ino, again.st_ino);
	ck_assert_int_lt(access(name, F_OK), 0);
}
END_TEST

UNIT_SUITE(images_identity, whole_identity_is_read, bad_lines_are_refused_with_their_number,
	   text_as_a_whole_is_checked, reasons_hold_no_secret, program_writes_the_files_once, the_key_of_nodes_is_the_users_alone,
	   users_are_made_once, users_who_are_told_of_no_more_go, who_was_the_images_stays, what_runs_of_one_who_was_left_out_is_not_his,
	   what_was_told_since_counts, what_is_exported_is_what_the_identity_says, homes_are_made_where_home_is_empty, what_was_begun_of_a_home_goes,
	   users_of_the_image_stay_what_they_are, slurm_is_what_the_identity_says,
	   without_munge_the_rest_of_the_identity_counts, where_cloud_init_reads_seeds_a_host_key_is_made)
