// SPDX-License-Identifier: Apache-2.0
#include "tools/cluster/cli/wake.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/virt/virt.h"

int wake_begin(struct wake *w, struct vh_err *err)
{
	int r = vh_virt_events_begin(err);

	if (r < 0)
		return r;
	w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return w->fd < 0 ? vh_err_set(err, errno, "eventfd: %s", strerror(errno)) : 0;
}

void wake_hang_up(struct wake *w)
{
	if (w->virt)
		vh_virt_deafen(w->virt);
	vh_virt_close(vh_steal(&w->virt));
}

void wake_clear(struct wake *w)
{
	wake_hang_up(w);
	vh_close_fd(&w->fd);
}

int wake_listen(struct wake *w, const struct vh_cli *cli, bool start, struct vh_err *err)
{
	vh_cleanup(vh_virt_closep) struct vh_virt *v = NULL;
	int r;

	if (w->virt && vh_virt_is_alive(w->virt))
		return 0;
	wake_hang_up(w);
	r = vh_virt_open(&v, cli->connect, cli->state, start, err);
	if (r == 0)
		r = vh_virt_listen(v, w->fd, err);
	if (r == 0)
		w->virt = vh_steal(&v);
	return r;
}

void wake_wait(const struct wake *w, unsigned seconds)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };
	uint64_t n;

	if (poll(&p, 1, (int)seconds * 1000) == 1 && read(w->fd, &n, sizeof(n)) < 0)
		return;
}
