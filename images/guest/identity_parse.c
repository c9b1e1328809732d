// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "images/guest/identity_parse.h"
#include "images/guest/words.h"
#include "lib/ssh_key.h"

enum { FIELDS_MAX = 4 };

struct line {
	char *field[FIELDS_MAX];	/* the last holds the rest of the line */
	size_t n;
};

bool vh_identity_is_hostname(const char *s)
{
	size_t n = strlen(s);
	if (n == 0 || n > 63 || s[0] == '-' || s[n - 1] == '-')
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static bool is_ifname(const char *s)
{
	size_t n = strlen(s);
	if (n == 0 || n > 15 || !islower((unsigned char)s[0]))
		return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

/* Unicast, written in full; ret gets it in lower case. */
static bool parse_mac(const char *s, char ret[18])
{
	unsigned b[6], any = 0;
	if (strlen(s) != 17)
		return false;
	for (int i = 0; i < 6; i++) {
		const char *p = s + 3 * i;
		if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]) ||
		    (i < 5 && p[2] != ':') || sscanf(p, "%2x", &b[i]) != 1)
			return false;
		any |= b[i];
	}
	if (!any || (b[0] & 1))
		return false;
	snprintf(ret, 18, "%02x:%02x:%02x:%02x:%02x:%02x", b[0] & 255, b[1] & 255, b[2] & 255,
		 b[3] & 255, b[4] & 255, b[5] & 255);
	return true;
}

static bool parse_address(const char *s, char ret[16])
{
	struct in_addr a;
	if (inet_pton(AF_INET, s, &a) != 1 || a.s_addr == 0 || a.s_addr == INADDR_NONE)
		return false;
	return inet_ntop(AF_INET, &a, ret, 16) != NULL;
}

static const char *on_hostname(struct vh_identity *id, const struct line *l)
{
	if (l->n != 2 || !vh_identity_is_hostname(l->field[1]))
		return "not a host name (lower-case letters, digits and inner hyphens, at most 63)";
	if (*id->hostname)
		return "a second host name";
	snprintf(id->hostname, sizeof id->hostname, "%s", l->field[1]);
	return NULL;
}

static const char *parse_prefix(char *text, char address[16], unsigned *prefix)
{
	char *slash = strchr(text, '/');
	if (!slash)
		return "address without /PREFIX";
	*slash = 0;
	if (!parse_address(text, address) || !vh_word_number(slash + 1, 1, 32, prefix))
		return "not an IPv4 ADDRESS/PREFIX";
	return NULL;
}

static const char *on_nic(struct vh_identity *id, const struct line *l)
{
	struct vh_id_nic nic = { 0 };
	if (l->n < 4)
		return "nic wants MAC ADDRESS/PREFIX NAME [GATEWAY]";
	char *gateway = strchr(l->field[3], ' ');
	if (strcmp(l->field[1], "-") && !parse_mac(l->field[1], nic.mac))
		return "not a unicast MAC address";
	const char *why = strcmp(l->field[2], "dhcp") ? parse_prefix(l->field[2], nic.address, &nic.prefix) : NULL;
	if (why)
		return why;
	if (gateway)
		*gateway++ = 0;
	if (!is_ifname(l->field[3]))
		return "not an interface name";
	if (gateway && !parse_address(gateway, nic.gateway))
		return "gateway is not an IPv4 address";
	snprintf(nic.name, sizeof nic.name, "%s", l->field[3]);
	for (size_t i = 0; i < id->n_nics; i++)
		if (!strcmp(id->nics[i].name, nic.name) || (*nic.mac && !strcmp(id->nics[i].mac, nic.mac)))
			return "a second nic of this name or MAC address";
	return vh_word_append((void **)&id->nics, &id->n_nics, VH_ID_NICS_MAX, sizeof nic, &nic);
}

static const char *on_host(struct vh_identity *id, const struct line *l)
{
	struct vh_id_host host = { 0 };
	if (l->n != 3 || !parse_address(l->field[1], host.address))
		return "host wants ADDRESS NAME";
	if (!vh_identity_is_hostname(l->field[2]))
		return "not a host name";
	snprintf(host.name, sizeof host.name, "%s", l->field[2]);
	return vh_word_append((void **)&id->hosts, &id->n_hosts, VH_ID_HOSTS_MAX, sizeof host, &host);
}

static const char *on_cluster(struct vh_identity *id, const char *rest)
{
	if (id->cluster)
		return "a second cluster";
	if (!vh_base64_decode(rest, strlen(rest), &id->cluster, &id->cluster_len))
		return "cluster is not base64";
	return strlen(id->cluster) == id->cluster_len && *id->cluster == '{' ? NULL : "cluster is no JSON object";
}

