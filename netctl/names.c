// SPDX-License-Identifier: Apache-2.0
/* Names and MAC addresses are FNV-1a (64 bit) of their owner, folded to the width there
 * is, so that any run, on any machine, derives the same ones (docs/formats/net.md). */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "netctl/netctl.h"
#include "netctl/names.h"

enum { NAME_PREFIX = 2, NAME_HASH = 8, INDEX_MAX = 9999, OWNER_MAX = 200 };

#define FNV_START 0xcbf29ce484222325

static uint64_t fnv1a(uint64_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3;
	return h;
}

void vh_net_ifname(char buf[IFNAMSIZ], const char *prefix, const char *owner, int index)
{
	uint64_t h = fnv1a(FNV_START, owner);
	int n = snprintf(buf, IFNAMSIZ, "%.*s%08x", NAME_PREFIX, prefix, (unsigned)(h ^ h >> 32));

	if (index >= 0)
		snprintf(buf + n, (size_t)(IFNAMSIZ - n), ".%u", (unsigned)index % (INDEX_MAX + 1));
}

void vh_net_mac(char buf[18], const char *owner, unsigned index)
{
	char behind[16];
	uint64_t h;

	snprintf(behind, sizeof(behind), "/%u", index);
	h = fnv1a(fnv1a(FNV_START, owner), behind);
	h ^= h >> 40;
	snprintf(buf, 18, "02:%02x:%02x:%02x:%02x:%02x", (unsigned)(h >> 32 & 0xff),
		 (unsigned)(h >> 24 & 0xff), (unsigned)(h >> 16 & 0xff), (unsigned)(h >> 8 & 0xff),
		 (unsigned)(h & 0xff));
}

/* The index behind NAME's dot, -1 without one, -2 when this is no name of ours. */
static int name_shape(const char *name)
{
	const char *p = name + NAME_PREFIX;
	int index = 0;

	if (strncmp(name, "vb", NAME_PREFIX) && strncmp(name, "vt", NAME_PREFIX))
		return -2;
	for (int i = 0; i < NAME_HASH; i++, p++)
		if (!isdigit((unsigned char)*p) && !(*p >= 'a' && *p <= 'f'))
			return -2;
	if (!*p)
		return -1;
	if (*p++ != '.' || !*p || strlen(p) > 4)
		return -2;
	for (; isdigit((unsigned char)*p); p++)
		index = 10 * index + (*p - '0');
	return *p ? -2 : index;
}

bool vh_net_name_shaped(const char *name)
{
	return name_shape(name) > -2;
}

bool vh_net_name_derived(const char *name, const char *owner)
{
	int index = name_shape(name);
	char want[IFNAMSIZ];

	if (index < -1)
		return false;
	vh_net_ifname(want, name, owner, index);
	return !strcmp(name, want);
}

/* What the kernel takes as an interface name, less what would read as something else in
 * a path or a tool's argument. */
int vh_net_name_check(const char *name, struct vh_err *err)
{
	size_t n = strlen(name);

	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			n = 0;
	if (n == 0 || n >= IFNAMSIZ || name[0] == '-' || name[0] == '.')
		return vh_err_refuse(err, EINVAL, "'%.40s' is no interface name", name);
	return 0;
}

int vh_net_owner_check(const char *owner, struct vh_err *err)
{
	size_t n = strlen(owner);

	for (const char *p = owner; *p; p++)
		if (!isgraph((unsigned char)*p))
			n = 0;
	if (n == 0 || n > OWNER_MAX)
		return vh_err_refuse(err, EINVAL, "'%.40s' is no owner of interfaces", owner);
	return 0;
}
