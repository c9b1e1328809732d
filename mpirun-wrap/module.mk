# SPDX-License-Identifier: Apache-2.0
$(eval $(call library,mpirun-wrap,mpirun-wrap/cluster.c mpirun-wrap/find.c mpirun-wrap/plan.c \
    mpirun-wrap/ompi.c mpirun-wrap/launch.c))
$(eval $(call program,mpirun-wrap,mpirun-wrap/main.c,mpirun-wrap lib,jansson sqlite3 yaml-0.1))

# What runs inside the nodes: the core of the transport between VMs of one host, without Open MPI.
$(eval $(call library,ivshm,$(addprefix mpirun-wrap/ivshm/,region.c ring.c self.c copy.c map.c)))

# What an MPI job measures with; built against the MPI of this machine by its own compiler,
# and without sanitizers, whose libraries no image has.
MPICC ?= mpicc
$(B)/bench/pingpong: tests/bench/pingpong.c
	@mkdir -p $(@D)
	@echo "  MPICC   $@"
	@$(MPICC) -D_GNU_SOURCE -std=gnu11 $(WARN) -O2 -g -o $@ $<
PROGRAMS += $(B)/bench/pingpong
