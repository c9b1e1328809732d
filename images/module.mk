# SPDX-License-Identifier: Apache-2.0
$(eval $(call library,images,$(call rooms,images,tree cache recipe packages disk node store build verify cloud) \
    $(addprefix images/guest/,identity_parse.c parse_slurm.c parse_user.c words.c seed.c seed_find.c gpt.c)))
$(eval $(call program,vhpc-image,$(call rooms,images,cli),images lib,libcurl libarchive libmd ext2fs com_err jansson yaml-0.1 sqlite3))
$(eval $(call guest,init,images/guest/init/init.c images/guest/init/grow.c images/guest/gpt.c))
$(eval $(call guest,identity,$(call rooms,images,guest/identity) $(addprefix images/guest/,identity_parse.c parse_slurm.c parse_user.c words.c files.c \
    slurm.c seed.c seed_find.c) lib/doc/yaml.c lib/err.c lib/ssh_key.c lib/strv.c lib/values.c,-lyaml -ljansson))
$(eval $(call guest,power,images/guest/power.c))
$(B)/guest/init: images/guest/init/grow.h images/guest/gpt.h
$(B)/guest/identity: $(wildcard images/guest/*.h images/guest/identity/*.h) lib/doc/yaml.h lib/err.h lib/ssh_key.h
# A test runs it.
$(B)/tests/units-images: | $(B)/guest/identity
# Recipes include the shipped ones by name.
$(B)/recipes: images/recipes
	@mkdir -p $(@D)
	@ln -sfn $(CURDIR)/$< $@
programs: $(B)/recipes
