#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What must be refused: clearly, with the right exit code, before anything is changed.
WITHOUT_IMAGE=1
. "$(dirname "$0")/lib.sh"

# An image as far as planning looks at it, so that no image needs to be built for this.
mkdir -p "$VHPC_STATE/images/mpi"
for f in kernel initrd root.ext4; do echo x >"$VHPC_STATE/images/mpi/$f"; done
cp tests/fixtures/image.json "$VHPC_STATE/images/mpi/image.json"

# What it says of itself is not taken on trust.
cp -r "$VHPC_STATE/images/mpi" "$VHPC_STATE/images/liar"
sed -i 's/"user": "hpc"/"user": "hpc\\n  ProxyCommand touch ran"/' "$VHPC_STATE/images/liar/image.json"
printf 'name: liar\nimage: liar\nnodes: 1\nvcpus: 1\nmemory: 512M\n' >"$T/liar.yaml"
exits 3 "an image whose login has two lines" vhpc cluster apply "$T/liar.yaml" && says "member user holds characters" "an image whose login has two lines: says so"
rm -r "$VHPC_STATE/images/liar"

# refused NAME TEXT [KEY: VALUE]...: apply and plan of a manifest exit 3 and say TEXT.
refused() {
	case=$1 text=$2; shift 2
	manifest bad "$@"
	for verb in plan apply; do
		exits 3 "$case: $verb" vhpc cluster $verb "$T/bad.yaml" && says "$text" "$case: $verb says why"
	done
}

cpus=$(nproc) memory=$(awk '/^MemTotal/ { print int($2 / 1048576) + 64 }' /proc/meminfo)

check "a good manifest can be planned" sh -c 'printf "name: good\nimage: mpi\nnodes: 1\nvcpus: 1\nmemory: 512M\n" >'"$T"'/good.yaml; vhpc cluster plan --json '"$T"'/good.yaml'
refused "unknown key" "bad.yaml:4:1: unknown key 'vcpu' (hint: did you mean 'vcpus'?)" "nodes: 1" "vcpu: 1" "memory: 1G"
refused "negative size" "bad.yaml:5:9: " "nodes: 1" "vcpus: 1" "memory: -1G"
refused "absurd size" "bad.yaml:5:9: " "nodes: 1" "vcpus: 1" "memory: 99999999999999999999G"
refused "too small a size" "memory" "nodes: 1" "vcpus: 1" "memory: 1M"
refused "no nodes" "bad.yaml:3:8: " "nodes: 0" "vcpus: 1" "memory: 1G"
refused "more vCPUs than the host has" "$((cpus + 7)) vCPUs" "nodes: 1" "vcpus: $((cpus + 7))" "memory: 512M"
says "$cpus" "more vCPUs than the host has: says how many it has"
refused "more vCPUs than the host has, shared" "$((cpus + 7)) vCPUs" "nodes: 1" "vcpus: $((cpus + 7))" "memory: 512M" "cpu_policy: shared"
refused "more memory than the host has" "$memory GiB" "nodes: 1" "vcpus: 1" "memory: ${memory}G"
refused "more memory than the host has, in all" "GiB" "nodes: 1000" "vcpus: 1" "memory: ${memory}G" "cpu_policy: shared"
refused "a network that is none" "bad.yaml:7:9: " "nodes: 1" "vcpus: 1" "memory: 1G" "network:" "  cidr: 10.1.2.3/24"
refused "a network too small" "addresses wanted" "nodes: 4" "vcpus: 1" "memory: 512M" "cpu_policy: shared" "network:" "  cidr: 10.119.0.0/30"
refused "a network that no host can be in" "unicast" "nodes: 1" "vcpus: 1" "memory: 512M" "network:" "  cidr: 127.0.0.0/8"
ip link add other0 type veth peer name other1 && ip address add 10.99.1.1/24 dev other0 && ip link set other0 up
refused "a network in use" "overlaps 10.99.1.0/24" "nodes: 1" "vcpus: 1" "memory: 512M" "network:" "  cidr: 10.99.0.0/16"
refused "duplicate key" "bad.yaml:4:1: " "nodes: 1" "nodes: 2"
refused "a missing key" "vcpus" "nodes: 1" "memory: 1G"
refused "no YAML" "bad.yaml:4:1: " "nodes: ["

