# SPDX-License-Identifier: Apache-2.0
# One non-recursive make. Each directory adds a module.mk that calls `library`,
# `program` or `guest`; object files, dependency files and programs stand under $(B).

VERSION := 0.1.0

B     ?= build
CC    ?= cc
AR    ?= ar
SAN   ?=
PREFIX ?= /usr/local
DESTDIR ?=

WARN   := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
          -Wpointer-arith -Wvla -Wformat=2
CFLAGS ?= $(if $(SAN),-O1,-O2) -g
override CPPFLAGS += -I. -D_GNU_SOURCE -DVHPC_VERSION='"$(VERSION)"' -DVHPC_PREFIX='"$(PREFIX)"'
STD    := -std=gnu11 $(WARN)
# What makes a fault in a program harder to use; sanitizers do it their own way.
HARDEN := -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fcf-protection -fPIE
RELRO  := -Wl,-z,relro,-z,now
ifneq ($(SAN),)
override B := $(patsubst %-san,%,$(B))-san
STD    += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
override LDFLAGS += -fsanitize=address,undefined
HARDEN := -fPIE
endif

# Compile flags are asked of pkg-config once, and only when something is compiled.
PKGS   := libvirt libvirt-qemu libxml-2.0 jansson yaml-0.1 sqlite3 hwloc libnl-3.0 libnl-route-3.0 libnftables libarchive libmd ext2fs libcurl check
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS)))$(PKG_CFLAGS)

DIRS   := lib sriov vmm images netctl mpirun-wrap tools tests
PROGRAMS :=
GUEST :=
OBJS :=

## all                            the programs, and what goes into guests (the default)
all: programs

# $(call rooms,DIRECTORY,ROOM...): the sources of these rooms
rooms = $(sort $(wildcard $(patsubst %,$(1)/%/*.c,$(2))))

# $(call library,NAME,SOURCES): $(B)/NAME.a
define library
$(1)_OBJS := $$(patsubst %.c,$(B)/%.o,$(2))
OBJS += $$($(1)_OBJS)
$(B)/$(1).a: $$($(1)_OBJS)
	@rm -f $$@
	@echo "  AR      $$@"
	@$(AR) rcs $$@ $$^
endef

# $(call program,NAME,SOURCES,ARCHIVES,PACKAGES,EXTRA LIBS): $(B)/bin/NAME
define program
$(call binary,bin/$(1),$(2),$(3),$(4),$(5))
PROGRAMS += $(B)/bin/$(1)
endef

# $(call binary,PATH,SOURCES,ARCHIVES,PACKAGES,EXTRA LIBS): $(B)/PATH, built only when asked for
define binary
$(1)_OBJS := $$(patsubst %.c,$(B)/%.o,$(2))
OBJS += $$($(1)_OBJS)
$(B)/$(1): $$($(1)_OBJS) $$(patsubst %,$(B)/%.a,$(3))
	@mkdir -p $$(@D)
	@echo "  LD      $$@"
	@$(CC) -pie $(RELRO) $(LDFLAGS) -Wl,--as-needed -o $$@ $$^ $$(if $(4),$$$$(pkg-config --libs $(4))) $(5)
endef

# $(call guest,NAME,SOURCES,LIBS): $(B)/guest/NAME, static, for the inside of images
define guest
$(B)/guest/$(1): $(2)
	@mkdir -p $$(@D)
	@echo "  GUEST   $$@"
	@$(CC) -I. -D_GNU_SOURCE -std=gnu11 $(WARN) -Os $(HARDEN) -static-pie $(RELRO) -ffile-prefix-map=$(CURDIR)=. \
	    -Wl,--build-id=none -s -o $$@ $$(filter %.c,$$^) $(3)
GUEST += $(B)/guest/$(1)
endef

include $(patsubst %,%/module.mk,$(DIRS)) tools/install.mk tools/contribute.mk

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(STD) $(HARDEN) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(wildcard $(patsubst %.o,%.d,$(OBJS)))

programs: $(PROGRAMS) $(GUEST) headers-check

# Nobody includes another room's private header, or uses a room that tests/rooms does not let it.
## headers-check                  whether includes keep to tests/rooms; every build does it
headers-check: $(B)/headers-check
$(B)/headers-check: tests/headers-check tests/rooms $(wildcard $(foreach d,$(DIRS),$(d)/*.[ch] $(d)/*/*.[ch] $(d)/*/*/*.[ch] $(d)/*/*/*/*.[ch]))
	@mkdir -p $(@D)
	@tests/headers-check $(DIRS)
	@touch $@

## deps                           what tools/packages lists, by apt
deps:
	@tools/install-packages

## clean                          no build directory is left
clean:
	rm -rf $(B) $(B)-san

.PHONY: all programs headers-check deps clean
.DELETE_ON_ERROR:
