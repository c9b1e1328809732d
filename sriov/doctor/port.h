// SPDX-License-Identifier: Apache-2.0
#ifndef VH_SRIOV_DOCTOR_PORT_H
#define VH_SRIOV_DOCTOR_PORT_H

#include "sriov/doctor/finding.h"

/* Subnet manager, P_Key and state of the ports of the device's InfiniBand or network device. */
void vh_doctor_ports(struct vh_doctor *d, const char *address);

#endif
