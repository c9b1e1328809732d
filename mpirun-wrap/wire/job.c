// SPDX-License-Identifier: Apache-2.0
/* A job's frame is a row of records: what it is, how long, its bytes. */
#include "mpirun-wrap/wire/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/strv.h"

enum { WORD = 'a', VARIABLE = 'v', DIRECTORY = 'd', FILE_OF = 'f', RECORD = 5 };

/* --- packing */

static void record(FILE *f, char what, const void *data, size_t len)
{
	const uint32_t n = (uint32_t)len;

	fputc(what, f);
	fwrite(&n, sizeof(n), 1, f);
	fwrite(data, 1, len, f);
}

char *vh_wire_job_pack(const struct vh_wire_job *job, size_t *ret_len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, ret_len);

	if (!f)
		return NULL;
	for (char *const *w = job->argv; w && *w; w++)
		record(f, WORD, *w, strlen(*w));
	for (char *const *v = job->env; v && *v; v++)
		record(f, VARIABLE, *v, strlen(*v));
	if (job->directory)
		record(f, DIRECTORY, job->directory, strlen(job->directory));
	for (size_t i = 0; i < job->n_files; i++)
		record(f, FILE_OF, job->files[i].data, job->files[i].len);
	if (fclose(f) == 0 && text)
		return text;
	free(text);
	return NULL;
}

int vh_wire_job_file(struct vh_wire_job *job, const char *data, size_t len)
{
	char *copy;

	if (job->n_files == VH_WIRE_FILES)
		return -ENOSPC;
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, len);
	copy[len] = '\0';
	job->files[job->n_files] = (struct vh_wire_file){ VH_WIRE_FIRST_FD + (int)job->n_files, copy, len };
	return job->files[job->n_files++].fd;
}

/* --- unpacking */

static int take_text(char ***words, const char *data, size_t len)
{
	vh_autofree char *text = strndup(data, len);

	if (!text)
		return -ENOMEM;
	if (strlen(text) != len)
		return -EBADMSG;
	return vh_strv_push(words, text);
}

static int take(struct vh_wire_job *job, char what, const char *data, size_t len)
{
	int r;

	switch (what) {
	case WORD:
		return take_text(&job->argv, data, len);
	case VARIABLE:
		r = len > 0 && *data != '=' && memchr(data, '=', len) ? 0 : -EBADMSG;
		return r < 0 ? r : take_text(&job->env, data, len);
	case DIRECTORY:
		if (job->directory || memchr(data, '\0', len))
			return -EBADMSG;
		job->directory = strndup(data, len);
		return job->directory ? 0 : -ENOMEM;
	case FILE_OF:
		r = vh_wire_job_file(job, data, len);
		return r == -ENOSPC ? -EBADMSG : r < 0 ? r : 0;
	}
	return -EBADMSG;
}

int vh_wire_job_unpack(const char *data, size_t len, struct vh_wire_job *ret)
{
	struct vh_wire_job job = { 0 };
	int r = 0;

	while (r == 0 && len > 0) {
		uint32_t n = 0;

		if (len >= RECORD)
			memcpy(&n, data + 1, sizeof(n));
		if (len < RECORD || n > len - RECORD) {
			r = -EBADMSG;
			break;
		}
		r = take(&job, *data, data + RECORD, n);
		data += RECORD + n;
		len -= RECORD + n;
	}
	if (r == 0 && (!job.argv || !*job.argv[0]))
		r = -EBADMSG;
	if (r < 0)
		vh_wire_job_clear(&job);
	else
		*ret = job;
	return r;
}

static int open_file(const struct vh_wire_file *f)
{
	int fd = memfd_create("vhpc", 0);	/* kept across exec */
	size_t done = 0;

	while (fd >= 0 && done < f->len) {
		ssize_t n = write(fd, f->data + done, f->len - done);

		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	if (fd >= 0 && fd != f->fd && (dup2(fd, f->fd) < 0 || close(fd) < 0))
		return -errno;
	return fd < 0 ? -errno : 0;
}

int vh_wire_job_open(const struct vh_wire_job *job)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < job->n_files; i++)
		r = open_file(&job->files[i]);
	return r;
}

void vh_wire_job_clear(struct vh_wire_job *job)
{
	vh_strv_free(job->argv);
	vh_strv_free(job->env);
	free(job->directory);
	for (size_t i = 0; i < job->n_files; i++)
		free(job->files[i].data);
	*job = (struct vh_wire_job){ 0 };
}