static const char *on_known(struct vh_identity *id, char *rest)
{
	struct vh_id_known known = { 0 };
	char *key = strchr(rest, ' ');
	if (!key)
		return "known wants NAME TYPE BASE64";
	*key++ = 0;
	if (!vh_identity_is_hostname(rest))
		return "not a host name";
	if (!vh_is_ssh_key(key))
		return "not an OpenSSH public key";
	snprintf(known.name, sizeof known.name, "%s", rest);
	known.key = strdup(key);
	const char *why = known.key ? vh_word_append((void **)&id->known, &id->n_known, VH_ID_HOSTS_MAX, sizeof known, &known) : "out of memory";
	if (why)
		free(known.key);
	return why;
}

/* What fstab takes as one field. */
static bool is_field(const char *s)
{
	for (const char *c = s; *c; c++)
		if (*c <= 0x20 || *c > 0x7e || *c == '\\' || *c == '#')
			return false;
	return *s && strlen(s) < 256;
}

static void mount_clear(struct vh_id_mount *m)
{
	free(m->source);
	free(m->target);
	free(m->type);
	free(m->options);
}

static const char *on_mount(struct vh_identity *id, char *rest)
{
	char *field[4], *save;
	size_t n = 0;
	for (char *w = strtok_r(rest, " ", &save); w && n < 4; w = strtok_r(NULL, " ", &save))
		field[n++] = is_field(w) ? w : (char *)"";
	if (n != 4 || !*field[0] || !*field[2] || !*field[3])
		return "mount wants SOURCE TARGET TYPE OPTIONS";
	if (field[1][0] != '/' || strstr(field[1], "/..") || !field[1][1])
		return "not a directory to mount on";
	struct vh_id_mount m = { strdup(field[0]), strdup(field[1]), strdup(field[2]), strdup(field[3]) };
	const char *why = !m.source || !m.target || !m.type || !m.options ? "out of memory" :
			  vh_word_append((void **)&id->mounts, &id->n_mounts, VH_ID_MOUNTS_MAX, sizeof m, &m);
	if (why)
		mount_clear(&m);
	return why;
}

