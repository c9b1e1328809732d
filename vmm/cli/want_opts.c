// SPDX-License-Identifier: Apache-2.0
/* The request that options make, over that of a file. */
#include "vmm/cli/cli.h"

int vh_want_from_opts(const struct vh_want_opts *o, struct vh_want *ret, struct vh_err *err)
{
	vh_cleanup(vh_want_text_free) struct vh_want_text text = { 0 };
	int r = o->request ? vh_want_load(o->request, &text, err) : 0;

	if (r == 0)
		r = vh_want_overlay(&text, &o->said, err);
	return r < 0 ? r : vh_want_read(&text, ret, err);
}
