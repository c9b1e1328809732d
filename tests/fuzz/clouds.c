// SPDX-License-Identifier: Apache-2.0
/* clouds.yaml and secure.yaml (behind a NUL byte), and what follows from them; the same bytes as a service's answer. */
#include <string.h>
#include "images/cloud/clouds.h"
#include "images/cloud/http.h"
#include "images/cloud/keystone.h"
#include "lib/json.h"
#include "tests/fuzz/fuzz.h"

static void answer(const char *data, size_t size)
{
	vh_autofree char *said = vh_http_message(data, size);
	const struct vh_cloud cloud = { .interface = "public" };
	vh_autojson token = json_loadb(data, size, 0, NULL);
	vh_autofree char *url = NULL;
	vh_autoerr err = VH_ERR_NONE;

	for (const char *c = said; c && *c; c++)
		FUZZ_ASSERT((unsigned char)*c >= ' ' && *c != 0x7f);
	FUZZ_ASSERT(!token || vh_keystone_image_url(token, &cloud, &url, &err) < 0 || vh_cloud_check_url(url, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	vh_autofree char *text = malloc(size + 1);
	vh_autocloud cloud = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	answer(text, size);
	size_t n = strlen(text);
	const char *secure = n < size ? text + n + 1 : NULL;
	if (vh_cloud_parse("site", "clouds.yaml", text, n, "secure.yaml", secure, secure ? size - n - 1 : 0, &cloud, &err) < 0 ||
	    vh_cloud_complete(&cloud, "site", "clouds.yaml", &err) < 0) {
		FUZZ_ASSERT(err.num && err.text && err.exit == VH_EXIT_REFUSED);
		return 0;
	}
	FUZZ_ASSERT(vh_cloud_check_url(cloud.auth_url, &err) == 0 && cloud.interface);
	vh_autojson request = vh_keystone_request(&cloud);
	FUZZ_ASSERT(request);
	return 0;
}
