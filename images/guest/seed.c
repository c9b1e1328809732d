// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "images/guest/identity_parse.h"
#include "images/guest/seed.h"
#include "lib/ssh_key.h"
#include "lib/strv.h"
#include "lib/doc/yaml.h"

struct seed { FILE *out, *skipped; unsigned nics; bool named; };

static void json_freep(json_t **j) { json_decref(*j); }
#define autojson vh_cleanup(json_freep) json_t *

/* YAML as the JSON that it could have been: every scalar is a text, or null. */
static json_t *from_yaml(const struct vh_yaml *y)
{
	json_t *out;

	if (y->type == VH_YAML_SCALAR)
		return y->null ? json_null() : json_string(y->text);
	out = y->type == VH_YAML_LIST ? json_array() : json_object();
	for (size_t i = 0; y->type == VH_YAML_LIST && i < y->n; i++)
		json_array_append_new(out, from_yaml(y->items[i]));
	for (size_t i = 0; y->type == VH_YAML_MAP && i + 1 < y->n; i += 2)
		if (y->items[i]->type == VH_YAML_SCALAR)
			json_object_set_new(out, y->items[i]->text, from_yaml(y->items[i + 1]));
	return out;
}

static json_t *read_yaml(const char *name, const char *text, char *why, size_t why_len)
{
	vh_cleanup(vh_yaml_freep) struct vh_yaml *y = NULL;
	vh_autoerr err = VH_ERR_NONE;

	if (vh_yaml_parse(name, text, strlen(text), &y, &err) < 0) {
		snprintf(why, why_len, "%s", err.text);
		return NULL;
	}
	return from_yaml(y);
}

static json_t *read_json(const char *name, const char *text, char *why, size_t why_len)
{
	json_error_t bad;
	json_t *doc = json_loads(text, 0, &bad);

	if (!doc)
		snprintf(why, why_len, "%s: line %d: %s", name, bad.line, bad.text);
	return doc;
}

/* One word of the identity's text, which no line break or blank gets into. */
static bool is_word(const char *s)
{
	for (const char *c = s; c && *c; c++)
		if (*c <= 0x20 || *c > 0x7e)
			return false;
	return s && *s;
}

