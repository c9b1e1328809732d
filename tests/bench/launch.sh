#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What mpirun-wrap costs: on a node a wrapped launch against the bare mpirun of the very same command, by turns, on
# two nodes; the same launch from outside against that and one ssh login; the checks of 16 nodes; and the plan of
# 1,024 nodes with 64 ranks each. Nodes are network namespaces (tests/nodes). ROUNDS (20) turns.
WITHOUT_IMAGE=1
. "$(dirname "$0")/../system/lib.sh"
. tests/nodes
release=$(mpirun --version | sed -n '1s/.*(Open MPI) //p')
nodes farm 16 openmpi "$release"
export VHPC_CLUSTER=farm
config=$VHPC_STATE/clusters/farm/ssh_config
rounds=${ROUNDS:-20}

# ms COMMAND...: milliseconds that it takes; its failure ends the run.
ms() {
	began=$(date +%s%N)
	timeout -k 5 100 "$@" >"$T/out" 2>&1 || { cat "$T/out" >&2; exit 1; }
	echo $((($(date +%s%N) - began) / 1000000))
}
# Of the numbers on standard input: the least, and the lower quartile.
sum() { sort -n | awk '{ v[NR] = $1 } END { print v[1], v[int((NR + 3) / 4)] }'; }

echo "conditions: $(nproc) CPUs ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)), load $(cut -d' ' -f1 /proc/loadavg) before, nodes are network namespaces, $rounds turns, Open MPI $release"

# A turn on a node, as its user: DIR gets what each took, the plan's command with its list in a file being the bare one.
cat >"$T/inside" <<'EOF'
dir=$1
ms() {
	began=$(date +%s%N)
	timeout -k 5 100 "$@" >"$dir/out" 2>&1 || { cat "$dir/out" >&2; exit 1; }
	echo $((($(date +%s%N) - began) / 1000000))
}
set -- -n 4 true
mpirun-wrap --plan=argv "$@" >"$dir/argv"
mpirun-wrap --plan --json "$@" | sed -n 's/^ *"hostfile": "\(.*\)",$/\1/p' | sed 's/\\n/\n/g' >"$dir/hosts"
set --
while IFS= read -r word; do
	case $word in /proc/self/fd/*) word=$dir/hosts ;; esac
	set -- "$@" "$word"
done <"$dir/argv"
ms "$@" >>"$dir/bare"
ms mpirun-wrap -n 4 true >>"$dir/wrapped"
EOF
mkdir -m 1777 "$T/turns"
mpirun-wrap -n 4 true && ssh -F "$config" farm-1 mpirun-wrap -n 4 true </dev/null || exit 1
i=0
while [ $i -lt "$rounds" ]; do
	ssh -F "$config" farm-1 sh "$T/inside" "$T/turns" </dev/null || exit 1
	ms ssh -F "$config" farm-1 true >>"$T/login"
	ms mpirun-wrap -n 4 true >>"$T/outside"
	i=$((i + 1))
done
cp "$T/turns/bare" "$T/turns/wrapped" "$T"
i=0
while [ $i -lt 5 ]; do ms mpirun-wrap --check true >>"$T/checks"; i=$((i + 1)); done

awk 'BEGIN { printf "{\"schema\": \"vhpc.cluster/1\", \"name\": \"big\", \"user\": \"hpc\", \"cidr\": \"10.0.0.0/8\", \"interface\": \"mpi0\", \"accel\": \"kvm\", \"ssh_config\": \"/s/ssh_config\", \"mpi\": {\"name\": \"openmpi\", \"version\": \"4.1.4\"}, \"region\": {\"size\": 67108864}, \"nodes\": ["
	for (i = 0; i < 1024; i++) printf "%s{\"name\": \"big-%d\", \"address\": \"10.0.%d.%d\", \"slots\": 64, \"host\": \"h%d\", \"cells\": [{\"cpus\": \"0-31\", \"l3\": [\"0-7\", \"8-15\", \"16-23\", \"24-31\"]}, {\"cpus\": \"32-63\", \"l3\": [\"32-39\", \"40-47\", \"48-55\", \"56-63\"]}], \"devices\": [{\"name\": \"mlx5_0\", \"link\": \"infiniband\", \"pkey\": \"0x8001\", \"cell\": 1}]}", i ? "," : "", i + 1, i / 256, i % 256, i / 2
	print "]}" }' >"$T/big.json"
i=0
while [ $i -lt 5 ]; do ms mpirun-wrap --cluster "$T/big.json" --plan=argv -n 65536 ./a >>"$T/plans"; i=$((i + 1)); done

{ for what in bare wrapped login outside; do echo $what "$(sum <"$T/$what")"; done; echo checks "$(sum <"$T/checks")"; echo plans "$(sum <"$T/plans")"; } | awk '
	{ m[$1] = $2; q[$1] = $3; printf "%-8s least %6d ms, quartile %6d ms\n", $1, $2, $3 }
	function held(what, ok) { printf "%s %s\n", ok ? "holds:" : "does not hold:", what; if (!ok) bad = 1 }
	function may(bare) { return bare * 0.05 > 50 ? bare * 0.05 : 50 }
	END {
		held(sprintf("a wrapped launch costs at most 5%% or 50 ms more: %d ms (quartile %d ms)", m["wrapped"] - m["bare"], q["wrapped"] - q["bare"]),
		     m["wrapped"] - m["bare"] <= may(m["bare"]) && q["wrapped"] - q["bare"] <= may(q["bare"]))
		held(sprintf("from outside that and an ssh login: %d ms more (quartile %d ms)", m["outside"] - m["bare"] - m["login"], q["outside"] - q["bare"] - q["login"]),
		     m["outside"] - m["bare"] - m["login"] <= may(m["bare"]) && q["outside"] - q["bare"] - q["login"] <= may(q["bare"]))
		held(sprintf("16 nodes are checked in less than a second: %d ms", m["checks"]), m["checks"] < 1000)
		held(sprintf("1,024 nodes with 64 ranks each are planned in less than half a second: %d ms", m["plans"]), m["plans"] < 500)
		exit bad
	}'
