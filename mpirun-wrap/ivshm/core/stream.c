// SPDX-License-Identifier: Apache-2.0
#include "mpirun-wrap/ivshm/core/stream.h"

#include <string.h>

bool ivshm_feed_open(const struct ivshm_table *windows, const struct ivshm_message *m, struct ivshm_feed *ret)
{
	const struct ivshm_window *w;
	struct ivshm_ask ask;
	uint64_t at;

	if (m->len != sizeof(ask))
		return false;
	memcpy(&ask, m->data, sizeof(ask));	/* once: it may change meanwhile */
	w = ivshm_table_get(windows, ask.window);
	at = w ? ask.address - (uintptr_t)w->base : 0;
	if (!w || at > w->len || ask.len > w->len - at || ask.len == 0)
		return false;
	*ret = (struct ivshm_feed){ .window = ask.window, .pull = ask.pull, .at = at, .len = ask.len };
	return true;
}

static bool may_send(struct ivshm_tx *tx)
{
	return tx->sent - tx->consumed < IVSHM_IN_FLIGHT ||
	       (ivshm_tx_refresh(tx) && tx->sent - tx->consumed < IVSHM_IN_FLIGHT);
}

int ivshm_feed_send(struct ivshm_feed *f, const struct ivshm_table *windows, struct ivshm_tx *tx, ivshm_copy_fn *copy,
		    uint32_t piece)
{
	/* Several must fit, or nobody copies while the other does. */
	if (piece > tx->size / 4 || piece == 0)
		piece = tx->size / 4 / 64 * 64;
	while (f->sent < f->len && may_send(tx)) {
		const struct ivshm_window *w = ivshm_table_get(windows, f->window);
		uint32_t n = f->len - f->sent < piece ? (uint32_t)(f->len - f->sent) : piece;
		struct ivshm_piece_head *head = w ? ivshm_tx_reserve(tx, sizeof(*head) + n) : NULL;

		if (!w)
			return -1;
		if (!head)
			return 0;
		head->pull = f->pull;
		head->at = f->sent;
		copy(head + 1, w->base + f->at + f->sent, n);
		ivshm_tx_commit(tx, sizeof(*head) + n, IVSHM_TAG_PIECE);
		f->sent += n;
	}
	return f->sent == f->len;
}

struct ivshm_pull *ivshm_pull_take(const struct ivshm_table *pulls, const void *peer, const struct ivshm_message *m,
				   ivshm_copy_fn *copy)
{
	struct ivshm_piece_head head;
	struct ivshm_pull *p;
	size_t n = m->len - sizeof(head);

	if (m->len <= sizeof(head))
		return NULL;
	memcpy(&head, m->data, sizeof(head));
	p = ivshm_table_get(pulls, head.pull);
	if (!p || p->peer != peer || head.at != p->got || n > p->len - p->got)
		return NULL;
	copy(p->to + p->got, (const struct ivshm_piece_head *)m->data + 1, n);
	p->got += n;
	return p;
}
