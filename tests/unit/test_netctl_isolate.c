// SPDX-License-Identifier: Apache-2.0
/* Networks apart on a host that forwards: nodes are network namespaces, who reaches whom is tried by TCP. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/spawn.h"
#include "lib/strv.h"
#include "netctl/netctl.h"
#include "tests/unit/unit.h"

enum { PORT = 7777, REACHED_MS = 20000, DROPPED_MS = 700 };

#define OWNER "cluster/a"
#define ADDRESS "10.119.0.1/24"

#define ENTER() do { \
		if (unshare(CLONE_NEWNET) < 0) \
			unit_skip("%s", strerror(errno)); \
	} while (0)

static bool isolate(const char *bridge, const char *address, const char *owner)
{
	vh_autoerr err = VH_ERR_NONE;
	bool changed = false;

	ck_assert_msg(vh_net_isolate(bridge, address, owner, &changed, &err) == 0, "%s", err.text);
	return changed;
}

static bool is_isolated(const char *bridge, const char *address, const char *owner)
{
	vh_autoerr err = VH_ERR_NONE;
	bool there = false, is = false;

	ck_assert_msg(vh_net_isolate_look(bridge, address, owner, &there, &is, &err) == 0, "%s", err.text);
	return is;
}

static void write_text(const char *path, const char *text)
{
	vh_autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_msg(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s: %s", path, strerror(errno));
}

/* Runs a program with the words of the line as arguments. */
static void run(const char *line)
{
	vh_autofree char *copy = strdup(line);
	vh_autostrv argv = NULL;
	vh_autoerr err = VH_ERR_NONE;
	struct vh_spawn spawn = { .deadline_ms = 60000 };
	char *rest = NULL;

	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		ck_assert_int_eq(vh_strv_push(&argv, word), 0);
	spawn.argv = argv;
	ck_assert_msg(vh_spawn_ok(&spawn, NULL, &err) == 0, "%s: %s", line, err.text);
}

static void runf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void runf(const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	run(line);
}

static int listening(void)
{
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&any, sizeof(any)), 0);
	ck_assert_int_eq(listen(fd, 16), 0);
	return fd;
}

/* Whether a connection comes about from here within that time. */
static bool connects(const char *address, int ms)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	vh_autoclose int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = 0;

	inet_pton(AF_INET, address, &to.sin_addr);
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return true;
	if (errno != EINPROGRESS || poll(&p, 1, ms) <= 0)
		return false;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0;
}

/* A machine of its own: it listens, and tries to reach whom it is asked for, a line each. */
struct node { pid_t pid; int ask, answer; };

static _Noreturn void be_node(int ask, int answer)
{
	char line[64];
	FILE *in;

	if (unshare(CLONE_NEWNET) < 0)
		_exit(1);
	listening();
	in = fdopen(ask, "r");
	if (write(answer, "r", 1) != 1)
		_exit(1);
	while (in && fgets(line, sizeof(line), in)) {
		char address[32];
		int ms;

		if (sscanf(line, "%31s %d", address, &ms) != 2 || write(answer, connects(address, ms) ? "y" : "n", 1) != 1)
			break;
	}
	_exit(0);
}

/* With address on eth0, whose other end is a port of that bridge (NULL: none), and a route to all by gateway. */
static struct node node(const char *name, const char *bridge, const char *address, const char *gateway)
{
	struct node n;
	int to[2], from[2];
	char ready;

