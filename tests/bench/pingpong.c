// SPDX-License-Identifier: Apache-2.0
/* MPI ping-pong between rank 0 and rank 1: latency and bandwidth by message size.
 *
 * One neighbour's burst moves a mean a thousandfold, so every size is measured in many
 * short batches that take turns with the other sizes, and the minimum and the lower
 * quartile over batches are reported. Every message is checked. Prints one line of JSON
 * (schema vhpc.pingpong/1, docs/formats/validate.md), or a table. */
#include <getopt.h>
#include <mpi.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <unistd.h>

enum { TAG_ORDER = 1, TAG_DATA, MAX_BATCHES = 8192, MAX_TRIPS = 2000, MAX_A_TURN = 8, TRIES = 5, MIN_TURNS = 3, MAX_FD = 4096, GRACE_S = 300, TEXT = 256 };

static const double batch_seconds = 2e-3, prepare_seconds = 0.05;

struct size_result {
	int bytes;
	int trips;			/* round trips a batch */
	int n;
	double best;			/* seconds one way, of all batches */
	double one_way[MAX_BATCHES];	/* seconds, the mean of a batch */
};

/* What rank 0 tells rank 1 to do next. */
struct order { int bytes, trips, seed; };

struct options {
	double seconds;
	bool table, quick, batches;
	const char *cpus;
	int max;
};

struct end {
	int rank, peer;
	unsigned char *out, *in;
	struct size_result *results;
	int n_sizes;
};

static const int all_sizes[] = { 0, 1, 8, 64, 512, 1024, 4096, 8192, 65536, 262144, 1048576, 4194304 };
static const int quick_sizes[] = { 0, 1024, 8192, 65536, 1048576, 4194304 };

static void __attribute__((noreturn, format(printf, 1, 2))) stop(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("pingpong: ", stderr);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	MPI_Abort(MPI_COMM_WORLD, 1);
	exit(1);
}

