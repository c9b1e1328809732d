# SPDX-License-Identifier: Apache-2.0
# Tests. `make check` is all of them; each part is a target of its own.

## check [PARTS="build ..."]      everything that must hold, or these parts of it
check:
	@$(if $(SAN),echo "make check tests plain and sanitized programs: leave SAN away" >&2; exit 2)
	@tools/install-packages
	+@B="$(B)" MAKE="$(MAKE)" tests/check $(PARTS)

.PHONY: check

# One unit runner a directory, of the suites that tests/unit/suites.h lists for it, so
# that lib's are built where libvirt is not. Per directory: archives, packages.
UNIT_lib_USES      := lib
UNIT_sriov_USES    := sriov lib
UNIT_vmm_USES      := vmm sriov lib
UNIT_images_USES   := images lib
UNIT_netctl_USES   := netctl lib
UNIT_mpirun_USES   := mpirun-wrap ivshm lib
UNIT_tools_USES    := cluster validate vmm images netctl sriov lib

UNIT_lib_PKGS      := jansson sqlite3 yaml-0.1
UNIT_sriov_PKGS    := libnl-route-3.0 libnl-3.0 $(UNIT_lib_PKGS)
UNIT_vmm_PKGS      := libvirt libvirt-qemu libxml-2.0 hwloc $(UNIT_sriov_PKGS)
UNIT_images_PKGS   := libcurl libarchive libmd ext2fs com_err $(UNIT_lib_PKGS)
UNIT_netctl_PKGS   := libnl-route-3.0 libnl-3.0 libnftables $(UNIT_lib_PKGS)
UNIT_mpirun_PKGS   := libxml-2.0 $(UNIT_lib_PKGS)
UNIT_mpirun_LIBS   := -pthread -lm
UNIT_tools_LIBS    := -lresolv
UNIT_tools_PKGS    := libarchive libmd libnftables $(UNIT_vmm_PKGS)

UNIT_SUITES := $(shell sed -n 's/^S[A-Z_]*(\([a-z]*\), *\([a-z_]*\))$$/\1_\2/p' tests/unit/suites.h)
UNIT_DIRS   := $(sort $(foreach s,$(UNIT_SUITES),$(firstword $(subst _, ,$(s)))))
UNITS       := $(patsubst %,$(B)/tests/units-%,$(UNIT_DIRS))

UNIT_RUNNER := tests/unit/main.c tests/unit/capture.c tests/unit/page.c tests/unit/valgrind.c

# What suites of a directory share.
UNIT_sriov_SRC := tests/unit/sriov_fake.c tests/unit/netlink_peer.c
UNIT_tools_SRC := $(filter-out %/main.c,$(call rooms,tests,simulate))

# $(call units,DIR)
define units
$(call binary,tests/units-$(1),$(UNIT_RUNNER) $(UNIT_$(1)_SRC) $(patsubst %,tests/unit/test_%.c,$(filter $(1)_%,$(UNIT_SUITES))),$(UNIT_$(1)_USES),check $(UNIT_$(1)_PKGS),$(UNIT_$(1)_LIBS))
endef
$(foreach d,$(UNIT_DIRS),$(eval $(call units,$(d))))

# They stand for libraries that vhpc opens where they are installed.
$(B)/tests/units-sriov: | $(B)/tests/nvml_fake.so $(B)/tests/rdma_fake.so
$(B)/tests/%_fake.so: tests/unit/%_fake.c
	@mkdir -p $(@D)
	@$(CC) $(STD) -shared -fPIC -o $@ $<

unit-runners: $(UNITS)
## units [QUICK=1]                the unit tests; QUICK=1 leaves the slow suites out
units: $(UNITS)
	@tests/units $(UNITS)

## units-DIR [SUITE=NAME]         the unit tests of vmm, say, or one suite of them
units-%: $(B)/tests/units-%
	@$(if $(SUITE),$< $(SUITE),tests/units $<)

## valgrind                       the unit tests under it
valgrind: $(UNITS)
	@tests/units --valgrind $(UNITS)

.PHONY: unit-runners units valgrind

# What threads and processes share without locks, under ThreadSanitizer. In one process, and
# at fixed addresses: the sanitizer of gcc 12 knows no others.
## tsan                           what threads share, under ThreadSanitizer
tsan:
	+@$(MAKE) --no-print-directory B=$(B)-tsan SAN= HARDEN=-fPIE LDFLAGS="-fsanitize=thread" \
		CFLAGS="-O1 -g -fsanitize=thread" $(B)-tsan/tests/units-mpirun
	@CK_FORK=no setarch -R timeout -k 10 600 $(B)-tsan/tests/units-mpirun mpirun_ivshm

.PHONY: tsan

