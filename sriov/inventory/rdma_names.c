// SPDX-License-Identifier: Apache-2.0
#include "sriov/inventory/rdma_names.h"

#include "lib/cleanup.h"

json_t *vh_rdma_state(unsigned state)
{
	static const char *const names[] = { NULL, "DOWN", "INIT", "ARMED", "ACTIVE", "ACTIVE_DEFER" };

	return state > 0 && state < vh_array_len(names) ? json_string(names[state]) : json_null();
}

json_t *vh_rdma_physical(unsigned state)
{
	static const char *const names[] = {
		NULL, "Sleep", "Polling", "Disabled", "PortConfigurationTraining", "LinkUp", "LinkErrorRecovery", "Phy Test",
	};

	return state > 0 && state < vh_array_len(names) ? json_string(names[state]) : json_null();
}

json_t *vh_rdma_guid(uint64_t guid)
{
	char text[3 * 8 + 1];

	for (int i = 0; i < 8; i++)
		snprintf(text + 3 * i, 4, "%02x%s", (unsigned)(guid >> 8 * (7 - i)) & 0xff, i < 7 ? ":" : "");
	return json_string(text);
}
