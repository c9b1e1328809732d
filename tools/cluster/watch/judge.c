// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/watch/watch.h"

/* Between the second start and the one before, and twice as long each time. */
enum { PAUSE_S = 10, PAUSES = 6 };

/* Those of the hour. A clock that was set back makes none of them later than now. */
static unsigned count_recent(const struct watch_case *c, int64_t *ret_last)
{
	unsigned n = 0;

	for (size_t i = 0; i < c->past->n; i++)
		if (c->past->at[i] <= c->now && c->past->at[i] > c->now - WATCH_HOUR_S) {
			*ret_last = c->past->at[i];
			n++;
		}
	return n;
}

static int64_t pause_after(unsigned count)
{
	return (int64_t)PAUSE_S << (count - 1 < PAUSES ? count - 1 : PAUSES);
}

static struct watch_verdict start(const struct watch_case *c, const char *why)
{
	int64_t last = 0;
	struct watch_verdict v = { WATCH_START, why, count_recent(c, &last) };

	if (v.count >= c->limit)
		v.what = WATCH_LIMIT;
	else if (v.count && c->now < last + pause_after(v.count))
		v.what = WATCH_WAIT;
	return v;
}

struct watch_verdict watch_judge(const struct watch_case *c)
{
	static const struct watch_verdict nothing = { .what = WATCH_NOTHING };

	if ((!c->failed_too && !c->all_too) || c->off)
		return nothing;
	switch (c->end) {
	case VH_VIRT_FAILED:
		return start(c, "its QEMU ended by itself");
	case VH_VIRT_UNKNOWN:
		return start(c, "it is off, and nobody is known to have switched it off");
	case VH_VIRT_SHUT_DOWN:
		return c->all_too ? start(c, "it shut itself down") : (struct watch_verdict){ WATCH_LEAVE, "it was shut down", 0 };
	case VH_VIRT_DESTROYED:
		return (struct watch_verdict){ WATCH_LEAVE, "somebody switched it off", 0 };
	default:
		return nothing;
	}
}
