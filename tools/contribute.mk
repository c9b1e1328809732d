# SPDX-License-Identifier: Apache-2.0
# For those who change vhpc (CONTRIBUTING.md): make help, what editors read, and formatting.

## help                           this list
# A target that people call has a line that begins so beside it.
help:
	@sed -n 's/^## //p' $(filter Makefile %.mk,$(MAKEFILE_LIST)) | LC_ALL=C sort

## compile_commands.json          how each source is compiled, for clangd and other tools
SOURCES = $(sort $(OBJS:$(B)/%.o=%.c))
json_text = $(subst ",\",$(subst \,\\,$(1)))
compile_command = $(call json_text,$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(STD) $(CFLAGS) -c -o $(1:%.c=$(B)/%.o) $(1))
compile_commands.json: always
	@$(file >$@,[)$(foreach s,$(SOURCES),$(file >>$@,{ "directory": "$(CURDIR)", "file": "$(s)",\
	    "command": "$(call compile_command,$(s))" }$(if $(filter-out $(lastword $(SOURCES)),$(s)),$(comma))))$(file >>$@,])
	@echo "  GEN     $@"
comma := ,

## format-check [BASE=HEAD]       whether lines that differ from BASE are formatted as .clang-format says
BASE ?= HEAD
format-check:
	@command -v git-clang-format >/dev/null || { echo "format-check: apt-get install clang-format" >&2; exit 2; }
	@! git clang-format --diff --quiet $(BASE) -- $(DIRS) | tee /dev/stderr | grep -q '^@@'

.PHONY: help format-check
