// SPDX-License-Identifier: Apache-2.0
/* What netctl makes in a kernel, each test in a network namespace of its own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <netlink/route/link/bridge.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include "lib/json.h"
#include "netctl/netctl.h"
#include "netctl/netlink.h"
#include "tests/unit/unit.h"

enum { N_TAPS = 64, KILLS = 40, KILL_STEP_US = 250, NOBODY = 65534 };

#define OWNER "cluster/a"
#define ADDRESS "10.119.0.1/24"

/* NULL, or why the test cannot run here. */
static const char *enter(bool taps)
{
	if (unshare(CLONE_NEWNET) < 0)
		return strerror(errno);
	if (taps && access("/dev/net/tun", R_OK | W_OK) < 0)
		return "there is no /dev/net/tun";
	return NULL;
}

#define ENTER(taps) do { \
		const char *why_ = enter(taps); \
		if (why_) \
			unit_skip("%s", why_); \
	} while (0)

static bool bridge(const char *name, const char *address)
{
	vh_autoerr err = VH_ERR_NONE;
	bool made = false;

	ck_assert_msg(vh_net_bridge(name, address, OWNER, &made, &err) == 0, "%s", err.text);
	return made;
}

static bool tap(const char *name, const char *to, unsigned queues)
{
	vh_autoerr err = VH_ERR_NONE;
	bool made = false;

	ck_assert_msg(vh_net_tap(name, to, queues, OWNER, &made, &err) == 0, "%s", err.text);
	return made;
}

static void away(const char *name)
{
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_net_remove(name, OWNER, &err) == 0, "%s", err.text);
}

static json_t *listed(void)
{
	vh_autoerr err = VH_ERR_NONE;
	json_t *rows = NULL;

	ck_assert_msg(vh_net_list(&rows, &err) == 0, "%s", err.text);
	return rows;
}

static size_t count(void)
{
	vh_autojson rows = listed();

	return json_array_size(rows);
}

/* The listed row of that name, in compact JSON; "" when there is none. */
static char *row(const char *name)
{
	vh_autojson rows = listed();
	size_t i;
	json_t *r;

	json_array_foreach(rows, i, r) {
		if (strcmp(json_string_value(json_object_get(r, "name")), name))
			continue;
		json_object_del(r, "mac");
		return json_dumps(r, JSON_COMPACT | JSON_SORT_KEYS);
	}
	return strdup("");
}

#define ASSERT_ROW(name, want) do { \
		vh_autofree char *row_ = row(name); \
		ck_assert_str_eq(row_, want); \
	} while (0)

/* The kernel tells of a carrier a little later. */
static void wait_for(const char *name, const char *part)
{
	for (int i = 0; i < 100; i++) {
		vh_autofree char *text = row(name);

		if (strstr(text, part))
			return;
		usleep(50000);
	}
	ck_abort_msg("%s: no %s", name, part);
}

/* A bridge as another program makes it. */
static void foreign(const char *name, const char *alias)
{
	vh_autonl sock = nl_socket_alloc();
	vh_autolink new = rtnl_link_bridge_alloc();
	vh_autolink link = NULL;
	vh_autolink change = rtnl_link_alloc();

	ck_assert_int_eq(nl_connect(sock, NETLINK_ROUTE), 0);
	rtnl_link_set_name(new, name);
	ck_assert_int_eq(rtnl_link_add(sock, new, NLM_F_CREATE | NLM_F_EXCL), 0);
	if (!alias)
		return;
	ck_assert_int_eq(rtnl_link_get_kernel(sock, 0, name, &link), 0);
	rtnl_link_set_ifalias(change, alias);
	ck_assert_int_eq(rtnl_link_change(sock, link, change, 0), 0);
}

START_TEST(bridge_is_made_once)
{
	ENTER(false);
	ck_assert(bridge("b0", ADDRESS));
	ASSERT_ROW("b0", "{\"address\":\"10.119.0.1/24\",\"bridge\":null,\"kind\":\"bridge\",\"mtu\":1500,"
			 "\"name\":\"b0\",\"owner\":\"cluster/a\",\"ports\":[],\"state\":\"no-carrier\"}");
	ck_assert(!bridge("b0", ADDRESS));
	ck_assert_uint_eq(count(), 1);
}
END_TEST

