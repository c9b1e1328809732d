// SPDX-License-Identifier: Apache-2.0
/* What a PF sets of a VF, by name and as text. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "lib/values.h"
#include "sriov/function/function.h"

enum kind { MAC, GUID, NUMBER, SWITCH, LINK };

static const struct {
	const char *name, *key;
	enum kind kind;
	uint64_t max;
} attrs[VH_FN_ATTRS] = {
	[VH_FN_MAC] = { "mac", "mac", MAC, 0xffffffffffff },
	[VH_FN_VLAN] = { "vlan", "vlan", NUMBER, 4094 },
	[VH_FN_QOS] = { "qos", "qos", NUMBER, 7 },
	[VH_FN_SPOOFCHK] = { "spoofchk", "spoofchk", SWITCH, 1 },
	[VH_FN_TRUST] = { "trust", "trust", SWITCH, 1 },
	[VH_FN_MIN_RATE] = { "min-rate", "min_rate", NUMBER, UINT32_MAX },
	[VH_FN_MAX_RATE] = { "max-rate", "max_rate", NUMBER, UINT32_MAX },
	[VH_FN_LINK_STATE] = { "link-state", "link_state", LINK, 2 },
	[VH_FN_NODE_GUID] = { "node-guid", "node_guid", GUID, UINT64_MAX },
	[VH_FN_PORT_GUID] = { "port-guid", "port_guid", GUID, UINT64_MAX },
	[VH_FN_PKEY_INDEX] = { "pkey-index", "pkey_index", NUMBER, 127 },
};

/* As iproute2 says it; InfiniBand's policies mean the same. */
static const char *const link_states[] = { "auto", "enable", "disable" };
static const char *const policies[] = { "follow", "up", "down" };

const char *vh_fn_attr_name(enum vh_fn_attr attr)
{
	return attrs[attr].name;
}

const char *vh_fn_attr_key(enum vh_fn_attr attr)
{
	return attrs[attr].key;
}

/* Bytes in hexadecimal with colons between, in groups of one or two bytes, or one 0x number. */
static int parse_bytes(const char *text, unsigned bytes, uint64_t *ret)
{
	size_t len = strlen(text), digits = 0, group;
	uint64_t v = 0;

	if (!strncmp(text, "0x", 2) && len == 2 + 2 * (size_t)bytes) {
		group = len;
		text += 2;
	} else {
		group = strcspn(text, ":");
		if (group != 2 && group != 4)
			return -EINVAL;
	}
	for (size_t in_group = 0; *text; text++) {
		if (*text == ':') {
			if (in_group != group || !text[1])
				return -EINVAL;
			in_group = 0;
			continue;
		}
		if (!isxdigit((unsigned char)*text) || ++in_group > group || ++digits > 2 * bytes)
			return -EINVAL;
		v = v << 4 | (unsigned)(*text <= '9' ? *text - '0' : (*text | 0x20) - 'a' + 10);
	}
	if (digits != 2 * bytes)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int parse_word(const char *text, const char *const *words, size_t n, uint64_t *ret)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(text, words[i])) {
			*ret = i;
			return 0;
		}
	return -EINVAL;
}

int vh_fn_attr_read(enum vh_fn_attr attr, const char *text, uint64_t *ret)
{
	static const char *const switches[] = { "off", "on" };
	vh_autoerr ignored = VH_ERR_NONE;

	switch (attrs[attr].kind) {
	case MAC:
		return parse_bytes(text, 6, ret);
	case GUID:
		return parse_bytes(text, 8, ret);
	case SWITCH:
		return parse_word(text, switches, 2, ret);
	case LINK:
		return parse_word(text, link_states, 3, ret) == 0 ? 0 : parse_word(text, policies, 3, ret);
	case NUMBER:
		break;
	}
	return vh_uint_parse(text, UINT32_MAX, ret, &ignored);
}

static const char *attr_form(enum kind kind)
{
	switch (kind) {
	case MAC: return "02:00:00:00:00:01";
	case GUID: return "02:00:00:00:00:00:00:01";
	case SWITCH: return "on or off";
	case LINK: return "auto, enable or disable (follow, up or down)";
	case NUMBER: break;
	}
	return "a number";
}

static int check_attr(enum vh_fn_attr attr, const char *text, uint64_t v, struct vh_err *err)
{
	enum kind kind = attrs[attr].kind;

	if (kind == MAC || kind == GUID) {
		if (!v)
			return vh_err_refuse(err, EINVAL, "%s %s: all zero", attrs[attr].name, text);
		if (v == attrs[attr].max)
			return vh_err_refuse(err, EINVAL, "%s %s: all ones", attrs[attr].name, text);
	}
	if (kind == MAC && v >> 40 & 1)
		return vh_err_refuse(err, EINVAL, "%s %s: a multicast address", attrs[attr].name, text);
	if (v > attrs[attr].max)
		return vh_err_refuse(err, ERANGE, "%s %s: past %" PRIu64, attrs[attr].name, text, attrs[attr].max);
	return 0;
}

int vh_fn_attr_parse(enum vh_fn_attr attr, const char *text, uint64_t *ret, struct vh_err *err)
{
	uint64_t v;
	int r;

	if (vh_fn_attr_read(attr, text, &v) < 0) {
		vh_err_usage(err, "--%s: '%.40s' is none", attrs[attr].name, text);
		return vh_err_hint(err, "%s", attr_form(attrs[attr].kind));
	}
	r = check_attr(attr, text, v, err);
	if (r == 0)
		*ret = v;
	return r;
}

const char *vh_fn_attr_text(enum vh_fn_attr attr, uint64_t v, char buf[32])
{
	unsigned bytes = attrs[attr].kind == MAC ? 6 : 8;

	switch (attrs[attr].kind) {
	case MAC:
	case GUID:
		for (unsigned i = 0; i < bytes; i++)
			snprintf(buf + 3 * i, 4, "%02x:", (unsigned)(v >> 8 * (bytes - 1 - i) & 0xff));
		buf[3 * bytes - 1] = 0;
		return buf;
	case SWITCH:
		return v ? "on" : "off";
	case LINK:
		return v < 3 ? link_states[v] : "?";
	case NUMBER:
		break;
	}
	snprintf(buf, 32, "%" PRIu64, v);
	return buf;
}

json_t *vh_fn_attr_json(enum vh_fn_attr attr, uint64_t v)
{
	char buf[32];

	switch (attrs[attr].kind) {
	case SWITCH:
		return json_boolean(v);
	case NUMBER:
		return json_integer((json_int_t)v);
	default:
		return json_string(vh_fn_attr_text(attr, v, buf));
	}
}
