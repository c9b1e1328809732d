// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/roll/roll.h"

#include "lib/strv.h"

static const enum roll_act forth[] = { ROLL_DRAIN, ROLL_STOP, ROLL_ASIDE, ROLL_RENEW, ROLL_BUILD, ROLL_RESUME, ROLL_KEEP };
static const enum roll_act back[] = { ROLL_REMOVE, ROLL_REVERT, ROLL_RESTORE, ROLL_REBUILD, ROLL_RESUME };

/* Where in back it begins. */
static size_t way_back(enum roll_act failed)
{
	return failed == ROLL_DRAIN ? 4 : failed == ROLL_STOP ? 3 : 0;
}

static int act_all(const enum roll_act *acts, size_t n_acts, const struct roll_ops *ops, void *arg, size_t first, size_t n,
		   enum roll_act *ret_failed, struct vh_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_acts; i++) {
		r = ops->act(arg, acts[i], first, n, err);
		*ret_failed = acts[i];
	}
	return r;
}

/* What was removed beside them cannot be had again: such nodes are left to the next run. */
static int go_back(enum roll_act failed, const struct roll_ops *ops, void *arg, size_t first, size_t n, struct vh_err *err)
{
	const size_t from = way_back(failed);
	vh_autoerr why = VH_ERR_NONE;
	enum roll_act at;

	ops->tell(arg, ROLL_FAILED, first, n, err);
	if (failed == ROLL_KEEP)
		return vh_err_as(err, VH_EXIT_PARTIAL);
	if (act_all(back + from, vh_array_len(back) - from, ops, arg, first, n, &at, &why) == 0) {
		ops->tell(arg, ROLL_BACK, first, n, NULL);
		return -err->num;
	}
	ops->tell(arg, ROLL_FAILED, first, n, &why);
	vh_err_as(err, VH_EXIT_PARTIAL);
	return vh_err_hint(err, "vhpc cluster apply brings up what could not go back, once the cause is gone");
}

int roll_run(size_t n, size_t at_once, const struct roll_ops *ops, void *arg, size_t *ret_done, struct vh_err *err)
{
	*ret_done = 0;
	for (size_t part; *ret_done < n; *ret_done += part) {
		enum roll_act at;

		part = n - *ret_done < at_once ? n - *ret_done : at_once;
		ops->tell(arg, ROLL_BEGINS, *ret_done, part, NULL);
		if (act_all(forth, vh_array_len(forth), ops, arg, *ret_done, part, &at, err) < 0) {
			go_back(at, ops, arg, *ret_done, part, err);
			return *ret_done ? vh_err_as(err, VH_EXIT_PARTIAL) : -err->num;
		}
		ops->tell(arg, ROLL_DONE, *ret_done, part, NULL);
	}
	return 0;
}

int roll_settle_one(bool aside, const struct roll_ops *ops, void *arg, size_t i, struct vh_err *err)
{
	static const enum roll_act keep[] = { ROLL_KEEP };
	enum roll_act at;

	/* What follows is the walk's. */
	return aside ? act_all(back, 3, ops, arg, i, 1, &at, err) : act_all(keep, 1, ops, arg, i, 1, &at, err);
}
