# SPDX-License-Identifier: Apache-2.0
$(eval $(call library,images,$(addprefix images/,recipe.c recipe_check.c recipe_complete.c recipe_load.c sources.c units.c users.c userns.c store.c workdir.c build.c base.c assemble.c archive.c apt.c \
    complaint.c deb.c pins.c prune.c sbom.c publish.c diff.c bootstrap.c furnish.c cloud_init.c component.c initrd.c modules.c packages.c hostfile.c ext4.c \
    tree.c tree_node.c tree_load.c uki.c disk.c squashfs.c verify_judge.c verify_answer.c verify_values.c verify_units.c verify_packages.c verify_files.c verify_boot.c guest/identity_parse.c guest/seed.c guest/seed_find.c guest/gpt.c \
    cloud/cloud.c cloud/cloud_complete.c cloud/http.c cloud/http_answer.c cloud/keystone.c cloud/glance_plan.c cloud/glance.c cloud/publish.c)))
$(eval $(call program,vhpc-image,images/main.c images/verb_build.c images/verb_cache.c images/verb_exchange.c images/verb_publish.c images/verb_store.c images/verb_verify.c,images lib,libcurl libarchive libmd ext2fs com_err jansson yaml-0.1 sqlite3))
$(eval $(call guest,init,images/guest/init.c images/guest/grow.c images/guest/gpt.c))
$(eval $(call guest,identity,images/guest/identity.c images/guest/identity_parse.c images/guest/seed.c images/guest/seed_find.c \
    lib/yaml.c lib/err.c lib/strv.c,-lyaml -ljansson))
$(eval $(call guest,power,images/guest/power.c))
$(B)/guest/init: images/guest/grow.h images/guest/gpt.h
$(B)/guest/identity: images/guest/identity_parse.h images/guest/seed.h images/guest/seed_find.h lib/yaml.h lib/err.h
# A test runs it.
$(B)/tests/units-images: | $(B)/guest/identity
# Recipes include the shipped ones by name.
$(B)/recipes: images/recipes
	@mkdir -p $(@D)
	@ln -sfn $(CURDIR)/$< $@
programs: $(B)/recipes
