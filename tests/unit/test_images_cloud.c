// SPDX-License-Identifier: Apache-2.0
/* Which cloud, as whom and where; and what is sent there. */
#include <errno.h>
#include <string.h>
#include "images/cloud/cloud.h"
#include "images/cloud/clouds.h"
#include "images/cloud/glance_plan.h"
#include "images/cloud/http.h"
#include "images/cloud/keystone.h"
#include "images/store/sbom.h"
#include "lib/json.h"
#include "lib/strv.h"
#include "tests/unit/unit.h"

#define CLOUDS \
	"clouds:\n" \
	"  site:\n" \
	"    profile: vendor\n" \
	"    networks: [{name: net, routes_externally: true}]\n" \
	"    region_name:\n" \
	"    identity_api_version: 3\n" \
	"    auth:\n" \
	"      auth_url: https://cloud.example:5000/v2.0//\n" \
	"      username: builder\n" \
	"      password: 12345\n" \
	"      project_name: hpc\n" \
	"  robot:\n" \
	"    auth_type: v3applicationcredential\n" \
	"    interface: internalURL\n" \
	"    auth: {auth_url: \"https://cloud.example/identity\", application_credential_id: abc}\n"
#define SECURE "clouds: {robot: {auth: {application_credential_secret: hush}}}\n"

static int parse(const char *name, const char *text, const char *secure, struct vh_cloud *cloud, struct vh_err *err)
{
	int r = vh_cloud_parse(name, "clouds.yaml", text, strlen(text), "secure.yaml", secure, secure ? strlen(secure) : 0, cloud, err);
	return r < 0 ? r : vh_cloud_complete(cloud, name, "clouds.yaml", err);
}

static void assert_json(json_t *doc, const char *want)
{
	vh_autofree char *text = doc ? json_dumps(doc, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	ck_assert_ptr_nonnull(text);
	ck_assert_str_eq(text, want);
	json_decref(doc);
}

START_TEST(clouds_are_read_from_their_file)
{
	vh_autocloud site = { 0 };
	vh_autocloud robot = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert_msg(parse("site", CLOUDS, NULL, &site, &err) == 0, "%s", err.text);
	ck_assert_str_eq(site.auth_url, "https://cloud.example:5000/v3");
	ck_assert_str_eq(site.interface, "public");
	ck_assert_ptr_null(site.region_name);
	assert_json(vh_keystone_request(&site), "{\"auth\":{\"identity\":{\"methods\":[\"password\"],\"password\":{\"user\":"
		    "{\"domain\":{\"id\":\"default\"},\"name\":\"builder\",\"password\":\"12345\"}}},"
		    "\"scope\":{\"project\":{\"domain\":{\"id\":\"default\"},\"name\":\"hpc\"}}}}");
	ck_assert_msg(parse("robot", CLOUDS, SECURE, &robot, &err) == 0, "%s", err.text);
	ck_assert_str_eq(robot.auth_url, "https://cloud.example/identity/v3");
	ck_assert_str_eq(robot.interface, "internal");
	assert_json(vh_keystone_request(&robot), "{\"auth\":{\"identity\":{\"application_credential\":{\"id\":\"abc\",\"secret\":\"hush\"},"
		    "\"methods\":[\"application_credential\"]}}}");
}
END_TEST

START_TEST(what_a_cloud_lacks_is_told_without_its_secrets)
{
	static const struct { const char *cloud, *text, *want, *hint; } cases[] = {
		{ "sit", CLOUDS, "cloud sit: not in clouds.yaml", "did you mean site?" },
		{ "x", "clouds: [x]\n", "clouds.yaml:1:9: has no map 'clouds'", NULL },
		{ "x", "a: b\n", "clouds.yaml:1:1: has no map 'clouds'", NULL },
		{ "x", "clouds:\n  x: y\n", "cloud x: clouds.yaml:2:6: a map of keys is expected, not a value", NULL },
		{ "x", "clouds:\n  x:\n    auth:\n      password: [hush]\n",
		  "cloud x: clouds.yaml:4:17: password: a value is expected, not a list", NULL },
		{ "x", "clouds: {x: {profile: ovh, auth: {username: u}}}", "cloud x, in clouds.yaml: auth_url: is missing",
		  "profiles of vendors are not read here: write the URL of profile ovh into the cloud" },
		{ "x", "clouds: {x: {auth: {auth_url: \"http://u:hush@h\", username: u}}}",
		  "cloud x, in clouds.yaml: auth_url: holds a user name or a password, which belong into keys of their own", NULL },
		{ "x", "clouds: {x: {auth: {auth_url: \"ftp://h\"}}}",
		  "cloud x, in clouds.yaml: auth_url: is no URL of http:// or https:// with a host", NULL },
		{ "x", "clouds: {x: {auth: {auth_url: \"http://h\", username: u}}}", "cloud x, in clouds.yaml: password: is missing",
		  "secure.yaml beside clouds.yaml is a place for it" },
		{ "x", "clouds: {x: {auth: {auth_url: \"http://h\", username: u, password: hush}}}",
		  "cloud x, in clouds.yaml: project_name: is missing",
		  "an image belongs to a project: project_name or project_id (OS_PROJECT_NAME)" },
		{ "x", "clouds: {x: {verify: False, auth: {auth_url: \"http://h\", token: hush}}}",
		  "cloud x, in clouds.yaml: verify: false: certificates are always verified here",
		  "cacert (OS_CACERT) names the authority that signed the cloud's" },
		{ "x", "clouds: {x: {auth_type: v3oidcpassword, auth: {auth_url: \"http://h\"}}}",
		  "cloud x, in clouds.yaml: auth_type v3oidcpassword: is not known here",
		  "password, token or v3applicationcredential; openstack token issue gets a token for all others" },
		{ "x", "clouds: {x: {interface: outer, auth: {auth_url: \"http://h\", token: hush}}}",
		  "cloud x, in clouds.yaml: interface outer: is neither public nor internal nor admin", NULL },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autocloud cloud = { 0 };
		vh_autoerr err = VH_ERR_NONE;
		ck_assert_int_lt(parse(cases[i].cloud, cases[i].text, NULL, &cloud, &err), 0);
		unit_assert_err(&err, VH_EXIT_REFUSED, cases[i].want, cases[i].hint);
	}
}
END_TEST

START_TEST(variables_make_a_cloud_or_choose_one)
{
	vh_autofree char *dir = unit_tmpdir(), *file = unit_file(dir, "openstack/clouds.yaml", CLOUDS), *secure = unit_file(dir, "openstack/secure.yml", SECURE);
	vh_autofree char *xdg = vh_strf("XDG_CONFIG_HOME=%s", dir), *named = vh_strf("OS_CLIENT_CONFIG_FILE=%s/none", dir);
	char *const env[] = { xdg, "OS_AUTH_URL=http://h/v3", "OS_TOKEN=hush", "OS_TENANT_NAME=old", "OS_REGION_NAME=here",
			      "OS_INTERFACE=admin", "OS_PASSWORD=", "OS_CACERT=/ca.pem", "OS_APPLICATION_CREDENTIAL_SECRET=other", NULL };
	char *const chosen[] = { "OS_CLOUD=robot", "OS_AUTH_URL=x", NULL }, *const elsewhere[] = { named, NULL };
	vh_autocloud all = { 0 };
	vh_autocloud robot = { 0 };
	vh_autocloud none = { 0 };
	vh_autoerr err = VH_ERR_NONE;

	ck_assert(file && secure);
	ck_assert_str_eq(vh_cloud_chosen(chosen), "robot");
	ck_assert_str_eq(vh_cloud_chosen(env), "envvars");
	ck_assert_ptr_null(vh_cloud_chosen(elsewhere));
	ck_assert_msg(vh_cloud_find("envvars", env, &all, &err) == 0, "%s", err.text);
	ck_assert_int_eq(all.method, VH_CLOUD_TOKEN);
	ck_assert_str_eq(all.interface, "admin");
	assert_json(vh_keystone_request(&all), "{\"auth\":{\"identity\":{\"methods\":[\"token\"],\"token\":{\"id\":\"hush\"}},"
		    "\"scope\":{\"project\":{\"domain\":{\"id\":\"default\"},\"name\":\"old\"}}}}");
	/* No secret of the variables gets into a cloud of the file. */
	ck_assert_msg(vh_cloud_find("robot", env, &robot, &err) == 0, "%s", err.text);
	ck_assert_str_eq(robot.application_credential_secret, "hush");
	ck_assert_str_eq(robot.region_name, "here");
	ck_assert_str_eq(robot.cacert, "/ca.pem");
	ck_assert_ptr_null(robot.token);
	ck_assert_int_eq(vh_cloud_find("robot", elsewhere, &none, &err), -ENOENT);
	ck_assert_int_eq(err.exit, VH_EXIT_REFUSED);
}
END_TEST

#define CATALOG \
	"{\"project\": {\"id\": \"p1\"}, \"catalog\": [{\"type\": \"identity\", \"endpoints\": [{\"interface\": \"public\"}]}," \
	" {\"type\": \"image\", \"endpoints\": [" \
	"  {\"interface\": \"internal\", \"region\": \"one\", \"url\": \"http://inside:9292\"}," \
	"  {\"interface\": \"public\", \"region\": \"one\", \"url\": \"https://one.example/image/v2/\"}," \
	"  {\"interface\": \"public\", \"region_id\": \"two\", \"url\": \"https://two.example:9292\"}]}]}"

START_TEST(the_image_service_is_found_in_the_catalog)
{
	static const struct { const char *region, *interface, *override, *want; } cases[] = {
		{ "one", "public", NULL, "https://one.example/image" }, { "two", "public", NULL, "https://two.example:9292" },
		{ NULL, "internal", NULL, "http://inside:9292" }, { NULL, "public", "http://o/v2.15/", "http://o" },
		{ NULL, "public", NULL, NULL }, { "three", "public", NULL, NULL }, { "one", "admin", NULL, NULL },
	};
	vh_autojson token = json_loads(CATALOG, 0, NULL);
	vh_autojson bare = json_loads("{\"catalog\": [{\"type\": \"image\", \"endpoints\": [{\"interface\": \"public\", \"url\": \"file:///etc\"}]}, 7]}", 0, NULL);
	const char *project = NULL;

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		const struct vh_cloud cloud = { .region_name = (char *)cases[i].region, .interface = (char *)cases[i].interface,
						.image_endpoint_override = (char *)cases[i].override };
		vh_autofree char *url = NULL;
		vh_autoerr err = VH_ERR_NONE;
		ck_assert_int_eq(vh_keystone_image_url(token, &cloud, &url, &err) == 0, cases[i].want != NULL);
		ck_assert_str_eq(url ? url : err.exit == VH_EXIT_REFUSED ? "refused" : "failed", cases[i].want ? cases[i].want : "refused");
	}
	vh_autoerr err = VH_ERR_NONE;
	vh_autofree char *url = NULL;
	ck_assert_int_lt(vh_keystone_image_url(bare, &(struct vh_cloud){ .interface = "public" }, &url, &err), 0);
	ck_assert_int_eq(vh_keystone_project(token, &project, &err), 0);
	ck_assert_str_eq(project, "p1");
	ck_assert_int_lt(vh_keystone_project(bare, &project, &err), 0);
}
END_TEST

START_TEST(services_messages_become_one_line)
{
	static const struct { const char *body, *want; } cases[] = {
		{ "{\"error\": {\"code\": 401, \"message\": \"No.\", \"title\": \"Unauthorized\"}}", "No." },
		{ "{\"message\": \"Too <b>much</b><br />\\n\\n\", \"code\": \"413\"}", "Too much" },
		{ "<html><head><title>x</title></head><body><h1>502</h1>\r\n<p>Bad\x1b[31m gateway</body>", "502 Bad?[31m gateway" },
		{ "plain", "plain" }, { "<>", NULL }, { "", NULL }, { NULL, NULL },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autofree char *said = vh_http_message(cases[i].body, cases[i].body ? strlen(cases[i].body) : 0);
		ck_assert_str_eq(said ? said : "nothing", cases[i].want ? cases[i].want : "nothing");
	}
}
END_TEST

#define IMAGE \
	"{\"name\": \"mpi\", \"digest\": \"12\", \"suite\": \"bookworm\", \"cmdline\": \"root=/dev/vda\"," \
	" \"mpi\": {\"name\": \"openmpi\"}, \"root\": {\"size\": 1073741825}}"

START_TEST(properties_stand_beside_the_rest)
{
	vh_autojson image = json_loads(IMAGE, 0, NULL);
	vh_autojson properties = vh_sbom_glance(image, 1 << 20);
	vh_autojson body = vh_glance_disk_body("mpi", "private", properties);

	ck_assert_ptr_nonnull(json_object_get(properties, "properties"));
	ck_assert_ptr_null(json_object_get(body, "properties"));
	ck_assert_str_eq(json_string_value(json_object_get(body, "hw_firmware_type")), "uefi");
	ck_assert_str_eq(json_string_value(json_object_get(body, "os_distro")), "debian");
	ck_assert_str_eq(json_string_value(json_object_get(body, "visibility")), "private");
	ck_assert_int_eq(json_integer_value(json_object_get(body, "min_disk")), 2);
	ck_assert_int_eq(json_integer_value(json_object_get(body, "min_ram")), 512);
	assert_json(vh_glance_body("mpi-kernel", "aki", "public", image), "{\"container_format\":\"aki\",\"disk_format\":\"aki\","
		    "\"name\":\"mpi-kernel\",\"vhpc_digest\":\"12\",\"visibility\":\"public\"}");
}
END_TEST

