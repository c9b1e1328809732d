// SPDX-License-Identifier: Apache-2.0
/* A network apart from all others, whatever the host forwards: a table of nftables for each bridge, by the
 * bridge's name, so that networks come and go without a look at each other. It carries its owner as comment. */
#include <errno.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/cidr.h"
#include "lib/strv.h"
#include "netctl/names.h"
#include "netctl/netctl.h"
#include "netctl/netlink.h"

/* nftables takes comments of 128 bytes. */
enum { OWNER_MAX = 120 };

static inline void nft_freep(struct nft_ctx **nft)
{
	if (*nft)
		nft_ctx_free(*nft);
}
#define autonft vh_cleanup(nft_freep) struct nft_ctx *

/* The table of one bridge. Between two of the bridge's ports a packet may be forwarded by it (br_netfilter),
 * and goes on. Of the host only the address is reached that it has in this network, from who belongs to it.
 * Where nothing is forwarded the kernel would heed redirections. Line by line as nftables prints it. */
static const char form[] =
	"table inet %1$s {\n"
	"\tcomment \"" VH_NET_ALIAS "%2$s\"\n"
	"\tchain forward {\n"
	"\t\ttype filter hook forward priority filter - 10; policy accept;\n"
	"\t\tiifname \"%3$s\" oifname != \"%3$s\" drop\n"
	"\t\tiifname != \"%3$s\" oifname \"%3$s\" drop\n"
	"\t}\n"
	"\tchain input {\n"
	"\t\ttype filter hook input priority filter - 10; policy accept;\n"
	"\t\tiifname \"%3$s\" meta nfproto ipv6 drop\n"
	"\t\tiifname \"%3$s\" ip daddr != %4$s drop\n"
	"\t\tiifname \"%3$s\" ip saddr != %5$s drop\n"
	"\t\tiifname \"%3$s\" icmp type redirect drop\n"
	"\t}\n"
	"}\n";

struct table { char *name, *comment, *text; };

static void table_clear(struct table *t)
{
	free(t->name);
	free(t->comment);
	free(t->text);
}

static int fill_text(struct table *t, const char *bridge, const char *address, const char *owner, struct vh_err *err)
{
	char host[19], net[19];
	struct vh_cidr cidr;
	uint32_t addr;
	unsigned prefix;
	int r = vh_host_address_parse(address, &addr, &prefix, err);

	if (r < 0)
		return r;
	cidr = vh_cidr_of(addr, prefix);
	vh_cidr_format(&(struct vh_cidr){ addr, prefix }, host);
	*strchr(host, '/') = 0;
	t->text = vh_strf(form, t->name, owner, bridge, host, vh_cidr_format(&cidr, net));
	return t->text ? 0 : vh_err_nomem(err);
}

/* address NULL: the name only. */
static int table_of(const char *bridge, const char *address, const char *owner, struct table *t, struct vh_err *err)
{
	int r = vh_net_name_check(bridge, err);

	if (r == 0)
		r = vh_net_owner_check(owner, err);
	if (r == 0 && (strpbrk(owner, "\"\\") || strlen(owner) > OWNER_MAX))
		r = vh_err_refuse(err, EINVAL, "'%.40s' is no owner of networks", owner);
	if (r < 0)
		return r;
	t->name = vh_strf("vhpc-%s", bridge);
	t->comment = vh_strf("comment \"" VH_NET_ALIAS "%s\"\n", owner);
	if (!t->name || !t->comment)
		return vh_err_nomem(err);
	return address ? fill_text(t, bridge, address, owner, err) : 0;
}

/* --- libnftables */

/* It ends the process where the kernel knows no netfilter, so that is asked before. */
static int nft_open(struct nft_ctx **ret, struct vh_err *err)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0) {
		vh_err_refuse(err, errno, "nftables: %s", strerror(errno));
		return vh_err_hint(err, "modprobe nf_tables; without it networks cannot be kept apart");
	}
	close(fd);
	*ret = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!*ret || nft_ctx_buffer_output(*ret) || nft_ctx_buffer_error(*ret))
		return vh_err_nomem(err);
	return 0;
}

