// SPDX-License-Identifier: Apache-2.0
/* The small kernels that `vhpc validate` runs on the host and in a guest: fused
 * multiply-add and memory triad, one thread. Static, so that the same file runs on both
 * sides; the instructions are chosen by name, so that both sides run the same ones.
 * Prints one line of JSON (docs/formats/validate.md). */
#include <getopt.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MAX_BATCHES = 4096, ACCUMULATORS = 12, MAX_MIB = 1024 };

static const double batch_seconds = 0.02;
static const double fixed_point = 2;	/* of x -> x/2 + 1 */

struct arrays {
	double *a, *b, *c;
	size_t n;		/* doubles in each */
};

struct path {
	const char *name;
	unsigned lanes;
	bool (*here)(void);
	double (*fma)(long rounds);	/* the mean of the accumulators */
	void (*triad)(const struct arrays *m);
};

typedef double vec2 __attribute__((vector_size(16)));
typedef double vec4 __attribute__((vector_size(32)));
typedef double vec8 __attribute__((vector_size(64)));

/* Twelve accumulators hide the latency of a multiply-add on every processor so far. */
#define KERNELS(NAME, TARGET, VEC) \
static double __attribute__((target(TARGET), noinline)) fma_##NAME(long rounds) \
{ \
	const VEC half = (VEC){ 0 } + 0.5, one = (VEC){ 0 } + 1; \
	VEC x0 = one, x1 = one * 2, x2 = one * 3, x3 = one * 4, x4 = one * 5, x5 = one * 6; \
	VEC x6 = one * 7, x7 = one * 8, x8 = one * 9, x9 = one * 10, x10 = one * 11, x11 = one * 12; \
\
	while (rounds-- > 0) { \
		x0 = x0 * half + one; x1 = x1 * half + one; x2 = x2 * half + one; x3 = x3 * half + one; \
		x4 = x4 * half + one; x5 = x5 * half + one; x6 = x6 * half + one; x7 = x7 * half + one; \
		x8 = x8 * half + one; x9 = x9 * half + one; x10 = x10 * half + one; x11 = x11 * half + one; \
	} \
	x0 += x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11; \
	return x0[0] / ACCUMULATORS; \
} \
static void __attribute__((target(TARGET), noinline)) triad_##NAME(const struct arrays *m) \
{ \
	VEC *a = (VEC *)m->a; \
	const VEC *b = (const VEC *)m->b, *c = (const VEC *)m->c, three = (VEC){ 0 } + 3; \
\
	for (size_t i = 0; i < m->n * sizeof(double) / sizeof(VEC); i++) \
		a[i] = b[i] + three * c[i]; \
}

KERNELS(avx512f, "avx512f", vec8)
KERNELS(avx2, "avx2,fma", vec4)
KERNELS(sse2, "sse2", vec2)

