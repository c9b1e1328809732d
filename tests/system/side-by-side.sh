#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two clusters at once: neither shares a CPU, address or name with the other, and taking
# one away leaves the other as it was. One has its node in a group. The host forwards, and neither reaches the other.
. "$(dirname "$0")/lib.sh"

manifest left "nodes: 1" "vcpus: 1" "memory: 512M"
cat >"$T/right.yaml" <<END
name: right
defaults: {image: mpi, memory: 512M, iothreads: 1}
groups: [{name: all, role: head, count: 1, vcpus: 1, disk: 6G}]
END
manifest third "nodes: 1" "vcpus: $(nproc)" "memory: 512M"

echo 1 >/proc/sys/net/ipv4/ip_forward
vhpc cluster apply --timeout 1200 "$T/left.yaml" >"$T/left.out" 2>&1 & left=$!
vhpc cluster apply --timeout 1200 "$T/right.yaml" >"$T/right.out" 2>&1 & right=$!
if wait $left; then pass "apply of one"; else fail "apply of one" "$(tail -n 3 "$T/left.out")"; fi
if wait $right; then pass "apply of the other, at the same time"; else fail "apply of the other, at the same time" "$(tail -n 3 "$T/right.out")"; fi

check "list" vhpc cluster list --json
says '"images": "mpi"' "with their images"
check "both are listed" test "$(grep -cE '"name": "(left|right)"' "$T/out")" = 2
cidrs=$(sqlite3 "$VHPC_STATE/store.db" "select count(distinct key) from lease where kind = 'subnet';")
cpus=$(sqlite3 "$VHPC_STATE/store.db" "select count(distinct key) || ' ' || count(distinct holder) from lease where kind = 'cpu';")
check "networks of their own" test "$cidrs" = 2
check "CPUs of their own" test "$cpus" = "2 2"
exits 3 "dedicated CPUs that others hold are refused" vhpc cluster apply "$T/third.yaml" && says "dedicated CPUs wanted; node 0 has " "the refusal counts those that are left"

# Whom the QEMU of that cluster runs as, and what such a user may read of a cluster's first node.
node() { if [ "$1" = right ]; then echo right-all-1; else echo "$1-1"; fi; }
qemu_user() { stat -c %u "/proc/$(pgrep -o -f "guest=$(node "$1"),")"; }
reads() { setpriv --reuid "$1" --regid "$(getent group kvm | cut -d: -f3)" --clear-groups head -c 1 "$VHPC_STATE/clusters/$2/$(node "$2")/$3" >/dev/null 2>&1; }
left_user=$(qemu_user left) right_user=$(qemu_user right)
users=$(sqlite3 "$VHPC_STATE/store.db" "select key from lease where kind = 'uid' order by holder;" | tr '\n' ' ')
check "QEMUs run as users of their own" test "$left_user $right_user " = "$users"
check "who have no name here" sh -c "! getent passwd $left_user && ! getent passwd $right_user"
for file in disk.qcow2 identity; do
	check "one may read its own $file" reads "$left_user" left $file
	if reads "$left_user" right $file; then fail "and not the other's" "$file"; else pass "and not the other's"; fi
done

check "what both boot from stays root's" test "$(stat -c %u "$VHPC_STATE"/clusters/left/root.ext4 "$VHPC_STATE"/clusters/right/boot/all/root.ext4 | sort -u)" = 0

# Root of a node, who knows the way: the host of the other network answers nothing, nor does its node.
address() { sed -n 's/^ *HostName //p' "$VHPC_STATE/clusters/$1/ssh_config" | head -n 1; }
from_left() { vhpc cluster ssh --user root left 1 -- "$1"; }
unanswered() {
	from_left "ping -c 1 -W 3 $1" >"$T/out" 2>&1
	if grep -q '100% packet loss' "$T/out"; then pass "$2"; else fail "$2" "$(tail -n 3 "$T/out")"; fi
}
other=$(address right) own_host=$(address left | sed 's/[0-9]*$/1/')
check "a node knows the way to the other network" from_left "ip route add ${other%.*}.0/24 via $own_host && ping -c 1 -W 20 $own_host"
unanswered "${other%.*}.1" "and reaches not its host's address there"
unanswered "$other" "nor its node"

check "a guest may flood its console" from_left "yes flood | head -c 3000000 >/dev/ttyS0"
kept=$(cat "$VHPC_STATE"/clusters/left/left-1/console.log* | wc -c)
if [ "$kept" -gt 500000 ] && [ "$kept" -lt 2200000 ]; then pass "and 2 MiB of it are kept"; else fail "and 2 MiB of it are kept" "$kept bytes are"; fi

nft flush ruleset
exits 4 "status tells of a network that nothing isolates" vhpc cluster status --json left && says '"isolated": false' "by name"
check "apply mends it" vhpc cluster apply "$T/left.yaml" && check "status says so" vhpc cluster status --json left && says '"isolated": true' "by name"
check "and that of the other" vhpc cluster apply "$T/right.yaml"
sed -i 's/vcpus: 1/vcpus: 1, iothreads: 2/' "$T/right.yaml"
exits 3 "a group that is another now" vhpc cluster apply "$T/right.yaml" && says "group all: iothreads is 1, the manifest says 2" "what of it is said"

# The MPI job of one goes on while the other goes away.
timeout 900 mpirun-wrap --cluster right -n 1 sh -c 'echo began; until [ -e go ]; do sleep 0.2; done; hostname' >"$T/job" 2>&1 & job=$!
eventually grep -qx began "$T/job"
check "destroy one" vhpc cluster destroy left
check "a node by its group" vhpc cluster ssh right all-1 touch go
if wait $job && grep -qx right-all-1 "$T/job"; then pass "the other's job goes on"; else fail "the other's job goes on" "$(cat "$T/job")"; fi
check "the other still answers" eventually vhpc cluster status right
check "destroy the other" vhpc cluster destroy right
nothing_left "nothing is left of either"
finish