START_TEST(bridge_takes_the_new_address_and_loses_the_old)
{
	vh_autofree char *text = NULL;

	ENTER(false);
	ck_assert(bridge("b0", "10.119.0.1/24"));
	ck_assert(bridge("b0", "10.119.0.2/24"));
	ck_assert(!bridge("b0", "10.119.0.2/24"));
	ck_assert(bridge("b0", "10.120.0.1/16"));
	text = row("b0");
	ck_assert_ptr_nonnull(strstr(text, "\"10.120.0.1/16\""));
}
END_TEST

START_TEST(bridge_has_no_ipv6)
{
	vh_autofclose FILE *f = NULL;

	ENTER(true);
	bridge("b0", ADDRESS);
	tap("t0", "b0", 1);
	if (access("/proc/sys/net/ipv6", F_OK) < 0)
		unit_skip("this kernel has no IPv6");
	f = fopen("/proc/net/if_inet6", "re");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(fgetc(f), EOF);
}
END_TEST

START_TEST(bridge_keeps_its_mac_when_ports_come)
{
	vh_autojson before = NULL;
	vh_autojson after = NULL;

	ENTER(true);
	bridge("b0", ADDRESS);
	before = listed();
	for (int i = 0; i < 8; i++) {
		char name[IFNAMSIZ];

		vh_net_ifname(name, "vt", OWNER, i);
		tap(name, "b0", 1);
	}
	after = listed();
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(before, 0), "mac")),
			 json_string_value(json_object_get(json_array_get(after, 0), "mac")));
}
END_TEST

