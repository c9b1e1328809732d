// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <time.h>
#include "images/recipe/recipe.h"
#include "images/store/sbom.h"
#include "lib/strv.h"

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

/* SPDX's identifiers hold letters, digits, dots and hyphens. */
static char *identifier(const char *name)
{
	char *id = vh_strf("SPDXRef-Package-%s", name);
	for (char *c = id; c && *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", *c))
			*c = '-';
	return id;
}

static json_t *package(const json_t *p)
{
	const char *name = text(p, "name"), *version = text(p, "version"), *hash = text(p, "sha256");
	vh_autofree char *id = identifier(name);
	vh_autofree char *purl = vh_strf("pkg:deb/debian/%s@%s?arch=%s", name, version, text(p, "architecture"));
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:[{s:s, s:s, s:s}]}", "SPDXID", id, "name", name,
			      "versionInfo", version, "downloadLocation", "NOASSERTION", "filesAnalyzed", 0,
			      "licenseConcluded", "NOASSERTION", "licenseDeclared", "NOASSERTION", "externalRefs",
			      "referenceCategory", "PACKAGE-MANAGER", "referenceType", "purl", "referenceLocator", purl);

	if (o && *hash)
		json_object_set_new(o, "checksums", json_pack("[{s:s, s:s}]", "algorithm", "SHA256",
							      "checksumValue", hash));
	return o;
}

json_t *vh_sbom_spdx(const json_t *image)
{
	json_t *packages = json_array(), *relations = json_array(), *p;
	time_t epoch = (time_t)json_integer_value(json_object_get(image, "epoch"));
	vh_autofree char *space = vh_strf("urn:sha256:%s", text(image, "digest"));
	char created[32];
	struct tm tm;
	size_t i;

	strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&epoch, &tm));
	json_array_foreach(json_object_get(image, "packages"), i, p) {
		vh_autofree char *id = identifier(text(p, "name"));
		json_array_append_new(packages, package(p));
		json_array_append_new(relations, json_pack("{s:s, s:s, s:s}", "spdxElementId", "SPDXRef-DOCUMENT",
							   "relationshipType", "DESCRIBES", "relatedSpdxElement", id));
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:{s:s, s:[s]}, s:o, s:o}", "spdxVersion", "SPDX-2.3",
			 "dataLicense", "CC0-1.0", "SPDXID", "SPDXRef-DOCUMENT", "name", text(image, "name"),
			 "documentNamespace", space, "creationInfo", "created", created, "creators",
			 "Tool: vhpc-image", "packages", packages, "relationships", relations);
}

static const char *distribution(const char *suite)
{
	for (int i = VH_SUITE_BOOKWORM; vh_suite_name(i); i++)
		if (!strcmp(suite, vh_suite_name(i)))
			return vh_suite_is_ubuntu(i) ? "ubuntu" : "debian";
	return "linux";
}

/* MiB: twice the least that a cluster's manifest takes for a node. */
enum { MIN_RAM = 512 };

json_t *vh_sbom_glance(const json_t *image, uint64_t firmware)
{
	const json_t *mpi = json_object_get(image, "mpi"), *root = json_object_get(image, "root");
	json_int_t bytes = json_integer_value(json_object_get(root, "size")) + (json_int_t)firmware;
	const char *type = firmware ? "uefi" : NULL, *cmdline = firmware ? NULL : text(image, "cmdline");

	return json_pack("{s:s, s:s, s:s, s:I, s:i, s:{s:s, s:s, s:s, s:s*, s:s*, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}}",
			 "name", text(image, "name"), "disk_format", "qcow2", "container_format", "bare", "min_disk",
			 (bytes + (1 << 30) - 1) >> 30, "min_ram", MIN_RAM, "properties", "os_type", "linux", "os_distro", distribution(text(image, "suite")),
			 "os_version", text(image, "suite"), "os_command_line", cmdline, "hw_firmware_type", type,
			 "hw_machine_type", "q35", "hw_disk_bus", "virtio", "hw_cdrom_bus", "scsi", "hw_scsi_model", "virtio-scsi", "hw_vif_model", "virtio",
			 "hw_vif_multiqueue_enabled", "true", "hw_rng_model", "virtio", "vhpc_digest",
			 text(image, "digest"), "vhpc_mpi", text(mpi, "name"));
}