static bool has_avx512f(void)
{
	return __builtin_cpu_supports("avx512f");
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_sse2(void)
{
	return __builtin_cpu_supports("sse2");
}

/* The widest first. */
static const struct path paths[] = {
	{ "avx512f", 8, has_avx512f, fma_avx512f, triad_avx512f },
	{ "avx2", 4, has_avx2, fma_avx2, triad_avx2 },
	{ "sse2", 2, has_sse2, fma_sse2, triad_sse2 },
};

enum { N_PATHS = sizeof(paths) / sizeof(*paths) };

struct series {
	double best, quartile;	/* seconds */
	int n;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void sum_up(double *seconds, int n, struct series *ret)
{
	qsort(seconds, n, sizeof(*seconds), by_value);
	*ret = (struct series){ seconds[0], seconds[n / 4], n };
}

static int fail(const char *what)
{
	fprintf(stderr, "vhpc-kernels: %s\n", what);
	return 1;
}

/* --- the kernels; each returns operations (or bytes) a second */

static long calibrate(const struct path *p)
{
	long rounds = 1000;

	for (;;) {
		double t = now();

		p->fma(rounds);
		t = now() - t;
		if (t >= batch_seconds / 2 || rounds > 1L << 40)
			return rounds;
		rounds *= 2;
	}
}

static int run_fma(const struct path *p, double seconds, struct series *ret, double *ret_work)
{
	static double batches[MAX_BATCHES];
	long rounds = calibrate(p);
	double until = now() + seconds;
	int n = 0;

	do {
		double t = now(), x = p->fma(rounds);

		batches[n++] = now() - t;
		if (x < fixed_point - 1e-6 || x > fixed_point + 1e-6)
			return fail("fma: a wrong result");
	} while (n < MAX_BATCHES && (n < 3 || now() < until));
	sum_up(batches, n, ret);
	*ret_work = 2.0 * rounds * p->lanes * ACCUMULATORS;
	return 0;
}

static int map(struct arrays *m, size_t mib)
{
	size_t bytes = mib << 20;
	char *all = mmap(NULL, 3 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED)
		return fail("triad: not enough memory");
	/* The same page size on both sides where it can be had. */
	madvise(all, 3 * bytes, MADV_HUGEPAGE);
	*m = (struct arrays){ (double *)all, (double *)(all + bytes), (double *)(all + 2 * bytes), bytes / sizeof(double) };
	for (size_t i = 0; i < m->n; i++) {
		m->b[i] = (double)(i & 1023);
		m->c[i] = 1;
	}
	return 0;
}

static int run_triad(const struct path *p, double seconds, size_t mib, struct series *ret, double *ret_work)
{
	static double batches[MAX_BATCHES];
	double until;
	struct arrays m;
	int n = 0;

	if (map(&m, mib))
		return 1;
	p->triad(&m);
	until = now() + seconds;
	do {
		double t = now();

		p->triad(&m);
		batches[n++] = now() - t;
	} while (n < MAX_BATCHES && (n < 3 || now() < until));
	for (size_t i = 0; i < m.n; i += 1021)
		if (m.a[i] != (double)(i & 1023) + 3)
			return fail("triad: a wrong result");
	sum_up(batches, n, ret);
	*ret_work = 3.0 * sizeof(double) * m.n;
	return 0;
}

/* --- around them */

struct options {
	const char *path;
	double seconds;
	long cpu;
	size_t mib;
};

static void cpu_model(char *text, size_t len)
{
	char line[512];
	FILE *f = fopen("/proc/cpuinfo", "re");

	snprintf(text, len, "unknown");
	while (f && fgets(line, sizeof(line), f)) {
		char *at = strchr(line, ':');

		if (strncmp(line, "model name", 10) || !at)
			continue;
		at += 1 + strspn(at + 1, " \t");
		at[strcspn(at, "\n\"\\")] = '\0';
		snprintf(text, len, "%s", at);
		break;
	}
	if (f)
		fclose(f);
}

static int print_paths(void)
{
	char model[128];
	const char *comma = "";

	cpu_model(model, sizeof(model));
	printf("{\"schema\": \"vhpc.kernels.paths/1\", \"cpu\": \"%s\", \"cpus\": %ld, \"paths\": [", model,
	       sysconf(_SC_NPROCESSORS_ONLN));
	for (int i = 0; i < N_PATHS; i++)
		if (paths[i].here()) {
			printf("%s\"%s\"", comma, paths[i].name);
			comma = ", ";
		}
	puts("]}");
	return 0;
}

static const struct path *find_path(const char *name)
{
	for (int i = 0; i < N_PATHS; i++)
		if (paths[i].here() && (!name || !strcmp(name, paths[i].name)))
			return &paths[i];
	return NULL;
}

static int pin(long cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return 0;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? fail("cannot run on that CPU") : 0;
}

static int run(const char *kernel, const struct options *o)
{
	const struct path *p = find_path(o->path);
	bool fma = !strcmp(kernel, "fma");
	struct series s = { 0 };
	double work = 0;

	if (!p)
		return fail("this processor lacks those instructions");
	if (pin(o->cpu) || (fma ? run_fma(p, o->seconds, &s, &work) : run_triad(p, o->seconds, o->mib, &s, &work)))
		return 1;
	printf("{\"schema\": \"vhpc.kernels/1\", \"kernel\": \"%s\", \"path\": \"%s\", \"cpu\": %ld, \"batches\": %d, "
	       "\"unit\": \"%s\", \"best\": %.4f, \"p75\": %.4f}\n", kernel, p->name, o->cpu, s.n,
	       fma ? "GFLOP/s" : "GB/s", work / s.best / 1e9, work / s.quartile / 1e9);
	return 0;
}

static int usage(FILE *f, int r)
{
	fputs("Usage: vhpc-kernels paths\n"
	      "       vhpc-kernels fma|triad [--path NAME] [--cpu N] [--seconds S] [--mib N]\n\n"
	      "  --path NAME   instructions to use: avx512f, avx2 or sse2 (default: the widest here)\n"
	      "  --cpu N       run on CPU N\n"
	      "  --seconds S   measure for S seconds (default 1)\n"
	      "  --mib N       triad: size of each of the three arrays (default 32)\n", f);
	return r;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "path", required_argument, NULL, 'p' }, { "cpu", required_argument, NULL, 'c' },
		{ "seconds", required_argument, NULL, 's' }, { "mib", required_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' }, { 0 }
	};
	struct options o = { .seconds = 1, .cpu = -1, .mib = 32 };
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'p': o.path = optarg; break;
		case 'c': o.cpu = atol(optarg); break;
		case 's': o.seconds = atof(optarg); break;
		case 'm': o.mib = strtoul(optarg, NULL, 10); break;
		case 'h': return usage(stdout, 0);
		default: return usage(stderr, 2);
		}
	if (optind != argc - 1 || o.cpu >= CPU_SETSIZE || o.mib < 1 || o.mib > MAX_MIB || !(o.seconds >= 0 && o.seconds <= 3600))
		return usage(stderr, 2);
	if (!strcmp(argv[optind], "paths"))
		return print_paths();
	if (strcmp(argv[optind], "fma") && strcmp(argv[optind], "triad"))
		return usage(stderr, 2);
	return run(argv[optind], &o);
}
