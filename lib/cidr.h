// SPDX-License-Identifier: Apache-2.0
/* IPv4 addresses and networks, as values. */
#ifndef VH_CIDR_H
#define VH_CIDR_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/err.h"

/* An IPv4 network: "10.119.0.0/24". */
struct vh_cidr {
	uint32_t base;		/* host byte order, host bits zero */
	unsigned prefix;	/* 8..30; any in vh_net_in_use */
};

/* -EINVAL unless text is a network (host bits zero, prefix 8..30, private or otherwise unicast). */
int vh_cidr_parse(const char *text, struct vh_cidr *ret, struct vh_err *err);
/* Usable addresses but network and broadcast. */
uint32_t vh_cidr_hosts(const struct vh_cidr *net);
bool vh_cidr_overlap(const struct vh_cidr *a, const struct vh_cidr *b);
/* Host number n (1 = first) as "a.b.c.d"; buf of 16 bytes; returns buf. */
const char *vh_cidr_host(const struct vh_cidr *net, uint32_t n, char buf[16]);
/* "a.b.c.d/p", buf of 19 bytes; returns buf. */
const char *vh_cidr_format(const struct vh_cidr *net, char buf[19]);
/* The network that an address of this prefix is in. */
struct vh_cidr vh_cidr_of(uint32_t addr, unsigned prefix);
/* "a.b.c.d/p", a host's address within its network; host byte order. */
int vh_host_address_parse(const char *text, uint32_t *ret_addr, unsigned *ret_prefix, struct vh_err *err);

#endif
