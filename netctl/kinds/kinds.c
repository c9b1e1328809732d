// SPDX-License-Identifier: Apache-2.0
#include "netctl/kinds/kinds.h"

#include <string.h>

static const struct vh_net_kind *const kinds[] = { &vh_net_kind_bridge, &vh_net_kind_tap };

const struct vh_net_kind *vh_net_kind_of(const char *type)
{
	for (size_t i = 0; type && i < vh_array_len(kinds); i++)
		if (!strcmp(kinds[i]->type, type))
			return kinds[i];
	return NULL;
}

int vh_net_kind_never_differs(struct rtnl_link *link, const struct vh_net_want *want, struct vh_err *err)
{
	(void)link;
	(void)want;
	(void)err;
	return 0;
}

int vh_net_kind_keeps_itself(int fd, const struct vh_net_want *want, struct vh_err *err)
{
	(void)fd;
	(void)want;
	(void)err;
	return 0;
}

int vh_net_kind_lists_nothing(struct nl_cache *links, struct rtnl_link *link, json_t *row)
{
	(void)links;
	(void)link;
	(void)row;
	return 0;
}