# --- fuzz: a libFuzzer target a parser of untrusted text, tests/fuzz/NAME.c. They are made
# in a build directory of their own, where clang compiles what they need, with sanitizers. What they learn stays
# there ($(B)-fuzz/fuzzed); make fuzz FUZZ_S=3600 is an hour's run, and FUZZ_KEEP=1 adds to tests/fuzz/corpus.
FUZZ_TARGETS       := clouds doc manifest recipe values cidr lease cluster frame identity ivshm want host seed layout \
	uki image deb pins http gpt verify hostlist pci numa_maps answers archive saved sinfo set foreign
FUZZ_clouds_USES   := images lib
FUZZ_doc_USES      := lib
FUZZ_manifest_USES := $(UNIT_tools_USES)
FUZZ_saved_USES    := $(UNIT_tools_USES)
FUZZ_recipe_USES   := images lib
FUZZ_values_USES   := lib
FUZZ_cidr_USES     := netctl lib
FUZZ_lease_USES    := vmm sriov lib
FUZZ_want_USES     := vmm sriov lib
FUZZ_host_USES     := vmm sriov lib
FUZZ_layout_USES   := vmm sriov lib
FUZZ_foreign_USES  := vmm sriov lib
FUZZ_cluster_USES  := mpirun-wrap lib
FUZZ_frame_USES    := mpirun-wrap lib
FUZZ_ivshm_USES    := ivshm
FUZZ_uki_USES      := images lib
FUZZ_image_USES    := images lib
FUZZ_deb_USES      := images lib
FUZZ_pins_USES     := images lib
FUZZ_http_USES     := images lib
FUZZ_gpt_USES      := images lib
FUZZ_verify_USES   := images lib
FUZZ_hostlist_USES := lib
FUZZ_pci_USES      := sriov lib
FUZZ_numa_maps_USES := vmm sriov lib
FUZZ_answers_USES  := mpirun-wrap lib
FUZZ_archive_USES  := lib
FUZZ_archive_SRC   := tools/cluster/copy/frames.c
FUZZ_archive_PKGS   = $(UNIT_images_PKGS)
FUZZ_set_USES      := lib
FUZZ_set_SRC       := $(addprefix tools/cluster/volume/,image.c qcow2.c)
FUZZ_set_PKGS       = $(UNIT_images_PKGS)
FUZZ_sinfo_USES    := lib
FUZZ_sinfo_SRC     := tools/cluster/slurm/judge.c
FUZZ_identity_USES := lib
FUZZ_identity_SRC  := $(addprefix images/guest/,identity_parse.c parse_slurm.c parse_user.c words.c)
FUZZ_seed_USES     := images lib
FUZZ_seed_PKGS      = $(UNIT_images_PKGS)
FUZZ_clouds_PKGS    = $(UNIT_images_PKGS)
$(foreach t,uki image deb pins http gpt verify,$(eval FUZZ_$(t)_PKGS = $$(UNIT_images_PKGS)))
FUZZ_pci_PKGS      := $(UNIT_sriov_PKGS)
FUZZ_numa_maps_PKGS := $(UNIT_vmm_PKGS)
FUZZ_answers_PKGS  := $(UNIT_mpirun_PKGS)
FUZZ_manifest_PKGS := $(UNIT_tools_PKGS)
FUZZ_saved_PKGS    := $(UNIT_tools_PKGS)
FUZZ_recipe_PKGS   := $(UNIT_images_PKGS)
FUZZ_cidr_PKGS     := $(UNIT_netctl_PKGS)
FUZZ_lease_PKGS    := $(UNIT_vmm_PKGS)
FUZZ_want_PKGS     := $(UNIT_vmm_PKGS)
FUZZ_host_PKGS     := $(UNIT_vmm_PKGS)
FUZZ_layout_PKGS   := $(UNIT_vmm_PKGS)
FUZZ_foreign_PKGS  := $(UNIT_vmm_PKGS)

# $(call fuzz,NAME)
define fuzz
$(call binary,fuzz/$(1),tests/fuzz/$(1).c $(FUZZ_$(1)_SRC),$(FUZZ_$(1)_USES),$(or $(FUZZ_$(1)_PKGS),$(UNIT_lib_PKGS)),-fsanitize=fuzzer -pthread -lresolv)
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz,$(t))))
FUZZERS := $(addprefix $(B)/fuzz/,$(FUZZ_TARGETS))

FUZZ_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined
FUZZ_MAKE   = $(MAKE) --no-print-directory B=$(B)-fuzz SAN= HARDEN=-fPIE CC=clang LDFLAGS="$(FUZZ_FLAGS)" \
	CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link $(FUZZ_FLAGS)"

## clang                          all by the second compiler: it warns of other things
clang:
	+@$(MAKE) --no-print-directory B=$(B)-clang SAN= HARDEN=-fPIE CC=clang CFLAGS=-O0 programs unit-runners
fuzzers: $(FUZZERS)
## fuzz [FUZZ_S=N] [FUZZ_KEEP=1]  a fuzzer each for what reads text of others; N seconds in all
fuzz:
	+@$(FUZZ_MAKE) fuzzers
	@tests/fuzz/run $(B)-fuzz/fuzzed $(patsubst $(B)/%,$(B)-fuzz/%,$(FUZZERS))

