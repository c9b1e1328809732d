# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/interrupted.sh: the store of the cluster that keys.sh left running is lost, and comes back.
kept() { sqlite3 "$VHPC_STATE/store.db" "select kind, key, holder, amount from lease order by 1, 2; select class, name, doc from record where class = 'cluster'"; }
kept >"$T/before"
rm "$VHPC_STATE"/store.db*
for verb in "plan $T/cut.yaml" "apply $T/cut.yaml" "destroy cut" "status cut"; do
	# shellcheck disable=SC2086
	exits 3 "$verb without the store" vhpc cluster $verb && says "vhpc cluster recover" "says what helps"
done
exits 3 "recover while another does" flock "$VHPC_STATE/lock/recover" vhpc cluster recover && says "in use by another" "says so"
check "recover" vhpc cluster recover && says "1 clusters are known again, 2 VMs have their leases" "says what came back"
kept >"$T/after"
check "all leases and the record are as they were" diff "$T/before" "$T/after"
check "recover again" vhpc cluster recover && says "nothing to do" "changes nothing"
# --- where nothing can be written, all can be looked at
kept=$T T=$(mktemp -d)	# what a test writes is in the state directory
mount --bind "$VHPC_STATE" "$VHPC_STATE" && mount -o remount,bind,ro "$VHPC_STATE"
check "list on a read-only file system" vhpc cluster list && says "cut" "the cluster"
check "leases there" vhpc cluster leases && says "vm/cut-1" "its leases"
exits 4 "status there" vhpc cluster status cut && says "running" "its nodes as they are"
check "VMs there" vhpc vm list && says "cut-2" "with the cluster's"
check "plan there" vhpc cluster plan "$kept/cut.yaml"
exits 1 "apply there" vhpc cluster apply "$kept/cut.yaml" && says "the file system is read-only there" "says why it cannot"
umount "$VHPC_STATE"
rm -r "$T"
T=$kept
# --- under another name
T=$(mktemp -d)
mv "$VHPC_STATE" "$VHPC_STATE.moved"
exits 4 "status under another name" vhpc cluster status --state "$VHPC_STATE.moved" cut && says "running" "its nodes run"
check "ssh is told where the key is" grep -qF "$VHPC_STATE.moved/clusters/cut/key" "$VHPC_STATE.moved/clusters/cut/ssh_config"
check "a node's power off" vhpc vm destroy --state "$VHPC_STATE.moved" cut-1
check "and on: its disk is found" vhpc vm start --state "$VHPC_STATE.moved" cut-1
check "destroy" vhpc cluster destroy --state "$VHPC_STATE.moved" cut
mv "$VHPC_STATE.moved" "$VHPC_STATE"
rm -r "$T"
T=$kept
nothing_left "nothing is left of what was recovered"
