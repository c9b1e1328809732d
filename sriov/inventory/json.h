// SPDX-License-Identifier: Apache-2.0
/* Values as members of rows: null where they are not known. */
#ifndef VH_SRIOV_JSON_H
#define VH_SRIOV_JSON_H

#include "sriov/inventory/inventory.h"

json_t *vh_pci_json_text(const char *text);	/* NULL and "": not known */
json_t *vh_pci_json_count(int64_t count);	/* less than 0: not known */
/* The first n of names. */
json_t *vh_pci_json_names(char *const *names, size_t n);
/* The same of a device's file, and the names in a directory of its. */
json_t *vh_pci_json_file(const struct vh_root *root, const char *address, const char *file);
json_t *vh_pci_json_dir(const struct vh_root *root, const char *address, const char *dir);
/* The members that list and show begin with. */
json_t *vh_pci_json_row(const struct vh_pci_device *device);
/* Attributes by key; NULL: null. */
json_t *vh_pci_json_set(const struct vh_fn *set);
/* Sets hca and hca_distance of a GPU's row; "": there is none. -1 without memory. */
int vh_pci_json_add_hca(json_t *row, const char *hca, enum vh_pci_distance distance);

#endif
