// SPDX-License-Identifier: Apache-2.0
/* The request that options make, over that of a file. */
#include <stddef.h>
#include <string.h>

#include "lib/strv.h"
#include "vmm/cli/verbs.h"
#include "vmm/want/want.h"

static int override(char **member, const char *option, struct vh_err *err)
{
	if (!option)
		return 0;
	free(*member);
	*member = strdup(option);
	return *member ? 0 : vh_err_nomem(err);
}

int vh_want_from_opts(const struct vh_want_opts *o, const char *vms, const char *place, struct vh_want *ret,
		      struct vh_err *err)
{
	vh_cleanup(vh_want_text_free) struct vh_want_text t = { 0 };
	int r = o->request ? vh_want_load(o->request, &t, err) : 0;
	const struct { char **member; const char *option; } all[] = {
		{ &t.name, o->name }, { &t.vcpus, o->vcpus }, { &t.memory, o->memory },
		{ &t.page_size, o->page_size }, { &t.cpu_policy, o->cpu_policy }, { &t.threads, o->threads },
		{ &t.emulator, o->emulator }, { &t.iothreads, o->iothreads }, { &t.numa, o->numa },
		{ &t.pairs, o->pairs }, { &t.vms, vms }, { &t.place, place },
	};

	for (size_t i = 0; r == 0 && i < vh_array_len(all); i++)
		r = override(all[i].member, all[i].option, err);
	if (r == 0 && o->devices) {
		vh_strv_free(t.devices);
		t.devices = NULL;
		for (char **d = o->devices; r == 0 && *d; d++)
			r = vh_strv_push(&t.devices, *d) < 0 ? vh_err_nomem(err) : 0;
	}
	return r < 0 ? r : vh_want_read(&t, ret, err);
}
