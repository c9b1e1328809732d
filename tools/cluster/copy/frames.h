// SPDX-License-Identifier: Apache-2.0
/* What a node's archive holds, one frame an entry. libarchive reads it without rights; who has them reads these. */
#ifndef VH_CLUSTER_COPY_FRAMES_H
#define VH_CLUSTER_COPY_FRAMES_H

#include <stdint.h>
#include <stdio.h>

enum frame_kind { FRAME_FILE = 1, FRAME_DIR, FRAME_LINK, FRAME_OTHER, FRAME_BAD, FRAME_END };
enum { FRAME_NAME_MAX = 4095 };

/* name_len bytes of its name follow, link_len of a link's target, and size of a file's data. A BAD one's
 * name is why the archive cannot be read on. */
struct frame {
	uint32_t kind, mode;
	uint64_t size;
	int64_t mtime;
	uint32_t name_len, link_len;
};

/* For vh_confine_start: reads an archive from fd; the last frame is END or BAD. */
int frames_write(int fd, FILE *out);

#endif
