// SPDX-License-Identifier: Apache-2.0
/* Names of interfaces, and whose they are by them. */
#ifndef VH_NETCTL_NAMES_H
#define VH_NETCTL_NAMES_H

#include <stdbool.h>

#include "lib/err.h"

/* What stands in front of the owner in an interface's alias. */
#define VH_NET_ALIAS "vhpc:"

/* 0, or refused (-EINVAL): no name of an interface, no owner of interfaces. */
int vh_net_name_check(const char *name, struct vh_err *err);
int vh_net_owner_check(const char *owner, struct vh_err *err);
/* Of the form that vh_net_ifname makes, for whichever owner; for this owner. */
bool vh_net_name_shaped(const char *name);
bool vh_net_name_derived(const char *name, const char *owner);

#endif