for name in "Two_Nodes" "-x" "../../etc" "a b" "$(printf 'x%.0s' $(seq 70))"; do
	printf 'name: "%s"\nimage: mpi\nnodes: 1\nvcpus: 1\nmemory: 512M\n' "$name" >"$T/name.yaml"
	exits 3 "no host name: '$name'" vhpc cluster apply "$T/name.yaml" && says "name.yaml:1:7: " "no host name: '$name': says where"
done
printf 'name: x\nimage: mpo\nnodes: 1\nvcpus: 1\nmemory: 512M\n' >"$T/image.yaml"
exits 3 "a missing image" vhpc cluster apply "$T/image.yaml" && says "did you mean mpi?" "a missing image: the nearest is named"
bridge=$(vhpc cluster plan --json "$T/good.yaml" | sed -n 's/.*"bridge": "\(.*\)".*/\1/p')
ip link add "$bridge" type bridge
exits 3 "another's bridge" vhpc cluster apply "$T/good.yaml" && says "interface $bridge" "another's bridge: is named"
check "another's bridge stays" ip link delete "$bridge"
exits 3 "a missing manifest" vhpc cluster apply "$T/none.yaml"
exits 3 "status of no cluster" vhpc cluster status nowhere
exits 3 "ssh to no cluster" vhpc cluster ssh nowhere
exits 0 "destroy of no cluster" vhpc cluster destroy nowhere
exits 3 "mpirun-wrap on no cluster" mpirun-wrap --cluster nowhere -n 2 hostname
exits 2 "unknown verb" vhpc cluster aply "$T/good.yaml" && says "did you mean 'apply'?" "unknown verb: the nearest is named"
exits 2 "unknown tool" vhpc clutser && says "did you mean 'cluster'?" "unknown tool: the nearest is named"
exits 2 "a time-out beyond all measure" vhpc cluster apply --timeout 3000000 "$T/good.yaml" && says "at most 86400" "a time-out beyond all measure: says how long it may be"
exits 2 "unknown option" vhpc cluster plan --jsno "$T/good.yaml" && says "did you mean '--json'?" "unknown option: the nearest is named"
exits 3 "a missing VM" vhpc vm start nowhere

# Without rights, before anything is changed. Others may not look into where this is built,
# so the programs go along.
mkdir -m 777 "$T/other"
cp -r "$B/bin" "$T/other/bin"
setpriv --reuid=65534 --regid=65534 --clear-groups cp "$T/good.yaml" "$T/other/good.yaml"
exits 3 "apply without rights" setpriv --reuid=65534 --regid=65534 --clear-groups \
	"$T/other/bin/vhpc" cluster apply --state "$T/other/state" --store "$VHPC_STATE/images" "$T/other/good.yaml" &&
	says "root" "apply without rights: says what lacks"
exits 3 "destroy without rights" setpriv --reuid=65534 --regid=65534 --clear-groups \
	"$T/other/bin/vhpc" cluster destroy --state "$T/other/state" good
if [ -e "$T/other/state" ]; then fail "without rights nothing is made" "$(find "$T/other/state")"; else pass "without rights nothing is made"; fi

# An image build where there is no network (this namespace has none).
printf 'name: other\nsuite: bookworm\npackages: [hello]\n' >"$T/other.yaml"
exits 1 "image build without network" vhpc image build --cache "$T/cache" "$T/other.yaml" &&
	says "archive" "image build without network: says why"
# apt's settings and lists of the suite are no part of an image.
left=$(find "$VHPC_STATE/images" -mindepth 1 -maxdepth 1 ! -name mpi; find "$T/cache" -type f 2>/dev/null | grep -v -e lock -e "^$T/cache/apt/")
if [ -z "$left" ]; then pass "image build without network leaves nothing"; else fail "image build without network leaves nothing" "$left"; fi

nothing_left "refusals leave nothing"
finish