#define ID(n) "00000000-0000-4000-8000-00000000000" #n
#define FOUND(n, more) "{\"id\": \"" ID(n) "\", \"name\": \"mpi\", \"owner\": \"p1\", " more "}"
#define SAME "\"status\": \"active\", \"size\": 3, \"os_hash_algo\": \"sha512\", \"os_hash_value\": \"five\""

/* The plan for an item of three bytes that boots kernel K, as "there ID", or what goes before and after. */
static char *judged(const char *found, bool replace, struct vh_err *err)
{
	vh_autojson list = json_loads(found, 0, NULL);
	struct vh_glance_item item = { .name = strdup("mpi"), .size = 3, .sha256 = "two", .sha512 = "five", .id = ID(9), .body = json_object() };

	ck_assert_ptr_nonnull(list);
	ck_assert_int_eq(vh_glance_link(&item, "K", "R"), 0);
	int r = vh_glance_judge(&item, list, "p1", replace, err);
	vh_autofree char *before = r < 0 ? NULL : json_dumps(item.leftovers, JSON_COMPACT), *after = r < 0 ? NULL : json_dumps(item.others, JSON_COMPACT);
	char *text = r < 0 ? NULL : vh_strf("%s %c %s %s", item.there ? "there" : "send", item.id[35], before, after);
	vh_glance_item_clear(&item);
	return text;
}

