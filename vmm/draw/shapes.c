// SPDX-License-Identifier: Apache-2.0
#include "vmm/draw/shapes.h"

#include <string.h>

int vh_draw_text(const struct vh_svg *d, int x, int y, const char *text)
{
	vh_svg_text(d->svg, x, y, NULL, text);
	return x + (int)strlen(text) * SVG_CHAR;
}
