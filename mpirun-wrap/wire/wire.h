// SPDX-License-Identifier: Apache-2.0
/* What mpirun-wrap and the head of a job in the cluster say to each other, over the standard input and output
 * of an ssh connection: frames of a type, a length and as many bytes. Neither side trusts the other's. */
#ifndef VH_MPIRUN_WIRE_H
#define VH_MPIRUN_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- frame.c */

enum vh_frame_type {
	/* to the head */
	VH_FRAME_JOB = 'j',	/* what is to be started, once, first */
	VH_FRAME_INPUT = 'i',	/* bytes of standard input; none: its end */
	VH_FRAME_SIGNAL = 's',	/* one byte, its number */
	/* from the head */
	VH_FRAME_TAKEN = 't',	/* four bytes: how many of standard input the job has taken */
	VH_FRAME_OUT = 'o',	/* bytes of standard output */
	VH_FRAME_ERR = 'e',	/* and of standard error */
	VH_FRAME_EXIT = 'x',	/* two bytes: exit status, and the signal that ended it or 0 */
	VH_FRAME_FAILED = 'f',	/* nothing was started: why, as text */
};

enum {
	VH_FRAME_DATA = 16384,	/* most bytes in a frame, but of the job */
	VH_FRAME_JOB_MAX = 64 << 20,
	VH_FRAME_WINDOW = 65536,	/* most bytes of standard input that the job has not taken */
	VH_FRAME_PENDING = 4 * VH_FRAME_DATA,	/* who has more unsent takes nothing in to send */
};

/* What comes in. The descriptor is not owned. */
struct vh_frame_in {
	int fd;
	bool head;		/* reads what goes to the head */
	char *buf;
	size_t begin, end, room;
};

struct vh_frame { char type; char *data; size_t len; };	/* data: within the buffer, until the next call */

/* Reads once: how many bytes, 0 at the end, -EAGAIN, -errno. */
long vh_frame_read(struct vh_frame_in *in);
/* 1 and the next whole frame; 0: it is still to come; -EBADMSG: it is none, and nothing that follows is. */
int vh_frame_next(struct vh_frame_in *in, struct vh_frame *ret);
void vh_frame_in_clear(struct vh_frame_in *in);

/* What is to go out. The descriptor is not owned. */
struct vh_frame_out { int fd; char *buf; size_t begin, end, room; };

/* Adds a frame (or bare bytes, where the descriptor leads to no reader of frames): 0 or -ENOMEM. */
int vh_frame_put(struct vh_frame_out *out, enum vh_frame_type type, const void *data, size_t len);
int vh_bytes_put(struct vh_frame_out *out, const void *data, size_t len);
/* Writes as much as goes: 0, also where that is nothing; -errno. */
int vh_frame_flush(struct vh_frame_out *out);
static inline size_t vh_frame_pending(const struct vh_frame_out *out) { return out->end - out->begin; }
void vh_frame_out_clear(struct vh_frame_out *out);

/* The signals that reach a job; ends with 0. */
extern const int vh_frame_signals[];
bool vh_frame_is_signal(int number);

/* --- job.c: what a job's frame holds */

enum { VH_WIRE_FILES = 8, VH_WIRE_FIRST_FD = 200 };

/* Of a file that the launcher opens as /proc/self/fd/N. */
struct vh_wire_file { int fd; char *data; size_t len; };

struct vh_wire_job {
	char **argv;		/* at least the program */
	char **env;		/* NAME=VALUE, added to the head's own */
	char *directory;	/* to start in where it is there; NULL: the user's home */
	struct vh_wire_file files[VH_WIRE_FILES];
	size_t n_files;
};

/* The frame's bytes; malloc'd, NULL without memory. */
char *vh_wire_job_pack(const struct vh_wire_job *job, size_t *ret_len);
/* -EBADMSG: it is no job; -ENOMEM. Everything in *ret is its own. */
int vh_wire_job_unpack(const char *data, size_t len, struct vh_wire_job *ret);
/* Adds a file by the next free descriptor, which it returns; -ENOSPC, -ENOMEM. data is copied. */
int vh_wire_job_file(struct vh_wire_job *job, const char *data, size_t len);
/* Opens the files in memory by their numbers, for who is executed then: 0 or -errno. */
int vh_wire_job_open(const struct vh_wire_job *job);
void vh_wire_job_clear(struct vh_wire_job *job);

#endif
