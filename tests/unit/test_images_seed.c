// SPDX-License-Identifier: Apache-2.0
/* Seeds become the text of an identity, which its own parser takes; labels of disks. */
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include "images/guest/identity_parse.h"
#include "images/guest/seed.h"
#include "images/guest/seed_find.h"
#include "lib/spawn.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

/* The seed's text, and that the identity's parser takes it. */
static char *text_of(const struct vh_seed *seed, char **ret_skipped)
{
	struct vh_identity id;
	char *text = NULL, *skipped = NULL, why[256] = "";

	ck_assert_msg(vh_seed_text(seed, &text, &skipped, why, sizeof why) == 0, "%s", why);
	ck_assert_msg(vh_identity_parse(text, strlen(text), &id, why, sizeof why) == 0, "%s in:\n%s", why, text);
	vh_identity_clear(&id);
	if (ret_skipped)
		*ret_skipped = skipped;
	else
		free(skipped);
	return text;
}

static void compare(const struct vh_seed *seed, const char *want)
{
	vh_autofree char *text = text_of(seed, NULL);
	ck_assert_str_eq(text, want);
}

START_TEST(nocloud_is_read)
{
	compare(&(struct vh_seed){
		.meta_data = "instance-id: i-1\nlocal-hostname: Node1.example.org\npublic-keys:\n  - " KEY " a\n",
		.user_data = "#cloud-config\nssh_authorized_keys:\n  - " KEY " b\nmounts:\n"
			     "  - [ 10.0.0.1:/home, /home, nfs, 'rw,hard' ]\n  - [ /dev/vdb, /scratch ]\n",
		.network_config = "version: 2\nethernets:\n  one:\n    match: {macaddress: '02:00:00:00:00:01'}\n"
			"    set-name: mpi0\n    addresses: [10.0.0.5/16]\n    routes: [{to: default, via: 10.0.0.1}]\n"
			"    nameservers: {addresses: [10.0.0.2, '2001:db8::1']}\n  eth1: {dhcp4: true}\n",
	}, "authorized " KEY " b\nmount 10.0.0.1:/home /home nfs rw,hard\nmount /dev/vdb /scratch auto defaults,nofail\n"
	   "instance i-1\nhostname node1\nauthorized " KEY " a\n"
	   "nic 02:00:00:00:00:01 10.0.0.5/16 mpi0 10.0.0.1\ndns 10.0.0.2\nnic - dhcp eth1\n");
}
END_TEST

START_TEST(network_of_version_1_is_read)
{
	compare(&(struct vh_seed){
		.meta_data = "instance-id: i-1\n",
		.network_config = "version: 1\nconfig:\n  - type: physical\n    name: eth0\n    mac_address: 02:00:00:00:00:01\n"
			"    subnets: [{type: static, address: 10.0.0.5, netmask: 255.255.0.0, gateway: 10.0.0.1}]\n"
			"  - {type: nameserver, address: [10.0.0.2]}\n  - {type: bond, name: b}\n",
	}, "instance i-1\nhostname localhost\nnic 02:00:00:00:00:01 10.0.0.5/16 eth0 10.0.0.1\ndns 10.0.0.2\n");
}
END_TEST

START_TEST(configdrive_is_read)
{
	compare(&(struct vh_seed){
		.meta_data_json = "{\"uuid\": \"u-1\", \"hostname\": \"n1.novalocal\", \"public_keys\": {\"k\": \"" KEY " k\\n\"}}",
		.network_data_json = "{\"links\": [{\"id\": \"tap1\", \"ethernet_mac_address\": \"FA:16:3e:00:00:01\"},"
			"{\"id\": \"tap2\", \"ethernet_mac_address\": \"fa:16:3e:00:00:02\"}], \"networks\": ["
			"{\"type\": \"ipv4\", \"link\": \"tap1\", \"ip_address\": \"10.1.0.7\", \"netmask\": \"255.255.255.0\","
			" \"routes\": [{\"network\": \"0.0.0.0\", \"netmask\": \"0.0.0.0\", \"gateway\": \"10.1.0.1\"}]},"
			"{\"type\": \"ipv4_dhcp\", \"link\": \"tap2\"}, {\"type\": \"ipv6\", \"link\": \"tap1\"}],"
			" \"services\": [{\"type\": \"dns\", \"address\": \"10.1.0.2\"}]}",
	}, "instance u-1\nhostname n1\nauthorized " KEY " k\nnic FA:16:3e:00:00:01 10.1.0.7/24 net0 10.1.0.1\n"
	   "nic fa:16:3e:00:00:02 dhcp net1\ndns 10.1.0.2\n");
	compare(&(struct vh_seed){ .meta_data_json = "{\"uuid\": \"u-1\", \"hostname\": \"n1\"}" },
		"instance u-1\nhostname n1\nnetwork dhcp\n");
}
END_TEST

