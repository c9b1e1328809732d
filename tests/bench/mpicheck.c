// SPDX-License-Identifier: Apache-2.0
/* Whether MPI brings what it was given: every kind of transfer between all ranks, with
 * every byte checked, and random sizes between random pairs for --seconds S (default 2), of
 * --largest BYTES (default 1 MiB) at most.
 * Prints "ok NAME" lines, or one "not ok" and aborts. */
#include <mpi.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 1 << 20, BURST = 8 };

static int rank, ranks, largest = LARGEST;

static void __attribute__((noreturn, format(printf, 1, 2))) stop(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("not ok rank %d: ", rank);
	vprintf(fmt, ap);
	puts("");
	va_end(ap);
	fflush(stdout);
	MPI_Abort(MPI_COMM_WORLD, 1);
	exit(1);
}

static void *room(size_t n)
{
	void *p = malloc(n + 1);

	if (!p)
		stop("out of memory");
	return p;
}

static unsigned char byte_of(unsigned seed, int i)
{
	return (unsigned char)(seed * 131 + (unsigned)i * 7 + ((unsigned)i >> 8));
}

static void fill(unsigned char *p, int n, unsigned seed)
{
	for (int i = 0; i < n; i++)
		p[i] = byte_of(seed, i);
}

static void check(const char *what, const unsigned char *p, int n, unsigned seed)
{
	for (int i = 0; i < n; i++)
		if (p[i] != byte_of(seed, i))
			stop("%s: byte %d of %d is wrong", what, i, n);
}

static uint64_t random_word(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 11;
}

/* Small sizes and sizes around the limits of protocols come as often as large ones. */
static int random_size(uint64_t *state)
{
	int size = (int)(random_word(state) % (1u << random_word(state) % 21));

	return size > largest ? largest : size;
}

