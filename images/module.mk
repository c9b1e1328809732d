# SPDX-License-Identifier: Apache-2.0
$(eval $(call library,images,images/recipe.c images/store.c images/workdir.c images/build.c \
    images/bootstrap.c images/furnish.c images/initrd.c images/modules.c images/packages.c \
    images/tree.c images/tree_node.c images/tree_load.c images/ext4.c images/hostfile.c images/component.c images/guest/identity_parse.c))
$(eval $(call program,vhpc-image,images/main.c images/verb_build.c images/verb_store.c,images lib,libarchive libmd ext2fs com_err jansson yaml-0.1 sqlite3))
$(eval $(call guest,init,images/guest/init.c))
$(eval $(call guest,identity,images/guest/identity.c images/guest/identity_parse.c))
$(eval $(call guest,power,images/guest/power.c))
$(B)/guest/identity: images/guest/identity_parse.h
# A test runs it.
$(B)/tests/units-images: | $(B)/guest/identity
