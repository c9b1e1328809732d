// SPDX-License-Identifier: Apache-2.0
/* vhpc's own transport, built against one release of Open MPI each: GUEST/mca/RELEASE/
 * mca_btl_ivshm.so. An image takes the one of its own release, where there is one. */
#ifndef VH_NODE_MPI_H
#define VH_NODE_MPI_H

#include <sha256.h>
#include <stdbool.h>
#include "images/tree/tree.h"

/* Adds the one of that release to a digest, or that there is none; release NULL: no Open MPI. */
int vh_component_digest(const char *guest, const char *release, SHA256_CTX *s, struct vh_err *err);
/* Beside the components that the image's Open MPI brought. *ret_put: whether. */
int vh_component_put(struct vh_tree *tree, const char *guest, const char *release, bool *ret_put,
		     struct vh_err *err);
/* Whether an image's tree holds it. */
bool vh_component_is_in(const struct vh_tree *tree);

#endif
