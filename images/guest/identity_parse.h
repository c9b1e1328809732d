// SPDX-License-Identifier: Apache-2.0
/* The identity of a node (docs/formats/identity.md): untrusted text in, checked
 * fields out. Shared by the program in the image and by the tests on the host. */
#ifndef VH_IDENTITY_PARSE_H
#define VH_IDENTITY_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "images/guest/parse_slurm.h"
#include "images/guest/parse_user.h"

enum {
	VH_ID_NICS_MAX = 16,
	VH_ID_KEYS_MAX = 64,
	VH_ID_HOSTS_MAX = 16384,
	VH_ID_MOUNTS_MAX = 64,
	VH_ID_EXPORTS_MAX = 16,
	VH_ID_DNS_MAX = 3,
};

struct vh_id_nic {
	char mac[18];		/* lower case; "": it has that name already */
	char address[16];	/* "": by DHCP */
	unsigned prefix;	/* 1..32 */
	char name[16];
	char gateway[16];	/* "": none */
};

struct vh_id_host {
	char address[16];
	char name[64];
};

/* The host key of a node that this one talks to. */
struct vh_id_known { char name[64]; char *key; };

/* Of fstab; none has a blank. */
struct vh_id_mount { char *source, *target, *type, *options; };

/* A directory that other machines of this network mount. */
struct vh_id_export { char target[128]; char network[16]; unsigned prefix; };

struct vh_identity {
	char hostname[64];	/* never empty */
	unsigned mtu;		/* 0: as the link has it */
	struct vh_id_nic *nics;
	size_t n_nics;
	struct vh_id_host *hosts;
	size_t n_hosts;
	char **authorized;	/* each "TYPE BASE64[ COMMENT]" */
	size_t n_authorized;
	struct vh_id_mount *mounts;
	size_t n_mounts;
	struct vh_id_export exports[VH_ID_EXPORTS_MAX];
	size_t n_exports;
	char dns[VH_ID_DNS_MAX][16];
	size_t n_dns;
	bool dhcp;		/* interfaces that no nic names, by DHCP */
	char instance[128];	/* a new one is another machine; "": not known */
	struct vh_id_known *known;
	size_t n_known;
	char *cluster;		/* the text of cluster.json, or NULL */
	size_t cluster_len;
	char *userkey;		/* of the user, for the other nodes: as hostkey, hostkey_pub */
	size_t userkey_len;
	char *userkey_pub;
	char *hostkey;		/* the private key file's text, or NULL */
	size_t hostkey_len;
	char *hostkey_pub;	/* one line without newline, or NULL */
	struct vh_id_users people;	/* the cluster's own users */
	struct vh_id_slurm slurm;
};

/* 0, or -1 with the line and the reason in why; ret is empty then. */
int vh_identity_parse(const char *text, size_t len, struct vh_identity *ret, char *why,
		      size_t why_len);
/* Whether it is a host name of one label. */
bool vh_identity_is_hostname(const char *text);
void vh_identity_clear(struct vh_identity *id);

#endif
