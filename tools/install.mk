# SPDX-License-Identifier: Apache-2.0
# make install [PREFIX=/usr/local] [DESTDIR=]: programs, what goes into guests, recipes, man pages,
# completion, documentation, and libvirt's hook.

DEST    := $(DESTDIR)$(PREFIX)
DOC     := $(DEST)/share/doc/vhpc
HOOKS   := $(DESTDIR)/etc/libvirt/hooks/qemu.d
UNITDIR := $(DEST)/lib/systemd/system
COMPLETION := $(DEST)/share/bash-completion/completions
INSTALLED := $(filter $(B)/bin/%,$(PROGRAMS))
FOR_GUESTS := $(GUEST) $(filter $(B)/bench/pingpong,$(PROGRAMS))
RECIPES := $(wildcard images/recipes/*)
MAN     := $(wildcard */*.1 */*/*.1)
SERVICES := $(wildcard */*.service */*/*.service)

## install [PREFIX=, DESTDIR=]    programs, pages, completion, libvirt's hook
install: programs
	install -d $(DEST)/bin $(DEST)/lib/vhpc/guest $(DEST)/share/vhpc/recipes $(DEST)/share/man/man1 \
	    $(COMPLETION) $(DOC)/examples $(DOC)/formats $(HOOKS) $(UNITDIR)
	install $(INSTALLED) $(DEST)/bin
	install $(FOR_GUESTS) $(DEST)/lib/vhpc/guest
	install -m 0644 $(RECIPES) $(DEST)/share/vhpc/recipes
	install -m 0644 $(MAN) $(DEST)/share/man/man1
	install -m 0644 tools/vhpc.bash $(COMPLETION)/vhpc
	for name in $(filter-out vhpc,$(notdir $(INSTALLED))); do ln -sf vhpc $(COMPLETION)/$$name || exit 1; done
	install -m 0644 README.md CHANGELOG.md $(wildcard docs/*.md) $(DOC)
	install -m 0644 $(wildcard docs/examples/*) $(DOC)/examples
	install -m 0644 $(wildcard docs/formats/*) $(DOC)/formats
	install -m 0644 $(SERVICES) $(UNITDIR)
# Whole at any time: libvirtd may call it, and executes all that is in qemu.d. No link: where AppArmor
# confines libvirtd, it may execute what has its name there.
	install $(B)/bin/vhpc-hook $(HOOKS)/../.vhpc.new
	mv -fT $(HOOKS)/../.vhpc.new $(HOOKS)/vhpc

## uninstall                      what install has installed is removed
# Directories that others use too stay.
uninstall:
	rm -f $(addprefix $(DEST)/bin/,$(notdir $(INSTALLED)))
	rm -f $(addprefix $(DEST)/share/man/man1/,$(notdir $(MAN)))
	rm -f $(addprefix $(COMPLETION)/,$(notdir $(INSTALLED)))
	rm -f $(HOOKS)/vhpc $(addprefix $(UNITDIR)/,$(notdir $(SERVICES)))
	rm -rf $(DEST)/lib/vhpc $(DEST)/share/vhpc $(DOC)

# Programs look below the prefix for what is not beside them: those are compiled again for another.
$(patsubst %.c,$(B)/%.o,$(shell grep -rl --include='*.c' VHPC_PREFIX $(DIRS))): $(B)/prefix
$(B)/prefix: always
	@mkdir -p $(@D)
	@echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' >$@

.PHONY: install uninstall always
