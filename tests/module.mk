# SPDX-License-Identifier: Apache-2.0
# Tests. `make check` is all of them; each part is a target of its own.

# One unit runner a directory, of the suites that tests/unit/suites.h lists for it, so
# that lib's are built where libvirt is not. Per directory: archives, packages.
UNIT_lib_USES      := lib
UNIT_sriov_USES    := sriov lib
UNIT_vmm_USES      := vmm sriov lib
UNIT_images_USES   := images lib
UNIT_netctl_USES   := netctl lib
UNIT_mpirun_USES   := mpirun-wrap lib
UNIT_tools_USES    := cluster vmm images netctl sriov lib

UNIT_lib_PKGS      := jansson sqlite3 yaml-0.1
UNIT_sriov_PKGS    := libnl-route-3.0 libnl-3.0 $(UNIT_lib_PKGS)
UNIT_vmm_PKGS      := libvirt libvirt-qemu libxml-2.0 hwloc $(UNIT_sriov_PKGS)
UNIT_images_PKGS   := libarchive $(UNIT_lib_PKGS)
UNIT_netctl_PKGS   := libnl-route-3.0 libnl-3.0 $(UNIT_lib_PKGS)
UNIT_mpirun_PKGS   := $(UNIT_lib_PKGS)
UNIT_tools_PKGS    := libarchive $(UNIT_vmm_PKGS)

UNIT_SUITES := $(shell sed -n 's/^SUITE(\([a-z]*\), *\([a-z_]*\))$$/\1_\2/p' tests/unit/suites.h)
UNIT_DIRS   := $(sort $(foreach s,$(UNIT_SUITES),$(firstword $(subst _, ,$(s)))))
UNITS       := $(patsubst %,$(B)/tests/units-%,$(UNIT_DIRS))

UNIT_RUNNER := tests/unit/main.c tests/unit/capture.c tests/unit/valgrind.c

# $(call units,DIR)
define units
$(call binary,tests/units-$(1),$(UNIT_RUNNER) $(patsubst %,tests/unit/test_%.c,$(filter $(1)_%,$(UNIT_SUITES))),$(UNIT_$(1)_USES),check $(UNIT_$(1)_PKGS))
endef
$(foreach d,$(UNIT_DIRS),$(eval $(call units,$(d))))

units: $(UNITS)
	@tests/units $(UNITS)

units-%: $(B)/tests/units-%
	@tests/units $<

valgrind: $(UNITS)
	@tests/units --valgrind $(UNITS)

.PHONY: units valgrind

$(eval $(call binary,bench/report,tests/bench/report.c,lib,jansson))
PROGRAMS += $(B)/bench/report

# The whole chain on this machine: README.md shows what it prints.
demo:
	@tools/install-packages build run
	@$(MAKE) --no-print-directory programs
	@B=$(B) tests/demo

.PHONY: demo