static void ring(void)
{
	int to = (rank + 1) % ranks, from = (rank + ranks - 1) % ranks;

	for (int size = 1; size <= largest; size *= 4) {
		unsigned char *out = room((size_t)size), *in = room((size_t)size);

		fill(out, size, (unsigned)rank);
		MPI_Sendrecv(out, size, MPI_BYTE, to, 1, in, size, MPI_BYTE, from, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
		check("ring", in, size, (unsigned)from);
		free(out);
		free(in);
	}
}

static void all_to_all(void)
{
	for (int size = 1; size <= 65536; size *= 16) {
		unsigned char *out = room((size_t)size * (size_t)ranks), *in = room((size_t)size * (size_t)ranks);

		for (int i = 0; i < ranks; i++)
			fill(out + (size_t)i * (size_t)size, size, (unsigned)(rank * ranks + i));
		MPI_Alltoall(out, size, MPI_BYTE, in, size, MPI_BYTE, MPI_COMM_WORLD);
		for (int i = 0; i < ranks; i++)
			check("all-to-all", in + (size_t)i * (size_t)size, size, (unsigned)(i * ranks + rank));
		free(out);
		free(in);
	}
}

static void probe_and_cancel(void)
{
	int to = (rank + 1) % ranks, from = (rank + ranks - 1) % ranks, n, cancelled, size = 1000 + rank * 10000;
	unsigned char *out = room((size_t)size), *in;
	MPI_Request never, sent;
	MPI_Message message;
	MPI_Status st;

	fill(out, size, (unsigned)rank);
	MPI_Irecv(&n, 1, MPI_INT, from, 99, MPI_COMM_WORLD, &never);
	MPI_Isend(out, size, MPI_BYTE, to, 2, MPI_COMM_WORLD, &sent);
	MPI_Mprobe(MPI_ANY_SOURCE, 2, MPI_COMM_WORLD, &message, &st);
	MPI_Get_count(&st, MPI_BYTE, &n);
	if (st.MPI_SOURCE != from || n != 1000 + from * 10000)
		stop("probe: %d bytes from %d", n, st.MPI_SOURCE);
	in = room((size_t)n);
	MPI_Mrecv(in, n, MPI_BYTE, &message, &st);
	check("probe", in, n, (unsigned)from);
	MPI_Wait(&sent, MPI_STATUS_IGNORE);
	MPI_Cancel(&never);
	MPI_Wait(&never, &st);
	MPI_Test_cancelled(&st, &cancelled);
	if (!cancelled)
		stop("a receive was not cancelled");
	free(out);
	free(in);
}

/* Every second int of a matrix, on one side or on both. */
static void derived(void)
{
	int to = (rank + 1) % ranks, from = (rank + ranks - 1) % ranks, n = 60000;
	int *out = room(sizeof(int) * (size_t)n * 2), *in = room(sizeof(int) * (size_t)n * 2);
	MPI_Datatype stripes;

	MPI_Type_vector(n, 1, 2, MPI_INT, &stripes);
	MPI_Type_commit(&stripes);
	for (int i = 0; i < 2 * n; i++) {
		out[i] = rank * 1000000 + i;
		in[i] = -1;
	}
	MPI_Sendrecv(out, 1, stripes, to, 3, in, 1, stripes, from, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	for (int i = 0; i < 2 * n - 1; i++)
		if (in[i] != (i % 2 ? -1 : from * 1000000 + i))
			stop("derived datatype: element %d is %d", i, in[i]);
	MPI_Sendrecv(out, 1, stripes, to, 4, in, n, MPI_INT, from, 4, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	for (int i = 0; i < n; i++)
		if (in[i] != from * 1000000 + 2 * i)
			stop("derived datatype to contiguous: element %d is %d", i, in[i]);
	MPI_Type_free(&stripes);
	free(out);
	free(in);
}

static void one_sided(void)
{
	int to = (rank + 1) % ranks, from = (rank + ranks - 1) % ranks, size = 100000, one = 1, *counter;
	unsigned char *window = room((size_t)size), *out = room((size_t)size), *got = room((size_t)size);
	MPI_Win win, counters;

	fill(out, size, (unsigned)rank);
	memset(window, 0, (size_t)size);
	MPI_Win_create(window, size, 1, MPI_INFO_NULL, MPI_COMM_WORLD, &win);
	MPI_Win_fence(0, win);
	MPI_Put(out, size, MPI_BYTE, to, 0, size, MPI_BYTE, win);
	MPI_Win_fence(0, win);
	check("put", window, size, (unsigned)from);
	MPI_Get(got, size, MPI_BYTE, to, 0, size, MPI_BYTE, win);
	MPI_Win_fence(0, win);
	check("get", got, size, (unsigned)rank);
	MPI_Win_free(&win);
	MPI_Win_allocate(sizeof(int), sizeof(int), MPI_INFO_NULL, MPI_COMM_WORLD, &counter, &counters);
	*counter = 0;
	MPI_Barrier(MPI_COMM_WORLD);
	MPI_Win_lock_all(0, counters);
	for (int i = 0; i < 20; i++)
		MPI_Accumulate(&one, 1, MPI_INT, 0, 0, 1, MPI_INT, MPI_SUM, counters);
	MPI_Win_unlock_all(counters);
	MPI_Barrier(MPI_COMM_WORLD);
	if (rank == 0 && *counter != 20 * ranks)
		stop("accumulate: %d instead of %d", *counter, 20 * ranks);
	MPI_Win_free(&counters);
	free(window);
	free(out);
	free(got);
}

static void collectives(void)
{
	for (int n = 1; n <= 40000; n *= 20) {
		long *v = room(sizeof(long) * (size_t)n), *sum = room(sizeof(long) * (size_t)n);

		for (int i = 0; i < n; i++)
			v[i] = (long)rank * n + i;
		MPI_Allreduce(v, sum, n, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
		for (int i = 0; i < n; i++)
			if (sum[i] != (long)ranks * (ranks - 1) / 2 * n + (long)ranks * i)
				stop("allreduce: element %d", i);
		for (int root = 0; root < ranks; root++) {
			for (int i = 0; i < n; i++)
				v[i] = rank == root ? (long)root * 7 + i : -1;
			MPI_Bcast(v, n, MPI_LONG, root, MPI_COMM_WORLD);
			for (int i = 0; i < n; i++)
				if (v[i] != (long)root * 7 + i)
					stop("broadcast: element %d", i);
		}
		free(v);
		free(sum);
	}
	MPI_Barrier(MPI_COMM_WORLD);
}

/* A round's sizes and pairs come from a number that all ranks know. */
static void random_round(uint64_t round)
{
	MPI_Request requests[2 * BURST];
	unsigned char *out[BURST], *in[BURST];
	int out_size[BURST], in_size[BURST], shift;
	uint64_t common = round * 2654435761u + 88172645463325252u;

	shift = (int)(random_word(&common) % (uint64_t)ranks);
	for (int i = 0; i < BURST; i++) {
		int to = (rank + shift) % ranks, from = (rank + ranks - shift) % ranks;
		uint64_t mine = common + (uint64_t)(rank * BURST + i + 1) * 7919, theirs = common + (uint64_t)(from * BURST + i + 1) * 7919;

		out_size[i] = random_size(&mine);
		in_size[i] = random_size(&theirs);
		out[i] = room((size_t)out_size[i]);
		in[i] = room((size_t)in_size[i]);
		fill(out[i], out_size[i], (unsigned)(round + (uint64_t)(rank * BURST + i)));
		MPI_Irecv(in[i], in_size[i], MPI_BYTE, from, i, MPI_COMM_WORLD, &requests[i]);
		MPI_Isend(out[i], out_size[i], MPI_BYTE, to, i, MPI_COMM_WORLD, &requests[BURST + i]);
	}
	MPI_Waitall(2 * BURST, requests, MPI_STATUSES_IGNORE);
	for (int i = 0; i < BURST; i++) {
		int from = (rank + ranks - shift) % ranks;

		check("random", in[i], in_size[i], (unsigned)(round + (uint64_t)(from * BURST + i)));
		free(out[i]);
		free(in[i]);
	}
}

static void random_sizes(double seconds)
{
	double until = MPI_Wtime() + seconds;
	uint64_t round = 0;
	int more = 1;

	while (more) {
		for (int i = 0; i < 4; i++)
			random_round(round++);
		more = MPI_Wtime() < until;
		MPI_Bcast(&more, 1, MPI_INT, 0, MPI_COMM_WORLD);
	}
	if (rank == 0)
		printf("# random sizes: %llu messages a rank\n", (unsigned long long)round * BURST);
}

static void done(const char *what)
{
	MPI_Barrier(MPI_COMM_WORLD);
	if (rank == 0)
		printf("ok %s\n", what);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const struct { const char *name; void (*run)(void); } tests[] = {
		{ "ring", ring }, { "all-to-all", all_to_all }, { "probe and cancel", probe_and_cancel },
		{ "derived datatypes", derived }, { "one-sided", one_sided }, { "collectives", collectives },
	};
	double seconds = 2;

	for (int i = 1; i + 1 < argc; i += 2)
		if (!strcmp(argv[i], "--seconds"))
			seconds = atof(argv[i + 1]);
		else if (!strcmp(argv[i], "--largest"))
			largest = atoi(argv[i + 1]);
	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &ranks);
	for (size_t i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		tests[i].run();
		done(tests[i].name);
	}
	random_sizes(seconds);
	done("random sizes");
	MPI_Finalize();
	return 0;
}