static int nft_run(struct nft_ctx *nft, const char *what, const char *commands, struct vh_err *err)
{
	const char *said;

	if (nft_run_cmd_from_buffer(nft, commands) == 0)
		return 0;
	said = nft_ctx_get_error_buffer(nft);
	if (geteuid() || strstr(said, "not permitted"))
		return vh_err_refuse(err, EPERM, "%s: needs the rights to change the network (root)", what);
	return vh_err_set(err, EIO, "%s: %.*s", what, (int)strcspn(said, "\n"), said);
}

/* The table as nftables prints it; malloc'd, NULL: it is not there. */
static int read_table(struct nft_ctx *nft, const struct table *t, char **ret, struct vh_err *err)
{
	vh_autofree char *row = vh_strf("table inet %s\n", t->name), *list = vh_strf("list table inet %s", t->name);
	int r = row && list ? nft_run(nft, "nftables", "list tables inet", err) : vh_err_nomem(err);

	if (r < 0 || !strstr(nft_ctx_get_output_buffer(nft), row))
		return r;
	r = nft_run(nft, t->name, list, err);
	if (r < 0)
		return r;
	*ret = strdup(nft_ctx_get_output_buffer(nft));
	return *ret ? 0 : vh_err_nomem(err);
}

/* Whether each line that is wanted is there; what else there is may only take more away. */
static bool is_whole(const struct table *t, const char *text)
{
	for (const char *line = t->text; text && *line; ) {
		size_t len = strcspn(line, "\n") + 1;

		if (!memmem(text, strlen(text), line, len))
			return false;
		line += len;
	}
	return text;
}

/* A table without that comment is another's. */
static int check_owner(const struct table *t, const char *text, int refusal, struct vh_err *err)
{
	if (!text || strstr(text, t->comment))
		return 0;
	return vh_err_refuse(err, refusal, "nftables: table inet %s is there and not of this owner", t->name);
}

/* In one transaction: at no time is the network open. */
static int write_table(struct nft_ctx *nft, const struct table *t, struct vh_err *err)
{
	vh_autofree char *commands = vh_strf("table inet %s\ndelete table inet %s\n%s", t->name, t->name, t->text);

	return commands ? nft_run(nft, t->name, commands, err) : vh_err_nomem(err);
}

int vh_net_isolate(const char *bridge, const char *address, const char *owner, bool *ret_changed, struct vh_err *err)
{
	vh_cleanup(table_clear) struct table t = { 0 };
	vh_autofree char *was = NULL, *is = NULL;
	autonft nft = NULL;
	int r;

	*ret_changed = false;
	if ((r = table_of(bridge, address, owner, &t, err)) < 0 || (r = nft_open(&nft, err)) < 0 ||
	    (r = read_table(nft, &t, &was, err)) < 0 || (r = check_owner(&t, was, EEXIST, err)) < 0 || is_whole(&t, was))
		return r;
	*ret_changed = true;
	r = write_table(nft, &t, err);
	if (r == 0)
		r = read_table(nft, &t, &is, err);
	if (r == 0 && !is_whole(&t, is))
		r = vh_err_set(err, EIO, "nftables: table inet %s is not as it was written", t.name);
	return r;
}

int vh_net_isolate_look(const char *bridge, const char *address, const char *owner, bool *ret_there, bool *ret_whole,
			struct vh_err *err)
{
	vh_cleanup(table_clear) struct table t = { 0 };
	vh_autofree char *is = NULL;
	autonft nft = NULL;
	int r;

	if ((r = table_of(bridge, address, owner, &t, err)) < 0 || (r = nft_open(&nft, err)) < 0 ||
	    (r = read_table(nft, &t, &is, err)) < 0)
		return r;
	*ret_there = is;
	*ret_whole = is_whole(&t, is);
	return 0;
}

int vh_net_unisolate(const char *bridge, const char *owner, struct vh_err *err)
{
	vh_cleanup(table_clear) struct table t = { 0 };
	vh_autofree char *is = NULL, *command = NULL;
	autonft nft = NULL;
	int r;

	if ((r = table_of(bridge, NULL, owner, &t, err)) < 0 || (r = nft_open(&nft, err)) < 0 ||
	    (r = read_table(nft, &t, &is, err)) < 0 || !is || (r = check_owner(&t, is, EPERM, err)) < 0)
		return r;
	command = vh_strf("delete table inet %s", t.name);
	return command ? nft_run(nft, t.name, command, err) : vh_err_nomem(err);
}
