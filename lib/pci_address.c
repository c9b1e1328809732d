// SPDX-License-Identifier: Apache-2.0
#include "lib/pci_address.h"

#include <ctype.h>
#include <string.h>

#include "lib/strv.h"

bool vh_pci_is_address(const char *s)
{
	size_t domain = strspn(s, "0123456789abcdef");

	s += domain;
	return domain >= 4 && domain <= 8 && *s == ':' && isxdigit((unsigned char)s[1]) &&
	       isxdigit((unsigned char)s[2]) && s[3] == ':' && isxdigit((unsigned char)s[4]) &&
	       isxdigit((unsigned char)s[5]) && s[6] == '.' && s[7] >= '0' && s[7] <= '7' && !s[8];
}

int vh_pci_full_address(const char *text, char **ret, struct vh_err *err)
{
	vh_autofree char *address = strchr(text, ':') == strrchr(text, ':') ? vh_strf("0000:%s", text) :
									      strdup(text);

	if (!address)
		return vh_err_nomem(err);
	for (char *p = address; *p; p++)
		if (*p >= 'A' && *p <= 'F')
			*p += 'a' - 'A';
	if (!vh_pci_is_address(address))
		return vh_err_usage(err, "'%.40s' is no PCI address of the form 0000:3b:00.0", text);
	*ret = vh_steal(&address);
	return 0;
}
