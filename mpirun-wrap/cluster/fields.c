// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/cluster/fields.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

bool vh_mpi_is_address(const char *s)
{
	struct in_addr a;

	return inet_pton(AF_INET, s, &a) == 1;
}

int vh_mpi_member(const json_t *from, const char *key, bool (*check)(const char *), char **ret, struct vh_err *err)
{
	const json_t *j = json_object_get(from, key);
	const char *s = json_string_value(j);

	if (!j)
		return vh_err_refuse(err, EINVAL, "'%s' is missing", key);
	if (!s || json_string_length(j) != strlen(s))
		return vh_err_refuse(err, EINVAL, "'%s' is not a text", key);
	if (!check(s))
		return vh_err_refuse(err, EINVAL, "'%s' is no valid value of '%s'", s, key);
	*ret = strdup(s);
	return *ret ? 0 : vh_err_nomem(err);
}

int vh_mpi_number(const json_t *from, const char *key, int64_t min, int64_t max, int64_t *ret, struct vh_err *err)
{
	const json_t *j = json_object_get(from, key);

	if (!j)
		return 0;
	if (!json_is_integer(j) || json_integer_value(j) < min || json_integer_value(j) > max)
		return vh_err_refuse(err, EINVAL, "'%s' is not a number from %" PRId64 " to %" PRId64, key, min, max);
	*ret = json_integer_value(j);
	return 0;
}
