// SPDX-License-Identifier: Apache-2.0
/* The channels of mpirun-wrap/ivshm between two processes over a file, without Open MPI:
 * half a round trip by message size, the least and the lower quartile over short batches.
 * A path as argument that is a file is used instead of memory without a name. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mpirun-wrap/ivshm/core/core.h"

enum { CHANNEL = 512 << 10, BATCHES = 200, LARGEST = 32 << 10 };

static const uint32_t sizes[] = { 1, 64, 240, 1024, 8192, 32768 };

struct end { struct ivshm_tx tx; struct ivshm_rx rx; ivshm_copy_fn *copy; uint8_t data[LARGEST]; };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void send_one(struct end *e, uint32_t len)
{
	void *to;

	while (!(to = ivshm_tx_reserve(&e->tx, len)))
		;
	e->copy(to, e->data, len);
	ivshm_tx_commit(&e->tx, len, 1);
}

static uint32_t receive_one(struct end *e)
{
	struct ivshm_message m;
	int r;

	while ((r = ivshm_rx_peek(&e->rx, &m)) == 0)
		;
	if (r < 0)
		exit(1);
	e->copy(e->data, m.data, m.len);
	ivshm_rx_done(&e->rx);
	return m.len;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu % (int)sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void answer(struct end *e)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin(1);
	for (;;)
		send_one(e, receive_one(e));
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(struct end *e, uint32_t len)
{
	double one_way[BATCHES];
	int trips = len > 4096 ? 20 : 200;

	for (int b = 0; b < BATCHES; b++) {
		double t = now();

		for (int i = 0; i < trips; i++) {
			send_one(e, len);
			receive_one(e);
		}
		one_way[b] = (now() - t) / trips / 2;
	}
	qsort(one_way, BATCHES, sizeof(*one_way), by_value);
	printf("%8u %10.3f %10.3f %12.0f\n", len, one_way[0] * 1e6, one_way[BATCHES / 4] * 1e6,
	       len / one_way[0] / 1048576);
}

int main(int argc, char **argv)
{
	/* make bench hands every benchmark the directory of the programs: that is no file. */
	int named = argc > 1 ? open(argv[1], O_RDWR | O_CLOEXEC) : -1;
	int fd = named < 0 ? memfd_create("ring", MFD_CLOEXEC) : named;
	uint8_t *at;
	struct end *e = calloc(1, sizeof(*e));
	const struct ivshm_copy *copy;
	pid_t child;

	if (!e || fd < 0 || ftruncate(fd, 2 * CHANNEL) < 0)
		return 1;
	at = mmap(NULL, 2 * CHANNEL, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return 1;
	copy = ivshm_copy_choose(at, CHANNEL);
	e->copy = copy->copy;
	ivshm_tx_open(&e->tx, at, CHANNEL, 1, false);
	ivshm_tx_open(&e->tx, at + CHANNEL, CHANNEL, 2, false);
	child = fork();
	if (child == 0) {
		ivshm_rx_open(&e->rx, at, CHANNEL, 1, false);
		answer(e);
	}
	pin(0);
	ivshm_rx_open(&e->rx, at + CHANNEL, CHANNEL, 2, false);
	e->tx = (struct ivshm_tx){ .c = (struct ivshm_channel *)at, .size = e->tx.size };
	printf("copies by %s, %.1f ns a load\n%8s %10s %10s %12s\n", copy->name, ivshm_load_ns(at), "BYTES", "MIN us",
	       "P25 us", "MAX MiB/s");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		measure(e, sizes[i]);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	free(e);
	return 0;
}