START_TEST(what_glance_has_decides)
{
#define LINKS "\"kernel_id\": \"K\", \"ramdisk_id\": \"R\""
	static const struct { const char *found; bool replace; const char *want; } cases[] = {
		{ "[]", false, "send 9 [] []" },
		{ "[" FOUND(1, SAME ", " LINKS) "]", false, "there 1 [] []" },
		{ "[" FOUND(1, "\"status\": \"active\", \"size\": 3, \"os_hash_algo\": \"sha256\", \"os_hash_value\": \"two\", " LINKS) "]", false, "there 1 [] []" },
		/* Another kernel is another image. */
		{ "[" FOUND(1, SAME ", \"kernel_id\": \"L\", \"ramdisk_id\": \"R\"") "]", false, NULL },
		{ "[" FOUND(1, SAME) "]", true, "send 9 [] [\"" ID(1) "\"]" },
		/* What a killed run left; and somebody's who is about to send. */
		{ "[" FOUND(1, "\"status\": \"queued\", \"vhpc_digest\": \"1\"") "]", false, "send 9 [\"" ID(1) "\"] []" },
		{ "[" FOUND(1, "\"status\": \"queued\"") "]", false, NULL },
		{ "[" FOUND(1, "\"status\": \"saving\", \"vhpc_digest\": \"1\"") "]", false, NULL },
		/* Not ours to judge: another project's, another name's, one that is gone. */
		{ "[{\"id\": \"" ID(1) "\", \"name\": \"mpi\", \"owner\": \"p2\", \"status\": \"active\"}]", true, "send 9 [] []" },
		{ "[{\"id\": \"" ID(1) "\", \"name\": \"mpi2\", \"owner\": \"p1\", \"status\": \"active\"}, 7]", true, "send 9 [] []" },
		{ "[" FOUND(1, "\"status\": \"pending_delete\"") "]", false, "send 9 [] []" },
		/* Ours is there, and others: they stay unless they are to go. */
		{ "[" FOUND(1, "\"status\": \"active\"") ", " FOUND(2, SAME ", " LINKS) "]", false, "there 2 [] []" },
		{ "[" FOUND(1, "\"status\": \"active\"") ", " FOUND(2, SAME ", " LINKS) "]", true, "there 2 [] [\"" ID(1) "\"]" },
		{ "[" FOUND(1, "\"status\": \"active\", \"protected\": true") "]", true, NULL },
	};

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autoerr err = VH_ERR_NONE;
		vh_autofree char *plan = judged(cases[i].found, cases[i].replace, &err);
		ck_assert_msg(!strcmp(plan ? plan : "refused", cases[i].want ? cases[i].want : "refused"), "case %zu: %s", i, plan ? plan : err.text);
		ck_assert(plan || err.exit == VH_EXIT_REFUSED);
	}
	vh_autoerr err = VH_ERR_NONE;
	vh_autofree char *bad = judged("[{\"id\": \"../x\", \"name\": \"mpi\", \"owner\": \"p1\"}]", true, &err);
	ck_assert_ptr_null(bad);
	unit_assert_err(&err, VH_EXIT_FAILED, "Glance lists an image mpi whose id is no UUID", NULL);
}
END_TEST

START_TEST(what_glance_has_afterwards_is_compared)
{
	static const struct { const char *image, *want; } cases[] = {
		{ "{" SAME "}", NULL },
		{ "{\"status\": \"killed\"}", "image mpi: Glance has it as 'killed' instead of active" },
		{ "{\"status\": \"active\", \"size\": 2}", "image mpi: Glance has 2 bytes instead of 3" },
		{ "{\"status\": \"active\", \"size\": 3}", "image mpi: Glance tells no hash that can be compared (os_hash_algo '')" },
		{ "{\"status\": \"active\", \"size\": 3, \"os_hash_algo\": \"sha256\", \"os_hash_value\": \"five\"}",
		  "image mpi: Glance has other bytes than were sent (their sha256 differ)" },
	};
	const struct vh_glance_item item = { .name = "mpi", .size = 3, .sha256 = "two", .sha512 = "five" };

	for (size_t i = 0; i < vh_array_len(cases); i++) {
		vh_autojson image = json_loads(cases[i].image, 0, NULL);
		vh_autoerr err = VH_ERR_NONE;
		ck_assert_int_eq(vh_glance_check(&item, image, &err) == 0, cases[i].want == NULL);
		if (cases[i].want)
			unit_assert_err(&err, VH_EXIT_FAILED, cases[i].want, NULL);
	}
}
END_TEST

UNIT_SUITE(images_cloud, clouds_are_read_from_their_file, what_a_cloud_lacks_is_told_without_its_secrets,
	   variables_make_a_cloud_or_choose_one, the_image_service_is_found_in_the_catalog, services_messages_become_one_line,
	   properties_stand_beside_the_rest, what_glance_has_decides, what_glance_has_afterwards_is_compared)
