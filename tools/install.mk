# SPDX-License-Identifier: Apache-2.0
# make install [PREFIX=/usr/local] [DESTDIR=]: programs, what images are built from, man pages,
# completion, libvirt's hook. Install with the PREFIX that the programs were built with.

BINDIR  := $(DESTDIR)$(PREFIX)/bin
SHARE   := $(DESTDIR)$(PREFIX)/share
HOOKS   := $(DESTDIR)/etc/libvirt/hooks/qemu.d
MAN     := $(wildcard */*.1 */*/*.1)
RECIPES := $(wildcard images/recipes/*)
INSTALLED := $(filter $(B)/bin/%,$(PROGRAMS))

install: programs
	install -d $(BINDIR) $(DESTDIR)$(PREFIX)/lib/vhpc/guest $(SHARE)/vhpc/recipes $(SHARE)/man/man1 \
	    $(SHARE)/bash-completion/completions $(HOOKS)
	install $(INSTALLED) $(BINDIR)
	install $(GUEST) $(DESTDIR)$(PREFIX)/lib/vhpc/guest
	install -m 0644 $(RECIPES) $(SHARE)/vhpc/recipes
	install -m 0644 $(MAN) $(SHARE)/man/man1
	install -m 0644 tools/vhpc.bash $(SHARE)/bash-completion/completions/vhpc
	for name in $(filter-out vhpc,$(notdir $(INSTALLED))); do \
	    ln -sf vhpc $(SHARE)/bash-completion/completions/$$name || exit 1; done
	ln -sf $(PREFIX)/bin/vhpc-hook $(HOOKS)/vhpc

# The directories that others may use too stay, unless this empties vhpc's own.
uninstall:
	rm -f $(addprefix $(BINDIR)/,$(notdir $(INSTALLED)))
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/lib/vhpc/guest/,$(notdir $(GUEST)))
	rm -f $(addprefix $(SHARE)/vhpc/recipes/,$(notdir $(RECIPES)))
	rm -f $(addprefix $(SHARE)/man/man1/,$(notdir $(MAN)))
	rm -f $(addprefix $(SHARE)/bash-completion/completions/,$(notdir $(INSTALLED)))
	rm -f $(HOOKS)/vhpc
	-rmdir --ignore-fail-on-non-empty $(DESTDIR)$(PREFIX)/lib/vhpc/guest $(DESTDIR)$(PREFIX)/lib/vhpc \
	    $(SHARE)/vhpc/recipes $(SHARE)/vhpc

.PHONY: install uninstall
