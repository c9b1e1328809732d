#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What memory shared between VMs is worth: the same ping-pong between two VMs of one CPU over
# it and over TCP, and between two ranks of one VM of two CPUs over vader without single copy,
# taking turns in one run. Prints the conditions, the figures, and whether what is promised
# holds. ROUNDS (12) turns of SECONDS_A_TURN (2): of many short turns some are left alone by others.
. "$(dirname "$0")/../system/lib.sh"
manifest two "nodes: 2" "vcpus: 1" "memory: 768M" "cpu_policy: shared"
manifest one "nodes: 1" "vcpus: 2" "memory: 1G" "cpu_policy: shared"
trap 'vhpc cluster destroy --quiet two; vhpc cluster destroy --quiet one' EXIT
for c in two one; do vhpc cluster apply --quiet "$T/$c.yaml" || exit 1; done
for node in two-1 two-2 one-1; do
	scp -q -F "$VHPC_STATE/clusters/${node%-*}/ssh_config" "$B/bench/pingpong" "$node:" || exit 1
done
record=$VHPC_STATE/clusters/two

pingpong() { cluster=$1; shift; timeout -k 10 300 mpirun-wrap --cluster "$cluster" -n 2 "$@" ./pingpong --seconds "${SECONDS_A_TURN:-2}" 2>>"$T/err"; }
round() {
	pingpong two >>"$T/ivshm"
	pingpong one --mca btl_vader_single_copy_mechanism none >>"$T/vader"
	pingpong two --mca btl self,tcp >>"$T/tcp"
}

load=$(cut -d' ' -f1 /proc/loadavg)
i=0
while [ $i -lt "${ROUNDS:-12}" ]; do round; i=$((i + 1)); done

echo "conditions: $(sed -n 's/.*"accel": "\([a-z]*\)".*/\1/p' "$record/cluster.json"), $(nproc) CPUs ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)), load $load before, two VMs of one vCPU against one of two, ${ROUNDS:-12} turns, $(mpirun --version | sed -n '1s/.*(Open MPI) /Open MPI /p')"
for how in ivshm vader tcp; do echo "$how went by: $(sed -n 's/.*"transport": "\([^"]*\)".*/\1/p' "$T/$how" | sort -u | tr '\n' ' ')"; done

# A line a size: transport, bytes, the least latency and the least lower quartile of all turns.
for how in ivshm vader tcp; do
	tr '{' '\n' <"$T/$how" | sed -n 's/^"bytes": \([0-9]*\),.*/\1/p; s/^"min": \([0-9.]*\), "p25": \([0-9.]*\).*/ \1 \2/p' |
		paste - - | awk -v how="$how" '{ if (!($1 in m) || $2 < m[$1]) m[$1] = $2; if (!($1 in q) || $3 < q[$1]) q[$1] = $3 }
			END { for (b in m) print how, b, m[b], q[b] }'
done | awk '
	{ m[$1, $2] = $3; q[$1, $2] = $4; size[$2] = 1 }
	function held(what, ok) { printf "%s %s\n", ok ? "holds:" : "does not hold:", what; if (!ok) bad = 1 }
	END {
		printf "%10s %12s %12s %12s %12s %12s %12s %9s %9s\n", "BYTES", "ivshm min", "p25", "vader min", "p25", "tcp min", "p25", "of vader", "tcp/ours"
		for (b = 0; b <= 4194304; b++) if (b in size) {
			i = m["ivshm", b]; v = m["vader", b]; t = m["tcp", b]; qi = q["ivshm", b]; qv = q["vader", b]; qt = q["tcp", b]
			if (!i || !v || !t) { missing = 1; continue }
			printf "%10d %12.2f %12.2f %12.2f %12.2f %12.2f %12.2f %9.2f %9.0f\n", b, i, qi, v, qv, t, qt, i / v, t / i
			if (b <= 1024) {
				if (!far || t / i < far) far = t / i
				if (!qfar || qt / qi < qfar) qfar = qt / qi
				if (i / v > near) near = i / v
				if (qi / qv > qnear) qnear = qi / qv
			}
			if (b >= 65536 && (!wide || v / i < wide)) wide = v / i
			if (!least || t / i < least) least = t / i
		}
		held(sprintf("to 1 KiB TCP takes 100 times as long: %.0f (quartile %.0f) times", far, qfar), far >= 100 && qfar >= 100)
		held(sprintf("to 1 KiB no slower than vader in one VM: %.2f (quartile %.2f) of its time", near, qnear), near <= 1 && qnear <= 1)
		held(sprintf("from 64 KiB 0.9 of the bandwidth of vader: %.2f", wide), wide >= 0.9)
		held(sprintf("never slower than TCP: %.1f times as fast", least), least >= 1)
		if (missing) held("every size was measured", 0)
		exit bad
	}'