static const char *text(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static bool truth(const json_t *o, const char *key)
{
	const char *s = text(o, key);
	return json_is_true(json_object_get(o, key)) || (s && (!strcasecmp(s, "true") || !strcasecmp(s, "yes") || !strcasecmp(s, "on")));
}

/* The first label, in lower case; the first that is usable counts. */
static void put_hostname(struct seed *s, const char *name)
{
	char label[64];
	size_t n = name ? strcspn(name, ".") : 0;

	if (s->named || n == 0 || n >= sizeof label)
		return;
	for (size_t i = 0; i <= n; i++)
		label[i] = i < n ? (char)tolower((unsigned char)name[i]) : 0;
	if (!vh_identity_is_hostname(label)) {
		fprintf(s->skipped, "a host name that is none\n");
		return;
	}
	fprintf(s->out, "hostname %s\n", label);
	s->named = true;
}

static void put_key(struct seed *s, const char *key)
{
	size_t n = key ? strlen(key) : 0;
	while (n > 0 && isspace((unsigned char)key[n - 1]))
		n--;
	vh_autofree char *line = key ? strndup(key, n) : NULL;
	if (line && vh_is_ssh_key(line))
		fprintf(s->out, "authorized %s\n", line);
	else
		fprintf(s->skipped, "a public key that is none, or has options\n");
}

/* A list of keys, or an object of them by name. */
static void put_keys(struct seed *s, const json_t *keys)
{
	const char *name;
	json_t *key;
	size_t i;

	json_array_foreach(keys, i, key)
		put_key(s, json_is_object(key) ? text(key, "data") : json_string_value(key));
	json_object_foreach((json_t *)keys, name, key)
		put_key(s, json_is_object(key) ? text(key, "openssh-key") : json_string_value(key));
}

static void put_dns(struct seed *s, const json_t *list)
{
	struct in_addr a;
	json_t *address;
	size_t i;

	json_array_foreach(list, i, address)
		if (json_string_value(address) && inet_pton(AF_INET, json_string_value(address), &a) == 1)
			fprintf(s->out, "dns %s\n", json_string_value(address));
	if (json_is_string(list) && inet_pton(AF_INET, json_string_value(list), &a) == 1)
		fprintf(s->out, "dns %s\n", json_string_value(list));
}

struct nic { const char *mac, *name, *address, *netmask, *gateway; bool dhcp; };

/* "10.0.0.5/24", or the address with its netmask behind it; false when it is no IPv4 address. */
static bool put_address(FILE *f, const struct nic *n)
{
	struct in_addr a, mask;
	size_t len = n->address ? strcspn(n->address, "/") : 0;
	vh_autofree char *address = n->address ? strndup(n->address, len) : NULL;

	if (!address || inet_pton(AF_INET, address, &a) != 1)
		return false;
	if (n->address[len])
		fprintf(f, "%s/%u", address, (unsigned)atoi(n->address + len + 1));
	else if (n->netmask && inet_pton(AF_INET, n->netmask, &mask) == 1)
		fprintf(f, "%s/%d", address, __builtin_popcount(mask.s_addr));
	else
		fprintf(f, "%s/24", address);
	return true;
}

/* An interface that has a MAC takes a name of ours where its own is none for Linux. */
static void put_nic(struct seed *s, const struct nic *n)
{
	vh_autofree char *line = NULL, *own = vh_strf("net%u", s->nics);
	const char *name = n->name && islower((unsigned char)*n->name) && strlen(n->name) < 16 && is_word(n->name) ? n->name : own;
	size_t len = 0;
	FILE *f = open_memstream(&line, &len);

	if (!f || !own)
		return;
	bool good = (!n->mac || is_word(n->mac)) && (n->mac || name != own) && fprintf(f, "nic %s ", n->mac ? n->mac : "-") > 0 &&
		    (n->dhcp ? fprintf(f, "dhcp") > 0 : put_address(f, n));
	fprintf(f, " %s%s%s\n", name, n->gateway && !n->dhcp && is_word(n->gateway) ? " " : "",
		n->gateway && !n->dhcp && is_word(n->gateway) ? n->gateway : "");
	fclose(f);
	if (good && s->nics++ < VH_ID_NICS_MAX)
		fputs(line, s->out);
	else
		fprintf(s->skipped, "an interface without an IPv4 address, or the seventeenth\n");
}

static const char *default_route(const json_t *routes)
{
	const json_t *route;
	size_t i;

	json_array_foreach(routes, i, route) {
		const char *to = text(route, "to"), *network = text(route, "network"), *mask = text(route, "netmask");
		if ((to && (!strcmp(to, "default") || !strcmp(to, "0.0.0.0/0"))) ||
		    (network && !strcmp(network, "0.0.0.0") && (!mask || !strcmp(mask, "0.0.0.0"))))
			return text(route, "via") ? text(route, "via") : text(route, "gateway");
	}
	return NULL;
}

static void put_ethernets(struct seed *s, const json_t *ethernets)
{
	const char *key;
	json_t *e;

	json_object_foreach((json_t *)ethernets, key, e) {
		const char *gateway = text(e, "gateway4"), *name = text(e, "set-name");
		put_nic(s, &(struct nic){ .mac = text(json_object_get(e, "match"), "macaddress"), .name = name ? name : key,
			.address = json_string_value(json_array_get(json_object_get(e, "addresses"), 0)),
			.gateway = gateway ? gateway : default_route(json_object_get(e, "routes")), .dhcp = truth(e, "dhcp4") });
		put_dns(s, json_object_get(json_object_get(e, "nameservers"), "addresses"));
	}
}

static void put_version_1(struct seed *s, const json_t *config)
{
	const json_t *item;
	size_t i;

	json_array_foreach(config, i, item) {
		const char *type = text(item, "type"), *how;
		const json_t *subnet = json_array_get(json_object_get(item, "subnets"), 0);
		if (type && !strcmp(type, "nameserver"))
			put_dns(s, json_object_get(item, "address"));
		if (!type || strcmp(type, "physical"))
			continue;
		how = text(subnet, "type");
		put_nic(s, &(struct nic){ .mac = text(item, "mac_address"), .name = text(item, "name"),
			.address = text(subnet, "address"), .netmask = text(subnet, "netmask"), .gateway = text(subnet, "gateway"),
			.dhcp = how && !strncmp(how, "dhcp", 4) });
		put_dns(s, json_object_get(subnet, "dns_nameservers"));
	}
}

static int put_network_config(struct seed *s, const char *yaml, char *why, size_t why_len)
{
	autojson doc = read_yaml("network-config", yaml, why, why_len);
	const json_t *net = json_object_get(doc, "network");

	if (!doc)
		return -1;
	if (!net)
		net = doc;
	put_ethernets(s, json_object_get(net, "ethernets"));
	put_version_1(s, json_object_get(net, "config"));
	return 0;
}

static const json_t *find_link(const json_t *doc, const char *id)
{
	const json_t *link;
	size_t i;

	json_array_foreach(json_object_get(doc, "links"), i, link)
		if (id && text(link, "id") && !strcmp(text(link, "id"), id))
			return link;
	return NULL;
}

static int put_network_data(struct seed *s, const char *json, char *why, size_t why_len)
{
	autojson doc = read_json("network_data.json", json, why, why_len);
	const json_t *net;
	size_t i;

	if (!doc)
		return -1;
	json_array_foreach(json_object_get(doc, "networks"), i, net) {
		const char *type = text(net, "type");
		if (!type || strncmp(type, "ipv4", 4))
			continue;
		put_nic(s, &(struct nic){ .mac = text(find_link(doc, text(net, "link")), "ethernet_mac_address"),
			.address = text(net, "ip_address"), .netmask = text(net, "netmask"),
			.gateway = default_route(json_object_get(net, "routes")), .dhcp = !strcmp(type, "ipv4_dhcp") });
	}
	json_array_foreach(json_object_get(doc, "services"), i, net)
		put_dns(s, json_object_get(net, "address"));
	return 0;
}

/* cloud-init's order: device, directory, type, options. */
static void put_mount(struct seed *s, const json_t *m)
{
	const char *field[4];

	for (size_t i = 0; i < 4; i++)
		field[i] = json_string_value(json_array_get(m, i));
	if (!is_word(field[0]) || !is_word(field[1]) || field[1][0] != '/') {
		fprintf(s->skipped, "a mount without device or directory\n");
		return;
	}
	fprintf(s->out, "mount %s %s %s %s\n", field[0], field[1], is_word(field[2]) ? field[2] : "auto",
		is_word(field[3]) ? field[3] : "defaults,nofail");
}

static void put_base64(FILE *f, const char *s, size_t n)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)(unsigned char)s[i] << 16 | (i + 1 < n ? (unsigned)(unsigned char)s[i + 1] << 8 : 0) |
			     (i + 2 < n ? (unsigned char)s[i + 2] : 0);
		fprintf(f, "%c%c%c%c", set[v >> 18], set[v >> 12 & 63], i + 1 < n ? set[v >> 6 & 63] : '=',
			i + 2 < n ? set[v & 63] : '=');
	}
}

