// SPDX-License-Identifier: Apache-2.0
/* One HTTP connection (libcurl) to services that may lie, hang or be far away: certificates are
 * verified, redirections not followed, answers bounded, and whatever stands still given up. */
#ifndef VH_CLOUD_HTTP_H
#define VH_CLOUD_HTTP_H

#include <jansson.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/err.h"

struct vh_http;

struct vh_http_settings {
	const char *cacert, *cert, *key;	/* paths, or NULL: the system's authorities, no certificate of ours */
	unsigned stall_s;	/* give up when nothing moved for so long; ten times that for the answer to a file */
	const volatile sig_atomic_t *stop;	/* set by a signal's handler: -EINTR; or NULL */
};

/* What the settings point to stays the caller's, and there. */
int vh_http_open(struct vh_http **ret, const struct vh_http_settings *settings, struct vh_err *err);
void vh_http_close(struct vh_http *http);
static inline void vh_http_closep(struct vh_http **h) { vh_http_close(*h); }
/* From now on no signal stops a request: what a run has made is being removed. */
void vh_http_ignore_stop(struct vh_http *http);

struct vh_http_request {
	const char *method, *url;
	const char *token;	/* X-Auth-Token, or NULL */
	const char *body;	/* JSON text, or NULL */
	int fd;			/* instead: the file that is sent, from its start; 0: none */
	uint64_t length;	/* its bytes */
	void (*sent)(void *arg, uint64_t bytes);	/* as they go; or NULL */
	void *arg;
};

struct vh_http_answer {
	long code;
	char *body;		/* NUL-terminated, at most 16 MiB */
	size_t len;
	char *subject_token;	/* X-Subject-Token, or NULL; secret */
	char *location;		/* Location, or NULL */
};
void vh_http_answer_clear(struct vh_http_answer *a);
#define vh_autoanswer vh_cleanup(vh_http_answer_clear) struct vh_http_answer

/* Takes in a line of an answer's head, which need not end with a NUL; -ENOMEM. */
int vh_http_header(struct vh_http_answer *answer, const char *line, size_t len);

/* 0 when an answer came, whatever its code; the text of an error names method and URL (-ECOMM: no
 * connection, or it broke; -ETIMEDOUT, -EINTR). ret is filled on success only. */
int vh_http_do(struct vh_http *http, const struct vh_http_request *request, struct vh_http_answer *ret,
	       struct vh_err *err);

/* -EREMOTEIO, an error out of an answer that is none of 200 to 299: URL, code, and what the service says, of
 * JSON, HTML or plain text; with a hint where one is known. */
int vh_http_refusal(const struct vh_http_request *request, const struct vh_http_answer *answer, struct vh_err *err);
/* What the service says, one line; malloc'd, NULL for nothing or without memory. */
char *vh_http_message(const char *body, size_t len);
/* The JSON object of an answer; refused where it is none. */
int vh_http_json(const struct vh_http_request *request, const struct vh_http_answer *answer, json_t **ret,
		 struct vh_err *err);

#endif
