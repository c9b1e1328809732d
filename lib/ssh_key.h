// SPDX-License-Identifier: Apache-2.0
/* Public keys as OpenSSH writes them to a .pub file. Shared by hosts and guests: no error object. */
#ifndef VH_SSH_KEY_H
#define VH_SSH_KEY_H

#include <stdbool.h>
#include <stddef.h>

enum { VH_SSH_KEY_MAX = 16384 };	/* characters of its base64 */

/* Whether it is one key, "TYPE BASE64[ COMMENT]", without options, of a type that sshd takes and whose
 * base64 is of that type too. */
bool vh_is_ssh_key(const char *text);

/* Decodes n characters into *ret (malloc'd, NUL-terminated). Padding only at the end, no spaces; false also
 * without memory. */
bool vh_base64_decode(const char *text, size_t n, char **ret, size_t *ret_len);

#endif
