# SPDX-License-Identifier: Apache-2.0
$(eval $(call library,mpirun-wrap,$(call rooms,mpirun-wrap,wire cluster plan launcher launch preflight bench)))
$(eval $(call program,mpirun-wrap,mpirun-wrap/main.c,mpirun-wrap lib,jansson libxml-2.0 sqlite3 yaml-0.1,-pthread -lm))

# What answers in the nodes before a job.
$(eval $(call guest,check,mpirun-wrap/guest/check.c lib/err.c lib/strv.c lib/sysroot.c mpirun-wrap/ivshm/core/map.c mpirun-wrap/ivshm/core/copy.c))

# The head of a job, and what is said to it.
$(eval $(call guest,head,$(addprefix mpirun-wrap/guest/,head.c begin.c) $(addprefix mpirun-wrap/wire/,frame.c job.c) lib/strv.c))
# A test runs it.
$(B)/tests/units-mpirun: | $(B)/guest/head
$(B)/guest/head: mpirun-wrap/guest/begin.h mpirun-wrap/wire/wire.h lib/strv.h

# mpirun-wrap for the inside of images, which have none of its libraries. It draws nothing there.
$(eval $(call guest,mpirun-wrap,mpirun-wrap/main.c mpirun-wrap/guest/no_svg.c \
    $(filter-out mpirun-wrap/bench/svg.c,$(call rooms,mpirun-wrap,wire cluster plan launcher launch preflight bench)) \
    $(wildcard lib/*.c lib/doc/*.c lib/files/*.c lib/show/*.c),-DVHPC_VERSION='"$(VERSION)"' -DVHPC_PREFIX='"/usr"' -lyaml -ljansson -lm -pthread))
$(B)/guest/mpirun-wrap: $(wildcard mpirun-wrap/*/*.h lib/*.h lib/*/*.h)

# What runs inside the nodes: the core of the transport between VMs of one host, without Open MPI.
IVSHM_CORE := $(call rooms,mpirun-wrap,ivshm/core)
$(eval $(call library,ivshm,$(IVSHM_CORE)))

# What tells of the region inside a node.
$(eval $(call guest,ivshm,mpirun-wrap/guest/tell.c $(addprefix mpirun-wrap/ivshm/core/,region.c copy.c map.c)))
$(B)/guest/ivshm: $(wildcard mpirun-wrap/ivshm/core/*.h) lib/region.h

MPICC ?= mpicc

# The component of Open MPI over it, for images with this machine's release.
OMPI_RELEASE = $(eval OMPI_RELEASE := $$(shell $(MPICC) --showme:version 2>/dev/null | sed -n 's/.*Open MPI \([0-9.]*[0-9]\).*/\1/p'))$(OMPI_RELEASE)
OMPI_INCLUDE = $(eval OMPI_INCLUDE := $$(firstword $$(shell $(MPICC) --showme:incdirs 2>/dev/null)))$(OMPI_INCLUDE)
IVSHM_SOURCES := $(call rooms,mpirun-wrap,ivshm/btl) $(IVSHM_CORE)

# A component is used by a process that has Open MPI's core already: it brings none along.
# Open MPI's lists, where threads share them, swap two words at once (cx16).
$(B)/guest/mca/%/mca_btl_ivshm.so: $(IVSHM_SOURCES) $(wildcard mpirun-wrap/ivshm/*/*.h) lib/clock.h lib/region.h mpirun-wrap/module.mk
	@mkdir -p $(@D)
	@echo "  MCA     $@"
	@$(CC) $(if $(SYSROOT),--sysroot=$(SYSROOT) -B$(SYSROOT)/$(LIBRARIES)) -I. -D_GNU_SOURCE -std=gnu11 \
	    $(filter-out -Wpointer-arith,$(WARN)) -O2 -g -mcx16 $(filter-out -fPIE,$(HARDEN)) $(RELRO) \
	    -fPIC -shared -fvisibility=hidden -isystem mpirun-wrap/ivshm/missing \
	    -isystem $(OMPI_INCLUDE) -isystem $(OMPI_INCLUDE)/openmpi \
	    $(addprefix -isystem ,$(wildcard $(OMPI_INCLUDE)/../../pmix2/include)) \
	    -ffile-prefix-map=$(CURDIR)=. -Wl,--build-id=none -o $@ $(IVSHM_SOURCES)
MCA := $(if $(OMPI_RELEASE),$(B)/guest/mca/$(OMPI_RELEASE)/mca_btl_ivshm.so)
guest/mca: $(MCA)
programs: $(MCA)

# By release, as the image builder looks for it; those of other suites too, where they were made.
install-mca: $(MCA)
	@for so in $(wildcard $(B)/guest/mca/*/mca_btl_ivshm.so) $(MCA); do \
		install -D -m 644 "$$so" "$(DEST)/lib/vhpc/$${so#$(B)/}" || exit 1; done
install: install-mca
.PHONY: guest/mca install-mca

# What an MPI job measures with; built against the MPI of this machine by its own compiler,
# and without sanitizers, whose libraries no image has.
MPI_DIR := $(B)/bench
MPI_PROGRAMS = $(MPI_DIR)/pingpong $(MPI_DIR)/mpicheck
$(MPI_PROGRAMS): $(MPI_DIR)/%: tests/bench/%.c
	@mkdir -p $(@D)
	@echo "  MPICC   $@"
	@$(MPICC) -D_GNU_SOURCE -std=gnu11 $(WARN) -O2 -g -o $@ $<
$(B)/bench/scribble: tests/bench/scribble.c mpirun-wrap/ivshm/core/map.c mpirun-wrap/ivshm/core/copy.c
	@mkdir -p $(@D)
	@echo "  CC      $@"
	@$(CC) -I. -D_GNU_SOURCE -std=gnu11 $(WARN) -O2 -g -o $@ $^
PROGRAMS += $(MPI_PROGRAMS) $(B)/bench/scribble

# make suite-SUITE: the component, and these programs in bench/SUITE, for nodes of another suite than
# this machine's. They are compiled and linked against it: its C library may be older than the one here.
LIBRARIES := usr/lib/x86_64-linux-gnu
## suite-SUITE                    what runs in nodes of another suite than this machine's
suite-%:
	+@root=$$(tools/suite-root $*) && libs=$$root/$(LIBRARIES) && mpi=$$libs/openmpi/include && \
	$(MAKE) --no-print-directory "SYSROOT=$$root" "OMPI_RELEASE=$$(cat "$$root/release")" "OMPI_INCLUDE=$$mpi" \
	    "MPICC=$(CC) --sysroot=$$root -B$$libs -isystem $$mpi -Wl,--no-as-needed,--allow-shlib-undefined -l:libmpi.so.40" \
	    MPI_DIR="$(B)/bench/$*" guest/mca mpi-programs
mpi-programs: $(MPI_PROGRAMS)
.PHONY: mpi-programs

# make bench BENCH=ring: the channels alone; BENCH=mpi: MPI over them, between two VMs;
# BENCH=launch: what mpirun-wrap costs.
$(eval $(call binary,bench/ring,tests/bench/ring.c,ivshm))
$(B)/bench/mpi $(B)/bench/launch: $(B)/bench/%: tests/bench/%.sh
	@mkdir -p $(@D)
	@printf '#!/bin/sh\nB=%s DEADLINE=3000 exec %s\n' '$(abspath $(B))' '$(abspath $<)' >$@
	@chmod +x $@
# make soak [MINUTES=10]: messages of random sizes, every byte checked.
## soak [MINUTES=10]              messages between VMs, every byte checked
soak: programs
	@B='$(abspath $(B))' DEADLINE=$$((($(or $(MINUTES),10) + 20) * 60)) MINUTES='$(or $(MINUTES),10)' tests/bench/soak.sh
.PHONY: soak