/* Nothing that means more than itself in exports(5). */
static const char *on_export(struct vh_identity *id, const struct line *l)
{
	struct vh_id_export e = { 0 };
	if (l->n != 3)
		return "export wants TARGET NETWORK/PREFIX";
	const char *s = l->field[1];
	if (s[0] != '/' || !s[1] || strstr(s, "/..") || strlen(s) >= sizeof e.target ||
	    s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./")])
		return "not a directory to export";
	const char *why = parse_prefix(l->field[2], e.network, &e.prefix);
	if (why)
		return why;
	if (id->n_exports == VH_ID_EXPORTS_MAX)
		return "too many lines of this kind";
	snprintf(e.target, sizeof e.target, "%s", s);
	id->exports[id->n_exports++] = e;
	return NULL;
}

static const char *on_dns(struct vh_identity *id, const char *address)
{
	if (id->n_dns == VH_ID_DNS_MAX)
		return NULL;	/* the resolver takes no more */
	return parse_address(address, id->dns[id->n_dns]) ? (id->n_dns++, NULL) : "dns is not an IPv4 address";
}

static const char *on_instance(struct vh_identity *id, const char *text)
{
	if (!is_field(text) || strlen(text) >= sizeof id->instance)
		return "not an instance id";
	snprintf(id->instance, sizeof id->instance, "%s", text);
	return NULL;
}

/* Cuts the line at its blanks; the last field keeps what follows. */
static struct line split(char *text)
{
	struct line l = { .n = 0 };
	while (*text && l.n < FIELDS_MAX) {
		l.field[l.n++] = text;
		char *blank = l.n < FIELDS_MAX ? strchr(text, ' ') : NULL;
		if (!blank)
			break;
		*blank = 0;
		text = blank + 1;
	}
	return l;
}

static bool is_keyword(const char *text, size_t len, const char *keyword)
{
	return strlen(keyword) == len && !strncmp(text, keyword, len);
}

/* Lines whose value is one text. *ret_known: whether it is one of them. */
static const char *on_whole(struct vh_identity *id, const char *key, size_t len, char *rest, bool *ret_known)
{
	*ret_known = true;
	if (is_keyword(key, len, "authorized"))
		return vh_word_key(&id->authorized, &id->n_authorized, VH_ID_KEYS_MAX, rest);
	if (is_keyword(key, len, "hostkey"))
		return vh_word_private(&id->hostkey, &id->hostkey_len, rest);
	if (is_keyword(key, len, "hostkey.pub"))
		return vh_word_public(&id->hostkey_pub, rest);
	if (is_keyword(key, len, "userkey"))
		return vh_word_private(&id->userkey, &id->userkey_len, rest);
	if (is_keyword(key, len, "userkey.pub"))
		return vh_word_public(&id->userkey_pub, rest);
	if (is_keyword(key, len, "cluster"))
		return on_cluster(id, rest);
	if (is_keyword(key, len, "known"))
		return on_known(id, rest);
	if (is_keyword(key, len, "mount"))
		return on_mount(id, rest);
	*ret_known = false;
	return NULL;
}

/* text is a copy that may be cut. Never quotes it: a bad line may hold a secret. */
static const char *on_line(struct vh_identity *id, char *text)
{
	char *rest = strchr(text, ' ');
	bool known;
	if (!rest)
		return "a keyword without a value";
	const char *why = on_whole(id, text, (size_t)(rest - text), rest + 1, &known);
	if (!known)
		why = vh_id_users_line(&id->people, text, (size_t)(rest - text), rest + 1, &known);
	if (!known)
		why = vh_id_slurm_line(&id->slurm, text, (size_t)(rest - text), rest + 1, &known);
	if (known)
		return why;
	struct line l = split(text);
	if (l.n == 2 && !strcmp(l.field[0], "dns"))
		return on_dns(id, l.field[1]);
	if (l.n == 2 && !strcmp(l.field[0], "instance"))
		return on_instance(id, l.field[1]);
	if (l.n == 2 && !strcmp(l.field[0], "network") && !strcmp(l.field[1], "dhcp")) {
		id->dhcp = true;
		return NULL;
	}
	if (!strcmp(l.field[0], "hostname"))
		return on_hostname(id, &l);
	if (!strcmp(l.field[0], "nic"))
		return on_nic(id, &l);
	if (!strcmp(l.field[0], "host"))
		return on_host(id, &l);
	if (!strcmp(l.field[0], "export"))
		return on_export(id, &l);
	if (!strcmp(l.field[0], "mtu"))
		return l.n == 2 && vh_word_number(l.field[1], 576, 65535, &id->mtu) ? NULL :
		       "mtu is not a number from 576 to 65535";
	return "unknown keyword";
}

static const char *on_text(struct vh_identity *id, char *text, unsigned *line)
{
	const char *why = NULL;
	for (char *next; text && *text && !why; text = next) {
		++*line;
		next = strchr(text, '\n');
		if (next)
			*next++ = 0;
		if (*text && *text != '#')
			why = on_line(id, text);
	}
	if (why)
		return why;
	return *id->hostname ? NULL : "no host name";
}

int vh_identity_parse(const char *text, size_t len, struct vh_identity *ret, char *why,
		      size_t why_len)
{
	unsigned line = 0;
	const char *reason;
	char *copy = len <= VH_ID_TEXT_MAX ? calloc(1, len + 1) : NULL;

	*ret = (struct vh_identity){ 0 };
	if (len > VH_ID_TEXT_MAX)
		reason = "more than 1 MiB";
	else if (!copy)
		reason = "out of memory";
	else if (memchr(text, 0, len))
		reason = "a NUL byte";
	else
		reason = on_text(ret, memcpy(copy, text, len), &line);
	if (copy)
		explicit_bzero(copy, len);
	free(copy);
	if (!reason)
		return 0;
	snprintf(why, why_len, "line %u: %s", line, reason);
	vh_identity_clear(ret);
	return -1;
}

void vh_identity_clear(struct vh_identity *id)
{
	for (size_t i = 0; i < id->n_authorized; i++)
		free(id->authorized[i]);
	free(id->authorized);
	for (size_t i = 0; i < id->n_mounts; i++)
		mount_clear(&id->mounts[i]);
	free(id->mounts);
	for (size_t i = 0; i < id->n_known; i++)
		free(id->known[i].key);
	free(id->known);
	free(id->cluster);
	if (id->userkey)
		explicit_bzero(id->userkey, id->userkey_len);
	free(id->userkey);
	free(id->userkey_pub);
	free(id->nics);
	free(id->hosts);
	if (id->hostkey)
		explicit_bzero(id->hostkey, id->hostkey_len);
	free(id->hostkey);
	free(id->hostkey_pub);
	vh_id_users_clear(&id->people);
	vh_id_slurm_clear(&id->slurm);
	*id = (struct vh_identity){ 0 };
}
