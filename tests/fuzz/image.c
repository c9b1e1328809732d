// SPDX-License-Identifier: Apache-2.0
/* What comes with a stranger's image: image.json and the head of its disk (qcow2). */
#include "images/store/members.h"
#include "images/store/qcow2.h"
#include "images/store/sbom.h"
#include "images/store/diff.h"
#include "lib/json.h"
#include "lib/values.h"
#include "tests/fuzz/fuzz.h"

static const char *text(const json_t *doc, const char *key)
{
	return json_string_value(json_object_get(doc, key));
}

/* Nothing that ssh's configuration, XML, a path or a terminal could take for something else. */
static void check(const json_t *doc)
{
	vh_autojson spdx = vh_sbom_spdx(doc);
	vh_autojson glance = vh_sbom_glance(doc, 0);
	vh_autojson none = vh_image_differences(doc, doc);
	vh_autofree char *dump = json_dumps(doc, 0);

	FUZZ_ASSERT(vh_is_hostname(text(doc, "name")) && vh_is_login(text(doc, "user")));
	FUZZ_ASSERT(!strpbrk(text(doc, "cmdline"), "\n<>'\"$`\\") && !strpbrk(text(doc, "suite"), "/ \n"));
	FUZZ_ASSERT(!strpbrk(text(json_object_get(doc, "kernel"), "version"), "/ \n"));
	FUZZ_ASSERT(spdx && glance && none && json_array_size(none) == 0);
	for (const char *c = dump; c && *c; c++)
		FUZZ_ASSERT((unsigned char)*c >= ' ' && *c != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *objection = vh_qcow2_objection(data, size < VH_QCOW2_HEAD ? size : VH_QCOW2_HEAD, 1 << 20);
	vh_autoerr err = VH_ERR_NONE;
	vh_autojson doc = NULL;

	if (!objection)
		FUZZ_ASSERT(size >= 104 && !memcmp(data + 8, "\0\0\0\0\0\0\0\0", 8) && data[79] < 16);
	if (vh_members_parse("image.json", (const char *)data, size, &doc, &err) == 0)
		check(doc);
	else
		FUZZ_ASSERT(!doc && err.text && err.exit == VH_EXIT_REFUSED && !strchr(err.text, '\n'));
	return 0;
}
