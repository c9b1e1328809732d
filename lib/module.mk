# SPDX-License-Identifier: Apache-2.0
$(eval $(call library,lib,lib/err.c lib/strv.c lib/values.c lib/hostlist.c lib/sysroot.c lib/own.c lib/parallel.c lib/spawn.c \
    lib/cli.c lib/files.c lib/table.c lib/progress.c lib/yaml.c lib/doc.c lib/doc_layer.c lib/doc_json.c lib/doc_reference.c \
    lib/store.c lib/store_sql.c lib/store_lease.c lib/store_record.c lib/store_journal.c))
