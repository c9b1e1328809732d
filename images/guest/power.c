// SPDX-License-Identifier: Apache-2.0
/* Turns the press of the power button (an ACPI event, as `vhpc vm stop` sends it) into
 * an orderly shutdown. Sleeps otherwise; stands in for logind, which needs D-Bus. */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAMILY "acpi_event"
#define GROUP "acpi_mc_group"
#define BUTTON "button/power"

enum { EVENT_ATTR = 1, CLASS_LEN = 20 };	/* ACPI_GENL_ATTR_EVENT; device_class comes first in it */

struct message {
	struct nlmsghdr h;
	struct genlmsghdr g;
	char attrs[8192];
} __attribute__((aligned(NLMSG_ALIGNTO)));

static int fail(const char *what)
{
	fprintf(stderr, "vhpc-power: %s: %s\n", what, strerror(errno));
	return 1;
}

/* The attribute of that type among len bytes, or NULL. */
static const struct nlattr *find_attr(const void *attrs, size_t len, unsigned type)
{
	for (const char *p = attrs; len >= NLA_HDRLEN;) {
		const struct nlattr *a = (const void *)p;
		size_t step = NLA_ALIGN(a->nla_len);
		if (a->nla_len < NLA_HDRLEN || a->nla_len > len)
			return NULL;
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		if (step > len)
			return NULL;
		p += step;
		len -= step;
	}
	return NULL;
}

static const void *data(const struct nlattr *a) { return (const char *)a + NLA_HDRLEN; }
static size_t size(const struct nlattr *a) { return a->nla_len - NLA_HDRLEN; }

static size_t attrs_len(const struct message *m, ssize_t got)
{
	size_t head = NLMSG_HDRLEN + GENL_HDRLEN;
	return got < (ssize_t)head || m->h.nlmsg_len > (size_t)got || m->h.nlmsg_len < head ? 0 :
	       m->h.nlmsg_len - head;
}

static bool ask_family(int fd)
{
	struct message m = { .h.nlmsg_type = GENL_ID_CTRL, .h.nlmsg_flags = NLM_F_REQUEST,
			     .g.cmd = CTRL_CMD_GETFAMILY, .g.version = 1 };
	struct nlattr a = { .nla_len = NLA_HDRLEN + sizeof FAMILY, .nla_type = CTRL_ATTR_FAMILY_NAME };

	memcpy(m.attrs, &a, sizeof a);
	memcpy(m.attrs + NLA_HDRLEN, FAMILY, sizeof FAMILY);
	m.h.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN + NLA_ALIGN(a.nla_len);
	return send(fd, &m, m.h.nlmsg_len, 0) == (ssize_t)m.h.nlmsg_len;
}

/* The multicast group's number, 0 when the kernel has none. */
static unsigned group_of(const struct message *m, ssize_t got)
{
	const struct nlattr *groups = find_attr(m->attrs, attrs_len(m, got), CTRL_ATTR_MCAST_GROUPS);

	for (unsigned i = 1; groups; i++) {
		const struct nlattr *g = find_attr(data(groups), size(groups), i);
		const struct nlattr *name = g ? find_attr(data(g), size(g), CTRL_ATTR_MCAST_GRP_NAME) : NULL;
		const struct nlattr *id = g ? find_attr(data(g), size(g), CTRL_ATTR_MCAST_GRP_ID) : NULL;
		if (!name || !id || size(id) != 4)
			return 0;
		if (size(name) == sizeof GROUP && !memcmp(data(name), GROUP, sizeof GROUP)) {
			unsigned v;
			memcpy(&v, data(id), sizeof v);
			return v;
		}
	}
	return 0;
}

static bool is_button(const struct message *m, ssize_t got)
{
	const struct nlattr *event = find_attr(m->attrs, attrs_len(m, got), EVENT_ATTR);
	return event && size(event) >= CLASS_LEN && !memcmp(data(event), BUTTON, sizeof BUTTON);
}

int main(void)
{
	static struct message m;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0 || !ask_family(fd))
		return fail("generic netlink");
	unsigned group = group_of(&m, recv(fd, &m, sizeof m, 0));
	if (!group) {
		errno = ENOENT;
		return fail("the kernel's ACPI events");
	}
	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
		return fail("the kernel's ACPI events");
	for (;;) {
		ssize_t n = recv(fd, &m, sizeof m, 0);
		if (n < 0 && errno != EINTR && errno != ENOBUFS)
			return fail("the kernel's ACPI events");
		/* systemd's contract: this signal starts poweroff.target. */
		if (n > 0 && is_button(&m, n) && kill(1, SIGRTMIN + 4) < 0)
			return fail("init");
	}
}