	ck_assert(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0);
	n.pid = fork();
	if (n.pid == 0) {
		close(to[1]);
		close(from[0]);
		be_node(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	n.ask = to[1];
	n.answer = from[0];
	ck_assert_int_eq(read(n.answer, &ready, 1), 1);
	runf("ip link add %s type veth peer name eth0 netns %d", name, n.pid);
	if (bridge)
		runf("ip link set %s master %s", name, bridge);
	runf("ip link set %s up", name);
	runf("nsenter --net --target %d ip addr add %s dev eth0", n.pid, address);
	runf("nsenter --net --target %d ip link set eth0 up", n.pid);
	runf("nsenter --net --target %d ip route add default via %s", n.pid, gateway);
	return n;
}

static bool reaches(const struct node *n, const char *address, int ms)
{
	char answer;

	dprintf(n->ask, "%s %d\n", address, ms);
	ck_assert_int_eq(read(n->answer, &answer, 1), 1);
	return answer == 'y';
}

static void node_end(struct node *n)
{
	/* Those made later have its pipe too, so its end would come late. */
	kill(n->pid, SIGKILL);
	close(n->ask);
	close(n->answer);
	ck_assert_int_eq(waitpid(n->pid, NULL, 0), n->pid);
}

static void bridge(const char *name, const char *address, const char *owner)
{
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(vh_net_bridge(name, address, owner, NULL, &err) == 0, "%s", err.text);
}

/* A host that forwards, with a machine beyond it, and a cluster of one node on each of two bridges. */
struct host { struct node a, b, beyond; int fd; };

static void setup(struct host *h)
{
	write_text("/proc/sys/net/ipv4/ip_forward", "1");
	run("ip link set lo up");
	bridge("b0", "10.119.0.1/24", OWNER);
	bridge("b1", "10.119.1.1/24", "cluster/b");
	h->fd = listening();
	h->a = node("v0", "b0", "10.119.0.2/24", "10.119.0.1");
	h->b = node("v1", "b1", "10.119.1.2/24", "10.119.1.1");
	h->beyond = node("v2", NULL, "192.0.2.2/24", "192.0.2.1");
	run("ip addr add 192.0.2.1/24 dev v2");
}

static void finish(struct host *h)
{
	node_end(&h->a);
	node_end(&h->b);
	node_end(&h->beyond);
	close(h->fd);
}

START_TEST(who_reaches_whom_where_the_host_forwards)
{
	struct host h;

	ENTER();
	setup(&h);
	/* As such a host is without us. */
	write_text("/proc/sys/net/ipv4/conf/b0/forwarding", "1");
	write_text("/proc/sys/net/ipv4/conf/b1/forwarding", "1");
	ck_assert(reaches(&h.a, "10.119.1.2", REACHED_MS));
	ck_assert(reaches(&h.a, "10.119.1.1", REACHED_MS));
	ck_assert(reaches(&h.a, "192.0.2.2", REACHED_MS));
	ck_assert(reaches(&h.beyond, "10.119.0.2", REACHED_MS));
	ck_assert(isolate("b0", "10.119.0.1/24", OWNER));
	ck_assert(!reaches(&h.a, "10.119.1.2", DROPPED_MS));
	ck_assert(!reaches(&h.b, "10.119.0.2", DROPPED_MS));
	ck_assert(!reaches(&h.a, "10.119.1.1", DROPPED_MS));
	ck_assert(!reaches(&h.a, "192.0.2.1", DROPPED_MS));
	ck_assert(!reaches(&h.a, "192.0.2.2", DROPPED_MS));
	ck_assert(!reaches(&h.beyond, "10.119.0.2", DROPPED_MS));
	/* The host and the cluster reach each other, and what is not isolated is left alone. */
	ck_assert(reaches(&h.a, "10.119.0.1", REACHED_MS));
	ck_assert(connects("10.119.0.2", REACHED_MS));
	ck_assert(reaches(&h.b, "192.0.2.2", REACHED_MS));
	finish(&h);
}
END_TEST

START_TEST(an_address_of_another_network_is_no_way_in)
{
	struct host h;

	ENTER();
	setup(&h);
	isolate("b0", "10.119.0.1/24", OWNER);
	runf("nsenter --net --target %d ip addr add 198.51.100.2/24 dev eth0", h.a.pid);
	runf("nsenter --net --target %d ip route add 10.119.0.1/32 dev eth0 src 198.51.100.2", h.a.pid);
	run("ip route add 198.51.100.0/24 dev b0");
	ck_assert(!reaches(&h.a, "10.119.0.1", DROPPED_MS));
	finish(&h);
}
END_TEST

START_TEST(nothing_is_forwarded_without_the_table_either)
{
	struct host h;

	ENTER();
	setup(&h);
	ck_assert(!reaches(&h.a, "10.119.1.2", DROPPED_MS));
	ck_assert(!reaches(&h.a, "192.0.2.2", DROPPED_MS));
	/* Who turns it on is met by the next apply. */
	write_text("/proc/sys/net/ipv4/conf/b0/forwarding", "1");
	ck_assert(reaches(&h.a, "192.0.2.2", REACHED_MS));
	bridge("b0", "10.119.0.1/24", OWNER);
	ck_assert(!reaches(&h.a, "192.0.2.2", DROPPED_MS));
	finish(&h);
}
END_TEST

START_TEST(the_table_is_made_once_and_mended)
{
	vh_autoerr err = VH_ERR_NONE;

	ENTER();
	ck_assert(!is_isolated("b0", ADDRESS, OWNER));
	ck_assert(isolate("b0", ADDRESS, OWNER));
	ck_assert(is_isolated("b0", ADDRESS, OWNER));
	ck_assert(!isolate("b0", ADDRESS, OWNER));
	ck_assert(!is_isolated("b0", "10.119.5.1/24", OWNER));
	ck_assert(!is_isolated("b0", ADDRESS, "cluster/b"));
	ck_assert(isolate("b0", "10.119.5.1/24", OWNER));
	/* Another's table of that name. */
	ck_assert_int_eq(vh_net_unisolate("b0", "cluster/b", &err), -EPERM);
	vh_err_clear(&err);
	ck_assert_int_eq(vh_net_isolate("b0", ADDRESS, "cluster/b", &(bool){ false }, &err), -EEXIST);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
	vh_err_clear(&err);
	ck_assert_int_eq(vh_net_isolate("b0", ADDRESS, "a\"; flush ruleset", &(bool){ false }, &err), -EINVAL);
	vh_err_clear(&err);
	ck_assert_int_eq(vh_net_isolate("b\"0", ADDRESS, OWNER, &(bool){ false }, &err), -EINVAL);
	vh_err_clear(&err);
	ck_assert_int_eq(vh_net_unisolate("b0", OWNER, &err), 0);
	ck_assert_int_eq(vh_net_unisolate("b0", OWNER, &err), 0);
	ck_assert(!is_isolated("b0", ADDRESS, OWNER));
}
END_TEST

START_TEST(networks_come_and_go_without_a_look_at_each_other)
{
	vh_autoerr err = VH_ERR_NONE;

	ENTER();
	isolate("b0", ADDRESS, OWNER);
	isolate("b1", "10.119.1.1/24", "cluster/b");
	ck_assert_int_eq(vh_net_unisolate("b0", OWNER, &err), 0);
	ck_assert(is_isolated("b1", "10.119.1.1/24", "cluster/b"));
}
END_TEST

UNIT_SUITE(netctl_isolate, who_reaches_whom_where_the_host_forwards, an_address_of_another_network_is_no_way_in,
	   nothing_is_forwarded_without_the_table_either, the_table_is_made_once_and_mended,
	   networks_come_and_go_without_a_look_at_each_other)