.PHONY: clang fuzzers fuzz

# The engine of vhpc cluster on a virtual clock, a seed a schedule; the suite tools_engine has 10,000 of them.
SEED      ?= 1
SCHEDULES ?= 1000000
$(eval $(call binary,tests/simulate/simulate,$(call rooms,tests,simulate),cluster lib))
## simulate [SEED=N] [SCHEDULES=N]  the engine of vhpc cluster over simulated hosts; SCHEDULES=1 tells one again
simulate: $(B)/tests/simulate/simulate
	@$< $(SEED) $(SCHEDULES)

.PHONY: simulate

$(eval $(call binary,bench/report,tests/bench/report.c,lib,jansson))
PROGRAMS += $(B)/bench/report

# make bench [BENCH=NAME]: figures of this machine, each against its limit or rival.
BENCHES := placement sriov leases
BENCH   ?= $(BENCHES)
$(eval $(call binary,bench/placement,tests/bench/placement.c tests/bench/bench.c,vmm sriov lib,$(UNIT_vmm_PKGS),-lm))
$(eval $(call binary,bench/sriov,tests/bench/sriov.c tests/bench/bench.c,sriov lib,$(UNIT_sriov_PKGS)))
$(eval $(call binary,bench/leases,tests/bench/leases.c,vmm sriov lib,$(UNIT_vmm_PKGS)))
# Steps, and what a host has, that tests/bench/cluster/steps.c stands in for.
CLUSTER_WRAPS := $(foreach name,step_region step_tap step_disk step_ready vh_node_memory virDomainUndefineFlags,-Wl,--wrap=$(name))
$(eval $(call binary,bench/cluster-steps,$(call rooms,tests/bench,cluster),$(UNIT_tools_USES),$(UNIT_tools_PKGS),$(UNIT_tools_LIBS) $$(CLUSTER_WRAPS)))
$(B)/bench/cluster: tests/bench/cluster.sh $(B)/bench/cluster-steps
	@printf '#!/bin/sh\nB=%s DEADLINE=3000 exec %s\n' '$(abspath $(B))' '$(abspath $<)' >$@
	@chmod +x $@
$(B)/bench/images: tests/bench/images.sh
	@mkdir -p $(@D)
	@cp $< $@
## bench [BENCH=NAME]             figures of this machine: placement, sriov, leases, images, mpi, launch, cluster, ring
bench: programs $(addprefix $(B)/bench/,$(BENCH))
	@for bench in $(BENCH); do $(B)/bench/$$bench $(B)/bin || exit 1; done

.PHONY: bench

# vhpc sriov on a real kernel in an emulated node, and VMs inside it that use its VFs (docs/lab.md).
## lab                            vhpc sriov on a real kernel, and VMs inside a VM (docs/lab.md)
lab: programs
	@tools/install-packages build run
	@B=$(B) tests/lab/artefact inner >/dev/null
	+@B="$(B)" MAKE="$(MAKE)" LAB=all tests/check system-lab

.PHONY: lab

## clusters                       clusters' tests whole: each kill of a change, the watch, Slurm with nodes that come, fail and go
clusters:
	+@B="$(B)" MAKE="$(MAKE)" CLUSTERS=all tests/check system-cluster system-research

.PHONY: clusters

# What fails an allocation of a program that it is laid under.
$(B)/faults/alloc.so: tests/faults/alloc.c
	@mkdir -p $(@D)
	@$(CC) $(STD) -D_GNU_SOURCE -O1 -shared -fPIC -o $@ $<
PROGRAMS += $(B)/faults/alloc.so

# Every allocation and every system call of every verb that writes: hours, days for those of vhpc sriov, which
# run in the lab's node. SAMPLE=N takes so many of each sweep. `make check` takes a sample of most.
FAULTS_HERE := $(filter-out sriov_%,$(VERBS))
FAULTS_LAB  := $(filter sriov_%,$(VERBS))
FAULTS_RUN   = B=$(B) FAULTS=$(if $(SAMPLE),,all) SAMPLE=$(SAMPLE) DEADLINE=864000
## faults [VERBS="vm_start ..."] [SAMPLE=N]  fail each allocation and each system call of each verb once
faults: programs
	@tools/install-packages build run
	@[ "$(VERBS)" ] && [ ! "$(FAULTS_HERE)" ] || $(FAULTS_RUN) VERBS="$(FAULTS_HERE)" tests/system/faults.sh
	@[ "$(VERBS)" ] && [ ! "$(FAULTS_LAB)" ] || $(FAULTS_RUN) VERBS="$(FAULTS_LAB)" LAB=faults tests/system/lab.sh

.PHONY: faults

# The whole chain on this machine: README.md shows what it prints.
## demo                           the whole chain on this machine
demo:
	@tools/install-packages build run
	@$(MAKE) --no-print-directory programs
	@B=$(B) tests/demo

.PHONY: demo
