# SPDX-License-Identifier: Apache-2.0
# Part of tests/system/define.sh: the state directory while a VM runs: copied, and under another name.
qemu_of() { pgrep -f "guest=$1,"; }
check "start" vhpc vm start near
qemu=$(qemu_of near)

# --- a copy, made with the daemon at rest: it has all that libvirt would go by
daemon=$(pgrep -x libvirtd)
kill "$daemon" && eventually sh -c "! kill -0 $daemon"
copy=$(mktemp -d /var/tmp/vhpc-copy.XXXXXX)
chmod 711 "$copy"
tar -C "$VHPC_STATE" --exclude ./images --exclude ./test -cf - . 2>/dev/null | tar -C "$copy" -xpf -
for verb in "vm list" "vm destroy near" "vm start near" "vm undefine near" "cluster recover"; do
	# shellcheck disable=SC2086
	exits 3 "vhpc $verb of a copy" vhpc $verb --state "$copy" && says "is a copy of $VHPC_STATE" "says so"
done
check "nothing was done to the original's VM" test "$(qemu_of near)" = "$qemu"
check "nor does a daemon run for the copy" sh -c '! pgrep -x libvirtd'
check "the original has it" vhpc vm show near && says "is running" "running"

# --- another name
kept=$T T=$copy/test	# what a test writes is in the state directory, as it is
mkdir "$T"
mv "$VHPC_STATE" "$VHPC_STATE.moved"
check "renamed it is the same" vhpc vm list --state "$VHPC_STATE.moved" && says "running" "with its VM"
exits 3 "the copy is still none" vhpc vm list --state "$copy"
exits 3 "nor is it made one while the VM runs" vhpc cluster recover --state "$copy" && says "VM near: runs, process $qemu" "names it"
check "power off" vhpc vm destroy near --state "$VHPC_STATE.moved"
check "what was restored becomes a directory of its own" vhpc cluster recover --state "$copy"
check "with its VM" vhpc vm undefine near --state "$copy"
check "and on: its files are found" vhpc vm start near --state "$VHPC_STATE.moved"
leased=$(sqlite3 "$VHPC_STATE.moved/store.db" "select count(*) from lease where holder = 'vm/near' and kind = 'cpu'")
check "its leases are where it is now" test "$leased" = 1
check "and nothing was made in the old place" test ! -e "$VHPC_STATE"
mv "$VHPC_STATE.moved" "$VHPC_STATE"
T=$kept
check "back again" vhpc vm check near
check "destroy" vhpc vm destroy near
rm -rf "$copy"
