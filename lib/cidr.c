// SPDX-License-Identifier: Apache-2.0
#include "lib/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/values.h"

static uint32_t mask(unsigned prefix)
{
	return prefix ? ~(uint32_t)0 << (32 - prefix) : 0;
}

/* "this network", loopback, multicast and what is reserved above it. */
static bool is_unicast(uint32_t addr)
{
	uint32_t first = addr >> 24;

	return first != 0 && first != 127 && first < 224;
}

static void format_addr(char buf[16], uint32_t addr)
{
	struct in_addr in = { .s_addr = htonl(addr) };

	inet_ntop(AF_INET, &in, buf, 16);
}

/* "a.b.c.d/p", nothing said about its host bits. */
static int split_cidr(const char *text, uint32_t *ret_addr, unsigned *ret_prefix)
{
	const char *slash = strchr(text, '/');
	vh_autoerr ignored = VH_ERR_NONE;
	struct in_addr in;
	char addr[16];
	uint64_t prefix;

	if (!slash || (size_t)(slash - text) >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, (size_t)(slash - text));
	addr[slash - text] = 0;
	if (inet_pton(AF_INET, addr, &in) != 1 || strlen(slash + 1) > 2 ||
	    vh_uint_parse(slash + 1, 32, &prefix, &ignored) < 0)
		return -EINVAL;
	*ret_addr = ntohl(in.s_addr);
	*ret_prefix = (unsigned)prefix;
	return 0;
}

static int parse_unicast(const char *what, const char *text, uint32_t *ret_addr, unsigned *ret_prefix,
			 struct vh_err *err)
{
	if (split_cidr(text, ret_addr, ret_prefix) < 0)
		return vh_err_refuse(err, EINVAL, "%s '%.40s' is not of the form a.b.c.d/prefix", what, text);
	if (*ret_prefix < 8 || *ret_prefix > 30)
		return vh_err_refuse(err, EINVAL, "%s '%s': the prefix is %u, not 8 to 30", what, text, *ret_prefix);
	if (!is_unicast(*ret_addr))
		return vh_err_refuse(err, EINVAL, "%s '%s' is not unicast", what, text);
	return 0;
}

int vh_cidr_parse(const char *text, struct vh_cidr *ret, struct vh_err *err)
{
	struct vh_cidr net;
	uint32_t addr;
	char buf[19];
	int r = parse_unicast("network", text, &addr, &net.prefix, err);

	if (r < 0)
		return r;
	net.base = addr & mask(net.prefix);
	if (net.base != addr) {
		vh_err_refuse(err, EINVAL, "network '%s': host bits are set", text);
		return vh_err_hint(err, "%s is the network", vh_cidr_format(&net, buf));
	}
	*ret = net;
	return 0;
}

int vh_host_address_parse(const char *text, uint32_t *ret_addr, unsigned *ret_prefix, struct vh_err *err)
{
	unsigned prefix;
	uint32_t addr, host;
	int r = parse_unicast("address", text, &addr, &prefix, err);

	if (r < 0)
		return r;
	host = addr & ~mask(prefix);
	if (host == 0 || host == ~mask(prefix))
		return vh_err_refuse(err, EINVAL, "address '%s' names no host of its network", text);
	*ret_addr = addr;
	*ret_prefix = prefix;
	return 0;
}

uint32_t vh_cidr_hosts(const struct vh_cidr *net)
{
	return net->prefix > 30 ? 0 : ~mask(net->prefix) - 1;
}

bool vh_cidr_overlap(const struct vh_cidr *a, const struct vh_cidr *b)
{
	uint32_t m = mask(a->prefix < b->prefix ? a->prefix : b->prefix);

	return (a->base & m) == (b->base & m);
}

const char *vh_cidr_host(const struct vh_cidr *net, uint32_t n, char buf[16])
{
	format_addr(buf, net->base + n);
	return buf;
}

const char *vh_cidr_format(const struct vh_cidr *net, char buf[19])
{
	format_addr(buf, net->base);
	snprintf(buf + strlen(buf), 4, "/%u", net->prefix);
	return buf;
}

struct vh_cidr vh_cidr_of(uint32_t addr, unsigned prefix)
{
	return (struct vh_cidr){ .base = addr & mask(prefix), .prefix = prefix };
}
