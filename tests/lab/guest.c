// SPDX-License-Identifier: Apache-2.0
/* The whole of the VM inside the lab's node: pings the PF over its VF, reads from its NVMe VF,
 * says what it got on the console, and waits to be stopped. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { TRIES = 120, BLOCK = 512 };

static int find_interface(char name[IFNAMSIZ])
{
	DIR *dir = opendir("/sys/class/net");
	struct dirent *e;
	int found = 0;

	while (dir && !found && (e = readdir(dir)))
		if (e->d_name[0] != '.' && strcmp(e->d_name, "lo")) {
			snprintf(name, IFNAMSIZ, "%.15s", e->d_name);
			found = 1;
		}
	if (dir)
		closedir(dir);
	return found;
}

static int bring_up(const char *name, const char *address)
{
	struct sockaddr_in *to;
	struct ifreq req = { 0 };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	snprintf(req.ifr_name, IFNAMSIZ, "%s", name);
	to = (struct sockaddr_in *)&req.ifr_addr;
	to->sin_family = AF_INET;
	inet_pton(AF_INET, address, &to->sin_addr);
	r = ioctl(s, SIOCSIFADDR, &req);
	req.ifr_flags = IFF_UP | IFF_RUNNING;
	if (r == 0)
		r = ioctl(s, SIOCSIFFLAGS, &req);
	close(s);
	return r;
}

static unsigned short checksum(const void *data, size_t n)
{
	const unsigned char *p = data;
	unsigned sum = 0;

	for (size_t i = 0; i < n; i += 2)
		sum += p[i] << 8 | p[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	return htons(~(sum + (sum >> 16)) & 0xffff);
}

/* Whether an answer to request number seq comes within a second. */
static int answered(int s, int seq)
{
	unsigned char buf[256];
	ssize_t n;

	while ((n = recv(s, buf, sizeof(buf), 0)) >= 28) {
		const struct icmphdr *reply = (const void *)(buf + 20);

		if (reply->type == ICMP_ECHOREPLY && reply->un.echo.sequence == htons(seq))
			return 1;
	}
	return 0;
}

static void ping(const char *address)
{
	const struct timeval second = { .tv_sec = 1 };
	struct sockaddr_in to = { .sin_family = AF_INET };
	int s = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

	inet_pton(AF_INET, address, &to.sin_addr);
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	for (int seq = 1; seq <= TRIES; seq++) {
		struct icmphdr echo = { .type = ICMP_ECHO, .un.echo = { .id = htons(1), .sequence = htons(seq) } };

		echo.checksum = checksum(&echo, sizeof(echo));
		if (sendto(s, &echo, sizeof(echo), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			sleep(1);
		else if (answered(s, seq)) {
			printf("lab-guest: %s answers\n", address);
			return;
		}
	}
	printf("lab-guest: %s does not answer\n", address);
}

static void network(void)
{
	char name[IFNAMSIZ];

	for (int i = 0; !find_interface(name); i++) {
		if (i == TRIES) {
			printf("lab-guest: no network device\n");
			return;
		}
		sleep(1);
	}
	printf("lab-guest: has %s\n", name);
	if (bring_up(name, "192.0.2.2") < 0)
		perror("lab-guest: its address");
	else
		ping("192.0.2.1");
}

static void storage(void)
{
	char block[BLOCK + 1] = "";
	int fd = -1;

	for (int i = 0; i < TRIES && fd < 0; i++)
		if ((fd = open("/dev/nvme0n1", O_RDONLY | O_CLOEXEC)) < 0)
			sleep(1);
	if (fd < 0 || read(fd, block, BLOCK) != BLOCK)
		perror("lab-guest: /dev/nvme0n1");
	else
		printf("lab-guest: read %.40s\n", block);
}

int main(void)
{
	char line[256] = "";
	int fd;

	setvbuf(stdout, NULL, _IOLBF, 0);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	printf("lab-guest: up\n");
	fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, line, sizeof(line) - 1) > 0 && strstr(line, "lab=network"))
		network();
	if (strstr(line, "lab=storage"))
		storage();
	printf("lab-guest: done\n");
	for (;;)
		pause();
}
