#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Where VMs would go: on this host, on captured ones, and on others over ssh.
WITHOUT_IMAGE=1
. "$(dirname "$0")/lib.sh"

# --- what is said of the hosts in tests/fixtures (VHPC_REFRESH=1 writes tests/fixtures/plans anew)
said() {
	printf '$ vhpc vm %s\n' "$*"
	vhpc vm "$@" 2>&1
	echo "exit $?"
}

all_said() {
	xml=tests/fixtures/$1.xml
	said host --host "$xml"
	said plan --host "$xml" --vcpus 1 --memory 512M --explain
	said plan --host "$xml" --vcpus 6 --memory 24G --cpu-policy 'mixed:^0' --threads isolate --explain
	said plan --host "$xml" --vcpus 24 --memory 100G --page-size large --emulator isolate
	said plan --host "$xml" --numa 6:24G,2:8G --iothreads 2 --device nic-vf:2:required --device nvme
	said plan --host "$xml" --vcpus 8 --memory 32G --pairs 2 --device gpu:2:required --device hca:2 --reserve 0-1 --explain
	said plan --host "$xml" --vcpus 2 --memory 4G --cpu-policy shared --device hca-vf:2:socket --device gpu:3
	said plan --host "$xml" --vcpus 600 --memory 64T
	said plan --host "$xml" --vcpus 1 --memory 300G --explain
}

for host in one-core single-node two-sockets-snc eight-gpus memory-only offline-cpus; do
	all_said $host >"$T/said"
	[ -z "${VHPC_REFRESH:-}" ] || cp "$T/said" tests/fixtures/plans/$host.txt
	check "plans on $host" diff -u tests/fixtures/plans/$host.txt "$T/said"
	check "plans on $host: drawn" vhpc vm plan --host tests/fixtures/$host.xml --memory 512M --svg "$T/$host.svg"
	check "plans on $host: the drawing is XML" xmllint --noout "$T/$host.svg"
done
mkdir "$T/hosts" && cp tests/fixtures/one-core.xml tests/fixtures/single-node.xml "$T/hosts"
exits 3 "no host of several has room" vhpc vm plan --hosts "$T/hosts" --vcpus 12
says "none of 2 hosts can" "no host of several has room: says so"
says "single-node.xml: 12 dedicated CPUs wanted; node 0 has 8 (hint: what would fit: 8 vCPUs)" "no host of several has room: says what the nearest lacks"

# --- a captured host, and a host as it tells of itself, are this one elsewhere
check "this host can be captured" vhpc probe --quiet --capture "$T/here"
check "this host tells of itself" sh -c "vhpc vm host --json >'$T/here.json'"
for host in live here here.json; do
	where=$host
	[ $host = live ] || where=$T/$host
	check "a plan on $host" sh -c "vhpc vm plan --host '$where' --memory 64M --json | sed -n '/\"pins\"/,/\]/p' >'$T/pins'"
	[ $host != live ] || cp "$T/pins" "$T/pins.live"
	check "a plan on $host is that of this host" cmp "$T/pins" "$T/pins.live"
done
rm -rf "$T/here/sys/devices/system/node/"*
exits 3 "a captured host without nodes" vhpc vm plan --host "$T/here" && says "has no node" "a captured host without nodes: says so"
sed 's/"cpus"/"cpu"/' "$T/here.json" >"$T/damaged.json"
exits 3 "a damaged host" vhpc vm plan --host "$T/damaged.json" && says "damaged.json: no nodes or cpus" "a damaged host: says what is wrong"

# --- other hosts over ssh: this one by two names, one without vhpc, one that hangs, one that is not there
mkdir -m 700 "$T/ssh"
ssh-keygen -q -t ed25519 -N '' -f "$T/ssh/key"
dropbearkey -t ed25519 -f "$T/host_key" >/dev/null 2>&1
cp "$T/ssh/key.pub" "$T/ssh/authorized_keys"
# Two answer only when both are asked.
printf '#!/bin/sh\n: >%s/asked.$$\nuntil [ "$(ls %s/asked.* | wc -l)" = 2 ]; do sleep 0.1; done\nexec %s/command\n' "$T" "$T" "$T" >"$T/command-both"
printf '#!/bin/sh\nexport VHPC_STATE=%s\ncase $SSH_ORIGINAL_COMMAND in "vhpc vm host --json") ;; *) exit 99 ;; esac\nexec %s/vhpc vm host --json\n' \
	"$VHPC_STATE" "$B/bin" >"$T/command"
chmod 755 "$T/command" "$T/command-both"
for port in 2201 2202; do
	dropbear -F -E -s -r "$T/host_key" -p 127.0.0.1:$port -c "$T/command" -P "$T/$port.pid" 2>>"$T/dropbear.log" &
done
for port in 2206 2207; do
	dropbear -F -E -s -r "$T/host_key" -p 127.0.0.1:$port -c "$T/command-both" -P "$T/$port.pid" 2>>"$T/dropbear.log" &
done
dropbear -F -E -s -r "$T/host_key" -p 127.0.0.1:2203 -c "exec sh -c 'exec vhpc-is-not-here'" -P "$T/2203.pid" 2>>"$T/dropbear.log" &
dropbear -F -E -s -r "$T/host_key" -p 127.0.0.1:2204 -c "exec sleep 60" -P "$T/2204.pid" 2>>"$T/dropbear.log" &
cat >"$T/ssh/config" <<-EOF
	Host node*
	HostName 127.0.0.1
	User root
	IdentityFile $T/ssh/key
	StrictHostKeyChecking no
	UserKnownHostsFile /dev/null
	LogLevel ERROR
	Host node01
	Port 2201
	Host node02
	Port 2202
	Host node03
	Port 2203
	Host node04
	Port 2204
	Host node05
	Port 2205
	Host node06
	Port 2206
	Host node07
	Port 2207
EOF
home=$(getent passwd root | cut -d: -f6)
mkdir -p "$home/.ssh"
mount --bind "$T/ssh" "$home/.ssh"
eventually ssh node01 vhpc vm host --json

check "a plan over two hosts" vhpc vm plan --hosts 'node[01-02]' --memory 64M --vms 2 --place spread
says "vm-1 on node01" "the first VM goes to the first host"
says "vm-2 on node02" "the second, spread, to the second"
check "they are asked side by side" vhpc vm plan --hosts 'node[06-07]' --timeout 300 --memory 64M
check "a plan in spite of hosts that do not answer" vhpc vm plan --hosts 'node[02-05],node02' --timeout 10 --memory 64M
says "vm on node02" "it goes to the one that does"
says "left out: node03: ssh: exit status 127" "a host without vhpc is named"
says "left out: node04: ssh: not done within 10 s" "a host that hangs is named"
says "left out: node05: ssh: exit status 255: ssh: connect to host 127.0.0.1 port 2205" "a host that is not there is named"
check "the same as JSON" vhpc vm plan --hosts 'node[02,05]' --memory 64M --json --quiet
says '"unreachable"' "JSON names those left out"
exits 3 "no host that answers" vhpc vm plan --hosts 'node05' && says "none of 1 hosts" "no host that answers: says so"
exits 2 "a host list that is none" vhpc vm plan --hosts 'node[01-' && says "--hosts" "a host list that is none: says so"
exits 2 "a time-out without a list" vhpc vm plan --timeout 3
exits 3 "a directory that is none" vhpc vm plan --hosts ./nowhere && says "./nowhere: No such file" "a directory that is none: says so"
for port in 2201 2202 2203 2204 2206 2207; do kill "$(cat "$T/$port.pid")"; done
finish