static void put_host_key(struct seed *s, const json_t *keys)
{
	const char *private = text(keys, "ed25519_private"), *public = text(keys, "ed25519_public");
	vh_autofree char *line = public ? strndup(public, strcspn(public, "\n")) : NULL;

	if (!private || !line || !vh_is_ssh_key(line))
		return;
	fputs("hostkey ", s->out);
	put_base64(s->out, private, strlen(private));
	fprintf(s->out, "\nhostkey.pub %s\n", line);
}

static int put_user_data(struct seed *s, const char *yaml, char *why, size_t why_len)
{
	if (strncmp(yaml, "#cloud-config", 13)) {
		if (*yaml)
			fprintf(s->skipped, "user-data that is no #cloud-config\n");
		return 0;
	}
	autojson doc = read_yaml("user-data", yaml, why, why_len);
	const json_t *m;
	size_t i;

	if (!doc)
		return -1;
	put_hostname(s, text(doc, "hostname"));
	put_hostname(s, text(doc, "fqdn"));
	put_keys(s, json_object_get(doc, "ssh_authorized_keys"));
	put_host_key(s, json_object_get(doc, "ssh_keys"));
	json_array_foreach(json_object_get(doc, "mounts"), i, m)
		put_mount(s, m);
	return 0;
}

static int put_meta_data(struct seed *s, const json_t *doc, const char *instance, char *why, size_t why_len)
{
	const char *id = text(doc, instance);

	if (!is_word(id) || strlen(id) > 127)
		return snprintf(why, why_len, "meta-data: no %s", instance), -1;
	fprintf(s->out, "instance %s\n", id);
	put_hostname(s, text(doc, "local-hostname"));
	put_hostname(s, text(doc, "hostname"));
	put_keys(s, json_object_get(doc, "public-keys"));
	put_keys(s, json_object_get(doc, "public_keys"));
	return 0;
}

static int put_all(struct seed *s, const struct vh_seed *seed, char *why, size_t why_len)
{
	bool config_drive = seed->meta_data_json != NULL;
	const char *meta = config_drive ? seed->meta_data_json : seed->meta_data;
	autojson doc = !meta ? NULL : config_drive ? read_json("meta_data.json", meta, why, why_len)
						   : read_yaml("meta-data", meta, why, why_len);
	int r = 0;

	if (!meta)
		snprintf(why, why_len, "no meta-data");
	/* What the user says goes before what the cloud says. */
	if (!doc || (seed->user_data && put_user_data(s, seed->user_data, why, why_len) < 0) ||
	    put_meta_data(s, doc, config_drive ? "uuid" : "instance-id", why, why_len) < 0)
		return -1;
	if (!s->named)
		put_hostname(s, "localhost");
	if (config_drive && seed->network_data_json)
		r = put_network_data(s, seed->network_data_json, why, why_len);
	else if (!config_drive && seed->network_config)
		r = put_network_config(s, seed->network_config, why, why_len);
	if (r == 0 && s->nics == 0)
		fputs("network dhcp\n", s->out);
	return r;
}

int vh_seed_text(const struct vh_seed *seed, char **ret, char **ret_skipped, char *why, size_t why_len)
{
	vh_autofree char *out = NULL, *skipped = NULL;
	size_t len = 0, skipped_len = 0;
	struct seed s = { .out = open_memstream(&out, &len), .skipped = open_memstream(&skipped, &skipped_len) };
	int r = -1;

	if (s.out && s.skipped)
		r = put_all(&s, seed, why, why_len);
	else
		snprintf(why, why_len, "out of memory");
	if (s.out)
		fclose(s.out);
	if (s.skipped)
		fclose(s.skipped);
	if (r < 0)
		return r;
	*ret = vh_steal(&out);
	*ret_skipped = skipped_len ? vh_steal(&skipped) : NULL;
	return 0;
}