START_TEST(what_is_wrong_is_refused_or_left_out)
{
	vh_autofree char *text = NULL, *skipped = NULL;
	char *none = NULL, *what = NULL, why[256];
	static const char *const bad[] = { "", "a: [", "instance-id: 'a b'\n", "- x\n", "local-hostname: a\n" };

	for (size_t i = 0; i < vh_array_len(bad); i++)
		ck_assert_msg(vh_seed_text(&(struct vh_seed){ .meta_data = bad[i] }, &none, &what, why, sizeof why) < 0, "%s", bad[i]);
	ck_assert_int_lt(vh_seed_text(&(struct vh_seed){ 0 }, &none, &what, why, sizeof why), 0);
	ck_assert_int_lt(vh_seed_text(&(struct vh_seed){ .meta_data_json = "{\"uuid\": 1}" }, &none, &what, why, sizeof why), 0);
	/* No line of the identity's text comes out of a value. */
	text = text_of(&(struct vh_seed){
		.meta_data = "instance-id: i\nlocal-hostname: \"a\\nhostkey x\"\npublic-keys: [\"" KEY " c\\nhostname evil\"]\n",
		.user_data = "#!/bin/sh\necho\n",
		.network_config = "version: 2\nethernets:\n  \"eth0\\nhostname evil\": {addresses: [\"1.2.3.4/24\\nhostname evil\"]}\n",
	}, &skipped);
	ck_assert_ptr_null(strstr(text, "evil"));
	ck_assert_ptr_nonnull(strstr(skipped, "user-data"));
	ck_assert_ptr_nonnull(strstr(skipped, "public key"));
}
END_TEST

START_TEST(labels_are_found)
{
	static unsigned char head[VH_SEED_HEAD];
	const char *type;

	ck_assert_ptr_null(vh_seed_label(head, sizeof head, &type));
	memcpy(head + 32769, "CD001", 5);
	memcpy(head + 32768 + 40, "config-2                        ", 32);
	ck_assert_str_eq(vh_seed_label(head, sizeof head, &type), "config-2");
	ck_assert_str_eq(type, "iso9660");
	ck_assert_ptr_null(vh_seed_label(head, 32800, &type));
	memset(head, 0, sizeof head);
	memcpy(head + 71, "CIDATA     FAT32   ", 19);
	ck_assert_str_eq(vh_seed_label(head, sizeof head, &type), "cidata");
	ck_assert_str_eq(type, "vfat");
	memcpy(head + 71, "CIDATAX    FAT32   ", 19);
	ck_assert_ptr_null(vh_seed_label(head, sizeof head, &type));
}
END_TEST

static int run(const char *seed, const char *root)
{
	char self[4096] = "";
	ck_assert_int_gt(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
	*strrchr(self, '/') = 0;
	vh_autofree char *program = vh_strf("%s/../guest/identity", self);
	const char *const argv[] = { program, seed, root, NULL };
	vh_autooutput out = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_spawn_run(&(struct vh_spawn){ .argv = (char *const *)argv, .deadline_ms = 20000 }, &out, &err) == 0,
		      "%s", err.text);
	return out.status;
}

static char *content(const char *root, const char *name)
{
	vh_autofree char *path = vh_strf("%s/%s", root, name);
	char *text = calloc(1, 4096);
	FILE *f = fopen(path, "re");

	if (f) {
		text[fread(text, 1, 4095, f)] = 0;
		fclose(f);
	}
	return text;
}

/* An instance id counts once; a new one is another machine with another host key. */
START_TEST(program_takes_each_instance_once)
{
	vh_autofree char *root = unit_tmpdir(), *seed = unit_tmpdir();
	free(unit_file(root, "etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"));
	free(unit_file(root, "etc/ssh/x", ""));
	free(unit_file(root, "etc/systemd/x", ""));
	free(unit_file(root, "root/x", ""));
	free(unit_file(root, "var/lib/x", ""));
	free(unit_file(seed, "meta-data", "instance-id: i-1\nlocal-hostname: one\n"));
	free(unit_file(seed, "user-data", "#cloud-config\nmounts: [[/dev/vdb, /data]]\n"));

	ck_assert_int_eq(run(seed, root), 0);
	vh_autofree char *name = content(root, "etc/hostname"), *key = content(root, "etc/ssh/ssh_host_ed25519_key");
	vh_autofree char *fstab = content(root, "etc/fstab"), *dhcp = content(root, "etc/systemd/network/90-vhpc-dhcp.network");
	ck_assert_str_eq(name, "one\n");
	ck_assert_str_eq(fstab, "/dev/vdb /data auto defaults,nofail,X-mount.mkdir 0 0\n");
	ck_assert_ptr_nonnull(strstr(dhcp, "DHCP=ipv4"));
	ck_assert_ptr_nonnull(strstr(key, "PRIVATE KEY"));

	free(unit_file(root, "etc/hostname", "mine\n"));
	ck_assert_int_eq(run(seed, root), 0);
	vh_autofree char *kept = content(root, "etc/hostname"), *same = content(root, "etc/ssh/ssh_host_ed25519_key");
	ck_assert_str_eq(kept, "mine\n");
	ck_assert_str_eq(same, key);

	free(unit_file(seed, "meta-data", "instance-id: i-2\nlocal-hostname: two\n"));
	ck_assert_int_eq(run(seed, root), 0);
	vh_autofree char *other = content(root, "etc/hostname"), *new = content(root, "etc/ssh/ssh_host_ed25519_key");
	ck_assert_str_eq(other, "two\n");
	ck_assert_str_ne(new, key);
}
END_TEST

UNIT_SUITE(images_seed, nocloud_is_read, network_of_version_1_is_read, configdrive_is_read,
	   what_is_wrong_is_refused_or_left_out, labels_are_found, program_takes_each_instance_once)
