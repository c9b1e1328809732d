// SPDX-License-Identifier: Apache-2.0
/* What systemd starts, and what it must not. */
#include <string.h>
#include "images/verify/keys.h"
#include "lib/strv.h"

void vh_ask_mask(FILE *f, const json_t *value)
{
	const json_t *item;
	size_t i;

	if (json_array_size(value) == 0)
		return;
	fputs("systemctl show -p Id -p LoadState --", f);
	json_array_foreach(value, i, item)
		if (vh_quotable(json_string_value(item)))
			fprintf(f, " '%s'", json_string_value(item));
	fputs(" | awk -F= '/^Id=/ { id = $2 } /^LoadState=/ { print \"@unit \" id \" \" $2 }'\n", f);
}

static bool is_masked(const char *text, const char *unit)
{
	vh_autofree char *what = vh_strf("unit %s", unit), *state = what ? vh_answer(text, what) : NULL;
	return state && !strcmp(state, "masked");
}

int vh_judge_mask(const struct vh_judge *j, const char *key, const json_t *value)
{
	(void)key;
	return vh_judge_all(j, value, "units masked", is_masked);
}

/* One call each: a name may be an alias, and 'show' answers with the unit's own. */
void vh_ask_enable(FILE *f, const json_t *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach(value, i, item) {
		const char *s = json_string_value(item);
		if (vh_quotable(s))
			fprintf(f, "say 'enable %s' \"$(systemctl is-enabled -- '%s' 2>&1 | tail -n 1) $(systemctl is-active -- '%s' 2>/dev/null)\"\n",
				s, s, s);
	}
}

/* Whether it runs by now may hang on conditions; that it failed never is right. */
static int judge_unit(const struct vh_judge *j, const char *unit)
{
	static const char *const good[] = { "enabled", "enabled-runtime", "alias", "indirect" };
	vh_autofree char *what = vh_strf("enable %s", unit), *check = vh_strf("unit %s", unit);
	vh_autofree char *found = what ? vh_answer(j->text, what) : NULL;
	size_t n = found ? strcspn(found, " ") : 0;
	bool holds = false;

	if (!what || !check)
		return vh_err_nomem(j->err);
	for (size_t i = 0; n && i < vh_array_len(good); i++)
		holds |= strlen(good[i]) == n && !strncmp(found, good[i], n);
	return vh_verify_add(j->to, check, "enabled", found, holds && !vh_has_word(found, "failed"), j->err);
}

int vh_judge_enable(const struct vh_judge *j, const char *key, const json_t *value)
{
	const json_t *item;
	size_t i;
	int r = 0;

	(void)key;
	json_array_foreach(value, i, item)
		if (r == 0 && json_string_value(item))
			r = judge_unit(j, json_string_value(item));
	return r;
}

/* It has the seeds, vhpc's own program leaves them, and CD-ROMs are there before it looks. */
void vh_ask_cloud_init(FILE *f, const json_t *value)
{
	if (json_is_true(value))
		fputs("say cloud-init \"$(systemctl is-enabled cloud-init-local.service 2>&1 | tail -n 1) "
		      "$(systemctl show -p ExecStart --value vhpc-identity.service | grep -o -e --no-seed) "
		      "$([ ! -e /sys/bus/scsi/drivers/sr ] || echo cd)\"\n", f);
}

int vh_judge_cloud_init(const struct vh_judge *j, const char *key, const json_t *value)
{
	return json_is_true(value) ? vh_judge_equal(j, key, "cloud-init", "enabled --no-seed cd") : 0;
}

void vh_ask_console(FILE *f, const json_t *value)
{
	(void)value;
	fputs("say console \"$(systemctl show -p ExecStart --value serial-getty@ttyS0.service | grep -q -- '--autologin root' && "
	      "echo true || echo false)\"\n", f);
}

int vh_judge_console(const struct vh_judge *j, const char *key, const json_t *value)
{
	return value ? vh_judge_equal(j, key, "console", json_is_true(value) ? "true" : "false") : 0;
}