START_TEST(tap_is_made_once_and_persists)
{
	struct ifreq req = { .ifr_name = "t0", .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	vh_autoclose int fd = -1;

	ENTER(true);
	bridge("b0", ADDRESS);
	ck_assert(tap("t0", "b0", 1));
	ck_assert(!tap("t0", "b0", 1));
	ASSERT_ROW("t0", "{\"address\":null,\"bridge\":\"b0\",\"kind\":\"tap\",\"mtu\":1500,\"name\":\"t0\","
			 "\"owner\":\"cluster/a\",\"ports\":null,\"state\":\"no-carrier\"}");
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(ioctl(fd, TUNSETIFF, &req), 0);
	ck_assert_int_eq(ioctl(fd, TUNGETIFF, &req), 0);
	ck_assert((req.ifr_flags & 0xffff) == (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_PERSIST));
	ck_assert(!tap("t0", "b0", 1));
	wait_for("b0", "\"ports\":[\"t0\"],\"state\":\"up\"");
}
END_TEST

START_TEST(tap_takes_many_queues_or_one)
{
	vh_autoerr err = VH_ERR_NONE;
	struct ifreq req = { .ifr_name = "t0", .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE };

	ENTER(true);
	bridge("b0", ADDRESS);
	ck_assert(tap("t0", "b0", 4));
	ck_assert(!tap("t0", "b0", 4));
	for (int i = 0; i < 4; i++) {
		int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

		ck_assert_int_eq(ioctl(fd, TUNSETIFF, &req), 0);
		close(fd);
	}
	ck_assert_int_eq(vh_net_tap("t0", "b0", 1, OWNER, NULL, &err), -EEXIST);
	unit_assert_err(&err, VH_EXIT_REFUSED, "tap t0 exists with many queues, and is to have one",
			"remove it first");
}
END_TEST

START_TEST(tap_moves_to_the_bridge_it_is_to_be_on)
{
	vh_autofree char *text = NULL;

	ENTER(true);
	bridge("b0", ADDRESS);
	bridge("b1", "10.120.0.1/24");
	tap("t0", "b0", 1);
	ck_assert(tap("t0", "b1", 1));
	text = row("t0");
	ck_assert_ptr_nonnull(strstr(text, "\"bridge\":\"b1\""));
}
END_TEST

START_TEST(tap_wants_a_bridge)
{
	vh_autoerr err = VH_ERR_NONE;

	ENTER(true);
	ck_assert_int_eq(vh_net_tap("t0", "b0", 1, OWNER, NULL, &err), -ENODEV);
	unit_assert_err(&err, VH_EXIT_REFUSED, "there is no bridge b0", NULL);
	ck_assert_int_eq(vh_net_tap("t0", "lo", 1, OWNER, NULL, &err), -EINVAL);
	unit_assert_err(&err, VH_EXIT_REFUSED, "interface lo is no bridge", NULL);
	ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(what_another_owns_is_refused)
{
	vh_autoerr err = VH_ERR_NONE;
	char derived[IFNAMSIZ];

	ENTER(true);
	vh_net_ifname(derived, "vb", OWNER, -1);
	foreign("b0", NULL);
	foreign("b1", "vhpc:cluster/b");
	foreign(derived, "the admin's");
	ck_assert_int_eq(vh_net_bridge("b0", ADDRESS, OWNER, NULL, &err), -EEXIST);
	unit_assert_err(&err, VH_EXIT_REFUSED, "interface b0 exists and is not of cluster/a", NULL);
	ck_assert_int_eq(vh_net_bridge("b1", ADDRESS, OWNER, NULL, &err), -EEXIST);
	ck_assert_int_eq(vh_net_bridge(derived, ADDRESS, OWNER, NULL, &err), -EEXIST);
	ck_assert_int_eq(vh_net_bridge("lo", ADDRESS, OWNER, NULL, &err), -EEXIST);
	ck_assert_int_eq(vh_net_tap("b1", "b0", 1, OWNER, NULL, &err), -EEXIST);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	ck_assert_int_eq(vh_net_remove("b0", OWNER, &err), -EPERM);
	unit_assert_err(&err, VH_EXIT_REFUSED, "interface b0 is not of cluster/a", NULL);
	ck_assert_int_eq(vh_net_remove("b1", OWNER, &err), -EPERM);
	ck_assert_int_eq(vh_net_remove(derived, OWNER, &err), -EPERM);
	ck_assert_int_eq(vh_net_remove("lo", OWNER, &err), -EPERM);
	ck_assert_uint_eq(count(), 1);
}
END_TEST

START_TEST(a_bridge_is_no_tap)
{
	vh_autoerr err = VH_ERR_NONE;

	ENTER(true);
	bridge("x0", ADDRESS);
	bridge("b0", "10.120.0.1/24");
	tap("t0", "b0", 1);
	ck_assert_int_eq(vh_net_tap("x0", "b0", 1, OWNER, NULL, &err), -EEXIST);
	unit_assert_err(&err, VH_EXIT_REFUSED, "interface x0 is no tap", NULL);
	ck_assert_int_eq(vh_net_bridge("t0", ADDRESS, OWNER, NULL, &err), -EEXIST);
	unit_assert_err(&err, VH_EXIT_REFUSED, "interface t0 is no bridge", NULL);
}
END_TEST

START_TEST(a_bridge_left_without_alias_is_ours_by_its_name)
{
	char name[IFNAMSIZ];

	ENTER(false);
	vh_net_ifname(name, "vb", OWNER, -1);
	foreign(name, NULL);
	{
		vh_autofree char *text = row(name);

		ck_assert_ptr_nonnull(strstr(text, "\"owner\":null"));
	}
	ck_assert(bridge(name, ADDRESS));
	away(name);
	foreign(name, NULL);
	away(name);
	ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(removing_nothing_is_done)
{
	ENTER(true);
	away("b0");
	bridge("b0", ADDRESS);
	tap("t0", "b0", 1);
	away("t0");
	away("t0");
	away("b0");
	ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(bad_input_changes_nothing)
{
	vh_autoerr err = VH_ERR_NONE;

	ENTER(false);
	ck_assert_int_eq(vh_net_bridge("a/b", ADDRESS, OWNER, NULL, &err), -EINVAL);
	ck_assert_int_eq(vh_net_bridge("b0", "10.119.0.0/24", OWNER, NULL, &err), -EINVAL);
	unit_assert_err(&err, VH_EXIT_REFUSED, "address '10.119.0.0/24' names no host of its network", NULL);
	ck_assert_int_eq(vh_net_bridge("b0", "10.119.0.255/24", OWNER, NULL, &err), -EINVAL);
	ck_assert_int_eq(vh_net_bridge("b0", ADDRESS, "", NULL, &err), -EINVAL);
	ck_assert_int_eq(vh_net_remove("..", OWNER, &err), -EINVAL);
	ck_assert_uint_eq(count(), 0);
}
END_TEST

/* /proc/sys cannot be written, so that turning IPv6 off fails. False: not to be had here. */
static bool lock_proc_sys(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount("none", "/proc", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("/proc/sys", "/proc/sys", "none", MS_BIND, NULL) == 0 &&
	       mount("none", "/proc/sys", "none", MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0;
}

START_TEST(what_a_failing_call_made_is_gone)
{
	vh_autoerr err = VH_ERR_NONE;

	ENTER(true);
	bridge("b0", ADDRESS);
	if (!lock_proc_sys())
		unit_skip("/proc/sys cannot be made read-only: %s", strerror(errno));
	ck_assert_int_eq(vh_net_bridge("b1", "10.120.0.1/24", OWNER, NULL, &err), -EROFS);
	unit_assert_err(&err, VH_EXIT_FAILED, "b1: setting disable_ipv6 of ipv6 to 1: Read-only file system", NULL);
	ck_assert_int_eq(vh_net_tap("t0", "b0", 1, OWNER, NULL, &err), -EROFS);
	ck_assert_uint_eq(count(), 1);
	ck_assert(!bridge("b0", ADDRESS));
	ck_assert_int_eq(umount2("/proc/sys", MNT_DETACH), 0);
	ck_assert(tap("t0", "b0", 1));
}
END_TEST

/* 0 when each call is refused. */
static int refused_all(void)
{
	vh_autoerr err = VH_ERR_NONE;

	if (vh_net_bridge("b1", "10.120.0.1/24", OWNER, NULL, &err) >= 0 || err.exit != VH_EXIT_REFUSED)
		return 1;
	if (vh_net_tap("t0", "b0", 1, OWNER, NULL, &err) >= 0 || err.exit != VH_EXIT_REFUSED)
		return 2;
	return vh_net_remove("b0", OWNER, &err) >= 0 || err.exit != VH_EXIT_REFUSED ? 3 : 0;
}

START_TEST(who_has_no_rights_is_refused)
{
	int status;
	pid_t pid;

	ENTER(true);
	bridge("b0", ADDRESS);
	fflush(NULL);
	pid = fork();
	if (pid == 0)	/* exit, not _exit: libnl tidies up at the end */
		exit(setresuid(NOBODY, NOBODY, NOBODY) < 0 ? 4 : refused_all());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(count(), 1);
}
END_TEST

START_TEST(sixty_four_taps)
{
	char name[IFNAMSIZ];

	ENTER(true);
	bridge("b0", ADDRESS);
	for (int again = 0; again < 2; again++) {
		for (int i = 0; i < N_TAPS; i++) {
			vh_net_ifname(name, "vt", OWNER, i);
			ck_assert_int_eq(tap(name, "b0", 2), !again);
		}
	}
	ck_assert_uint_eq(count(), N_TAPS + 1);
	away("b0");
	for (int i = 0; i < N_TAPS; i++) {
		vh_net_ifname(name, "vt", OWNER, i);
		away(name);
	}
	ck_assert_uint_eq(count(), 0);
}
END_TEST

static void make_all(void)
{
	char name[IFNAMSIZ], to[IFNAMSIZ];

	vh_net_ifname(to, "vb", OWNER, -1);
	bridge(to, ADDRESS);
	for (int i = 0; i < 2; i++) {
		vh_net_ifname(name, "vt", OWNER, i);
		tap(name, to, 1);
	}
}

static void remove_all(void)
{
	char name[IFNAMSIZ];

	for (int i = -1; i < 2; i++) {
		vh_net_ifname(name, i < 0 ? "vb" : "vt", OWNER, i);
		away(name);
	}
}

static void kill_within(useconds_t us, void (*work)(void))
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		work();
		_exit(0);
	}
	usleep(us);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

/* Whether the next run completes or removes it. */
START_TEST(a_run_killed_at_any_point_leaves_nothing_unowned)
{
	ENTER(true);
	for (useconds_t i = 0; i < KILLS; i++) {
		kill_within(i * KILL_STEP_US, make_all);
		if (i % 2)
			make_all();
		if (i % 3 == 0)
			kill_within(i * KILL_STEP_US, remove_all);
		remove_all();
		ck_assert_uint_eq(count(), 0);
	}
}
END_TEST

/* What a look says, with what it changes. */
static const char *looks(const char *name, const char *bridge_)
{
	vh_autoerr err = VH_ERR_NONE;
	const char *lacks = NULL;
	bool there = false;
	int r = bridge_ ? vh_net_tap_look(name, bridge_, 1, OWNER, &there, &lacks, &err)
			: vh_net_bridge_look(name, ADDRESS, OWNER, &there, &lacks, &err);

	ck_assert_msg(r == 0, "%s", err.text);
	return there ? lacks : "gone";
}

START_TEST(a_look_says_what_lacks_and_changes_nothing)
{
	vh_autoerr err = VH_ERR_NONE;
	const char *lacks;
	bool there;

	ENTER(true);
	ck_assert_str_eq(looks("b0", NULL), "gone");
	bridge("b0", "10.118.0.1/24");
	ck_assert_str_eq(looks("b0", NULL), "address");
	ck_assert_str_eq(looks("b0", NULL), "address");
	bridge("b0", ADDRESS);
	ck_assert_ptr_null(looks("b0", NULL));
	ck_assert_str_eq(looks("t0", "b0"), "gone");
	tap("t0", "b0", 1);
	ck_assert_ptr_null(looks("t0", "b0"));
	away("b0");
	ck_assert_str_eq(looks("t0", "b0"), "bridge");
	ck_assert_int_eq(vh_net_tap_look("t0", "b0", 1, "cluster/b", &there, &lacks, &err), -EEXIST);
	ck_assert_uint_eq(count(), 1);
}
END_TEST

START_TEST(networks_in_use_are_those_of_addresses_and_routes)
{
	vh_autofree struct vh_cidr *nets = NULL;
	vh_autoerr err = VH_ERR_NONE;
	char text[19];
	size_t n = 0;

	ENTER(false);
	ck_assert_int_eq(vh_net_in_use(&nets, &n, &err), 0);
	ck_assert_uint_eq(n, 0);
	free(vh_steal(&nets));
	bridge("b1", "192.168.9.1/28");
	bridge("b0", ADDRESS);
	ck_assert_int_eq(vh_net_in_use(&nets, &n, &err), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(vh_cidr_format(&nets[0], text), "10.119.0.0/24");
	ck_assert_str_eq(vh_cidr_format(&nets[1], text), "192.168.9.0/28");
}
END_TEST

UNIT_SUITE(netctl_kernel, bridge_is_made_once, bridge_takes_the_new_address_and_loses_the_old,
	   bridge_has_no_ipv6, bridge_keeps_its_mac_when_ports_come, tap_is_made_once_and_persists,
	   tap_takes_many_queues_or_one, tap_moves_to_the_bridge_it_is_to_be_on, tap_wants_a_bridge,
	   what_another_owns_is_refused, a_bridge_is_no_tap, a_bridge_left_without_alias_is_ours_by_its_name,
	   removing_nothing_is_done, bad_input_changes_nothing, what_a_failing_call_made_is_gone,
	   who_has_no_rights_is_refused, sixty_four_taps, a_run_killed_at_any_point_leaves_nothing_unowned,
	   a_look_says_what_lacks_and_changes_nothing, networks_in_use_are_those_of_addresses_and_routes)