/* A lost message would otherwise be waited for without end. */
static void on_alarm(int sig)
{
	static const char text[] = "pingpong: no message for too long, giving up\n";

	(void)sig;
	if (write(2, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

static unsigned char pattern(int seed, int i)
{
	return (unsigned char)(seed * 31 + i * 7 + (i >> 8));
}

static void fill(unsigned char *buf, int bytes, int seed)
{
	for (int i = 0; i < bytes; i++)
		buf[i] = pattern(seed, i);
}

/* The ends carry the trip's number, the middle the batch's pattern. */
static void mark(unsigned char *buf, int bytes, int trip)
{
	if (bytes > 0) {
		buf[0] = (unsigned char)trip;
		buf[bytes - 1] = (unsigned char)trip;
	}
}

static void check_mark(const unsigned char *buf, int bytes, int trip)
{
	if (bytes > 0 && (buf[0] != (unsigned char)trip || buf[bytes - 1] != (unsigned char)trip))
		stop("trip %d of %d bytes brought another message", trip, bytes);
}

static void check_all(const unsigned char *buf, int bytes, int seed)
{
	for (int i = 1; i < bytes - 1; i++)
		if (buf[i] != pattern(seed, i))
			stop("byte %d of %d arrived wrong", i, bytes);
}

static double batch(struct end *e, const struct order *o)
{
	MPI_Status st;
	double t;
	int n;

	fill(e->out, o->bytes, o->seed + e->rank);
	memset(e->in, 0, o->bytes);
	t = MPI_Wtime();
	for (int i = 0; i < o->trips; i++) {
		if (e->rank == 0) {
			mark(e->out, o->bytes, i);
			MPI_Send(e->out, o->bytes, MPI_BYTE, e->peer, TAG_DATA, MPI_COMM_WORLD);
		}
		MPI_Recv(e->in, o->bytes, MPI_BYTE, e->peer, TAG_DATA, MPI_COMM_WORLD, &st);
		check_mark(e->in, o->bytes, i);
		if (e->rank == 1) {
			mark(e->out, o->bytes, i);
			MPI_Send(e->out, o->bytes, MPI_BYTE, e->peer, TAG_DATA, MPI_COMM_WORLD);
		}
	}
	t = MPI_Wtime() - t;
	MPI_Get_count(&st, MPI_BYTE, &n);
	if (n != o->bytes)
		stop("%d bytes arrived of %d", n, o->bytes);
	check_all(e->in, o->bytes, o->seed + e->peer);
	return t / o->trips / 2;
}

static void give_order(const struct order *o)
{
	MPI_Send(o, sizeof(*o), MPI_BYTE, 1, TAG_ORDER, MPI_COMM_WORLD);
}

static double ordered_batch(struct end *e, struct size_result *s, int trips)
{
	static int seed;
	struct order o = { s->bytes, trips, seed = (seed + 2) & 0xffff };

	give_order(&o);
	/* The order must have been taken, or its way counts as the first trip's. */
	MPI_Recv(NULL, 0, MPI_BYTE, 1, TAG_ORDER, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
	return batch(e, &o);
}

/* Warm-up, and from it how many trips fill a batch. The best of some tries, since one
 * disturbed try would cost the size most of its batches. */
static void prepare(struct end *e)
{
	for (int i = 0; i < e->n_sizes; i++) {
		struct size_result *s = &e->results[i];
		double until = MPI_Wtime() + prepare_seconds;

		s->best = ordered_batch(e, s, 2);
		for (int try = 0; try < TRIES && MPI_Wtime() < until; try++) {
			double one_way = ordered_batch(e, s, 3);

			s->best = one_way < s->best ? one_way : s->best;
		}
		s->trips = s->best * 2 * MAX_TRIPS > batch_seconds ? batch_seconds / (s->best * 2) : MAX_TRIPS;
		if (s->trips < 1)
			s->trips = 1;
	}
}

static double longest_batch(const struct end *e)
{
	double longest = 0;

	for (int i = 0; i < e->n_sizes; i++) {
		double t = e->results[i].best * e->results[i].trips;

		longest = t > longest ? t : longest;
	}
	return longest;
}

/* Long messages take the time anyway: meanwhile short ones have more batches a turn. */
static void turn(struct end *e, struct size_result *s, double longest)
{
	double n = longest / (s->best * s->trips);
	int batches = n > MAX_A_TURN ? MAX_A_TURN : n < 1 ? 1 : (int)n;

	for (; batches > 0 && s->n < MAX_BATCHES; batches--) {
		double one_way = ordered_batch(e, s, s->trips);

		s->one_way[s->n++] = one_way;
		s->best = one_way < s->best ? one_way : s->best;
	}
}

static void lead(struct end *e, double seconds)
{
	const struct order end = { -1, 0, 0 };
	double until;
	int turns = 0;

	prepare(e);
	until = MPI_Wtime() + seconds;
	do {
		double longest = longest_batch(e);

		for (int i = 0; i < e->n_sizes; i++)
			turn(e, &e->results[i], longest);
	} while (++turns < MIN_TURNS || MPI_Wtime() < until);
	give_order(&end);
}

static void follow(struct end *e, int max)
{
	struct order o;

	for (;;) {
		MPI_Recv(&o, sizeof(o), MPI_BYTE, 0, TAG_ORDER, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
		if (o.bytes < 0)
			return;
		if (o.bytes > max)
			stop("%d bytes ordered, at most %d expected", o.bytes, max);
		MPI_Send(NULL, 0, MPI_BYTE, 0, TAG_ORDER, MPI_COMM_WORLD);
		batch(e, &o);
	}
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* --- what carried the messages --- */

/* Bytes that this process's own TCP sockets took and brought so far. */
static uint64_t tcp_bytes(void)
{
	uint64_t sum = 0;

	for (int fd = 3; fd < MAX_FD; fd++) {
		struct tcp_info info = { 0 };
		socklen_t len = sizeof(info);

		if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0)
			sum += info.tcpi_bytes_acked + info.tcpi_bytes_received;
	}
	return sum;
}

static uint64_t payload(const struct end *e)
{
	uint64_t sum = 0;

	for (int i = 0; i < e->n_sizes; i++)
		sum += (uint64_t)e->results[i].n * e->results[i].trips * e->results[i].bytes * 2;
	return sum;
}

/* Seen from outside of MPI: the payload went through TCP sockets, or through none. */
static const char *transport_seen(uint64_t tcp, uint64_t expected, bool same_node)
{
	if (expected == 0)
		return "unknown";
	if (tcp >= expected / 10 * 9)
		return "tcp";
	return same_node ? "shared memory" : "no TCP socket";
}

/* What MPI was asked for: a control variable by its name, "" when MPI does not tell. */
static void asked(const char *name, char text[TEXT])
{
	char value[8192] = "";
	MPI_T_cvar_handle handle;
	int index, count;

	*text = '\0';
	if (MPI_T_cvar_get_index(name, &index) != MPI_SUCCESS ||
	    MPI_T_cvar_handle_alloc(index, NULL, &handle, &count) != MPI_SUCCESS)
		return;
	if (count > 0 && (size_t)count < sizeof(value) && MPI_T_cvar_read(handle, value) == MPI_SUCCESS)
		snprintf(text, TEXT, "%.*s", TEXT - 1, value);
	MPI_T_cvar_handle_free(&handle);
}

static void library(char text[TEXT])
{
	char whole[MPI_MAX_LIBRARY_VERSION_STRING] = "";
	int len;

	MPI_Get_library_version(whole, &len);
	snprintf(text, TEXT, "%.*s", (int)strcspn(whole, ",\n"), whole);
}

/* --- output --- */

struct report {
	char mpi[TEXT], pml[TEXT], btl[TEXT];
	char host[2][MPI_MAX_PROCESSOR_NAME];
	int cpu[2];		/* pinned to, or -1 */
	bool same_node, batches;
	const char *seen;
	double seconds;
};

static void json_text(const char *s)
{
	putchar('"');
	for (; *s; s++)
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s >= ' ' && (unsigned char)*s < 127)
			putchar(*s);
	putchar('"');
}

static void json_member(const char *name, const char *text)
{
	printf("\"%s\": ", name);
	json_text(text);
	printf(", ");
}

static double quartile(const struct size_result *s)
{
	return s->one_way[s->n / 4];
}

/* Every batch, for who puts several runs together. */
static void print_batches(const struct size_result *s)
{
	printf(", \"us\": [");
	for (int i = 0; i < s->n; i++)
		printf("%s%.3f", i ? ", " : "", s->one_way[i] * 1e6);
	printf("]");
}

static void print_json(const struct report *r, const struct end *e)
{
	printf("{\"schema\": \"vhpc.pingpong/1\", ");
	json_member("mpi", r->mpi);
	json_member("asked_pml", r->pml);
	json_member("asked_btl", r->btl);
	json_member("transport", r->seen);
	printf("\"same_node\": %s, \"seconds\": %.2f, \"ranks\": [", r->same_node ? "true" : "false", r->seconds);
	for (int i = 0; i < 2; i++) {
		printf("%s{\"host\": ", i ? ", " : "");
		json_text(r->host[i]);
		if (r->cpu[i] >= 0)
			printf(", \"cpu\": %d}", r->cpu[i]);
		else
			printf(", \"cpu\": null}");
	}
	printf("], \"sizes\": [");
	for (int i = 0; i < e->n_sizes; i++) {
		const struct size_result *s = &e->results[i];

		printf("%s{\"bytes\": %d, \"batches\": %d, \"trips\": %d, \"latency_us\": {\"min\": %.3f, \"p25\": %.3f}, "
		       "\"bandwidth_mib_s\": {\"max\": %.2f, \"p75\": %.2f}", i ? ", " : "", s->bytes, s->n, s->trips,
		       s->one_way[0] * 1e6, quartile(s) * 1e6, s->bytes / s->one_way[0] / 1048576,
		       s->bytes / quartile(s) / 1048576);
		if (r->batches)
			print_batches(s);
		printf("}");
	}
	printf("]}\n");
}

static void print_table(const struct report *r, const struct end *e)
{
	printf("%s, %s to %s, transport seen: %s (asked for: pml %s, btl %s)\n", r->mpi, r->host[0], r->host[1],
	       r->seen, *r->pml ? r->pml : "-", *r->btl ? r->btl : "-");
	printf("%10s %8s %12s %12s %14s\n", "BYTES", "BATCHES", "MIN us", "P25 us", "MAX MiB/s");
	for (int i = 0; i < e->n_sizes; i++) {
		const struct size_result *s = &e->results[i];

		printf("%10d %8d %12.2f %12.2f %14.1f\n", s->bytes, s->n, s->one_way[0] * 1e6, quartile(s) * 1e6,
		       s->bytes / s->one_way[0] / 1048576);
	}
}

/* --- set-up --- */

static int pin(const char *cpus, int rank)
{
	const char *at = cpus;
	cpu_set_t set;
	int cpu;

	if (!cpus)
		return -1;
	if (rank == 1 && strchr(at, ','))
		at = strchr(at, ',') + 1;
	cpu = atoi(at);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (cpu < 0 || cpu >= CPU_SETSIZE || sched_setaffinity(0, sizeof(set), &set) < 0)
		stop("cannot run on CPU %d of '%s'", cpu, cpus);
	return cpu;
}

static void usage(FILE *f)
{
	fputs("Usage: pingpong [--quick] [--seconds S] [--max BYTES] [--cpus A,B] [--table] [--batches]\n\n"
	      "MPI ping-pong between two ranks: latency and bandwidth, as one line of JSON.\n\n"
	      "  --quick        fewer sizes, 1 second of measuring\n"
	      "  --seconds S    measure for S seconds (default 5)\n"
	      "  --max BYTES    largest message (default and most: 4194304)\n"
	      "  --cpus A,B     run rank 0 on CPU A and rank 1 on CPU B\n"
	      "  --table        print a table instead of JSON\n"
	      "  --batches      print every batch too\n", f);
}

/* 0, or the exit code to leave with */
static int parse_options(int argc, char **argv, struct options *o, bool *ret_help)
{
	static const struct option options[] = {
		{ "quick", no_argument, NULL, 'q' }, { "seconds", required_argument, NULL, 's' },
		{ "max", required_argument, NULL, 'm' }, { "cpus", required_argument, NULL, 'c' },
		{ "table", no_argument, NULL, 't' }, { "batches", no_argument, NULL, 'b' }, { "help", no_argument, NULL, 'h' }, { 0 }
	};
	int c;

	*o = (struct options){ .max = 4194304 };
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'q': o->quick = true; break;
		case 's': o->seconds = atof(optarg); break;
		case 'm': o->max = atoi(optarg); break;
		case 'c': o->cpus = optarg; break;
		case 't': o->table = true; break;
		case 'b': o->batches = true; break;
		case 'h': *ret_help = true; return 0;
		default: return 2;
		}
	if (o->seconds == 0)
		o->seconds = o->quick ? 1 : 5;
	return optind < argc || o->seconds < 0 || o->seconds > 3600 || o->max < 0 || o->max > 4194304 ? 2 : 0;
}

static void make_end(struct end *e, const struct options *o, int rank)
{
	const int *sizes = o->quick ? quick_sizes : all_sizes;
	int n = o->quick ? sizeof(quick_sizes) / sizeof(*sizes) : sizeof(all_sizes) / sizeof(*sizes);

	*e = (struct end){ .rank = rank, .peer = !rank };
	e->out = malloc(o->max + 1);
	e->in = malloc(o->max + 1);
	e->results = calloc(n, sizeof(*e->results));
	if (!e->out || !e->in || !e->results)
		stop("out of memory");
	for (int i = 0; i < n && sizes[i] <= o->max; i++)
		e->results[e->n_sizes++].bytes = sizes[i];
}

static void gather(struct report *r, const struct options *o, int rank)
{
	char host[MPI_MAX_PROCESSOR_NAME] = "";
	int len, cpu = pin(o->cpus, rank), node_ranks;
	MPI_Comm node;

	MPI_Get_processor_name(host, &len);
	MPI_Gather(host, sizeof(host), MPI_BYTE, r->host, sizeof(host), MPI_BYTE, 0, MPI_COMM_WORLD);
	MPI_Gather(&cpu, 1, MPI_INT, r->cpu, 1, MPI_INT, 0, MPI_COMM_WORLD);
	MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
	MPI_Comm_size(node, &node_ranks);
	MPI_Comm_free(&node);
	r->same_node = node_ranks == 2;
	r->batches = o->batches;
	library(r->mpi);
	asked("pml", r->pml);
	asked("btl", r->btl);
}

static void measure(struct report *r, struct end *e, const struct options *o)
{
	uint64_t before = tcp_bytes();
	double start = MPI_Wtime();

	if (e->rank == 1) {
		follow(e, o->max);
		return;
	}
	lead(e, o->seconds);
	r->seconds = MPI_Wtime() - start;
	r->seen = transport_seen(tcp_bytes() - before, payload(e), r->same_node);
	for (int i = 0; i < e->n_sizes; i++)
		qsort(e->results[i].one_way, e->results[i].n, sizeof(double), by_value);
	(o->table ? print_table : print_json)(r, e);
}

int main(int argc, char **argv)
{
	struct report report = { 0 };
	struct options o;
	struct end e;
	bool help = false;
	int rank, size, level, r = parse_options(argc, argv, &o, &help);

	if (r || help) {
		usage(r ? stderr : stdout);
		return r;
	}
	signal(SIGALRM, on_alarm);
	alarm((unsigned)o.seconds + GRACE_S);
	MPI_Init(&argc, &argv);
	MPI_T_init_thread(MPI_THREAD_SINGLE, &level);
	MPI_Comm_rank(MPI_COMM_WORLD, &rank);
	MPI_Comm_size(MPI_COMM_WORLD, &size);
	if (size != 2)
		stop("%d ranks, but a ping-pong has two", size);
	make_end(&e, &o, rank);
	gather(&report, &o, rank);
	measure(&report, &e, &o);
	MPI_T_finalize();
	MPI_Finalize();
	free(e.out);
	free(e.in);
	free(e.results);
	return 0;
}
