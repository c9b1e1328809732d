// SPDX-License-Identifier: Apache-2.0
#ifndef VH_PCI_ADDRESS_H
#define VH_PCI_ADDRESS_H

#include <stdbool.h>
#include "lib/err.h"

enum { VH_PCI_ADDRESS_SIZE = 20 };	/* of a buffer */

/* "0000:3b:00.1", domain of four digits or more. */
bool vh_pci_is_address(const char *s);
/* "3B:00.1" and the like made whole; malloc'd. Not so shaped: usage. */
int vh_pci_full_address(const char *text, char **ret, struct vh_err *err);

#endif
