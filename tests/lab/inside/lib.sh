# SPDX-License-Identifier: Apache-2.0
# Sourced by what the lab's tests run in the node. They print "ok NAME" and "not ok NAME: why".
# What vhpc says is compared with what /sys and ip say: never with vhpc.
T=/root/test
mkdir -p $T
failures=0
eth=0000:11:00.0 ib=0000:21:00.0 nvme=0000:22:00.0
pci=/sys/bus/pci/devices

pass() { echo "ok $1"; }
fail() { echo "not ok $1: $2"; failures=$((failures + 1)); }
finish() { [ $failures = 0 ]; exit; }

# exits CODE NAME COMMAND...
exits() {
	want=$1 name=$2 status=0
	shift 2
	"$@" >$T/out 2>$T/err || status=$?
	if [ $status = "$want" ]; then pass "$name"; return 0; fi
	fail "$name" "exit $status instead of $want of $*: $(cat $T/err $T/out | tail -n 4 | tr '\n' ' ' | cut -c1-500)"
	return 1
}
check() { exits 0 "$@"; }

# says TEXT NAME: the last command's messages or output hold TEXT.
says() {
	if grep -qF -- "$1" $T/err $T/out; then pass "$2"; else fail "$2" "'$1' is not in: $(cat $T/err $T/out | tr '\n' ' ' | cut -c1-500)"; fi
}

# same NAME IS WANTED
same() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "is '$2', not '$3'"; fi; }

netdev() { ls "$pci/$1/net" 2>/dev/null | head -n 1; }
driver() { basename "$(readlink "$pci/$1/driver" || echo none)"; }
# vf PF INDEX: the VF's address
vf() { basename "$(readlink "$pci/$1/virtfn$2")"; }
# line PF INDEX: what ip says of the VF
line() { ip link show dev "$(netdev "$1")" | sed -n "s/^ *vf $2 *//p" | tr -s ' '; }
# has NAME PF INDEX TEXT...: ip says each of the VF
has() {
	name=$1 is=$(line "$2" "$3")
	shift 3
	for text; do
		case $is in *"$text"*) ;; *) fail "$name" "'$text' is not in: $is"; return 1 ;; esac
	done
	pass "$name"
}
# All that a PF's VFs are, for comparing before with after.
state() {
	cat "$pci/$1/sriov_numvfs" "$pci/$1/sriov_drivers_autoprobe"
	[ ! "$(netdev "$1")" ] || ip link show dev "$(netdev "$1")" | grep '^ *vf '
	for link in "$pci/$1"/virtfn*; do
		[ -e "$link" ] || continue
		echo "$(basename "$(readlink "$link")") $(driver "$(basename "$(readlink "$link")")") $(cat "$link/driver_override")"
	done
}
# wanted PF...: what a reboot is to find again; MACs that were drawn are drawn anew.
wanted() { states "$@" >/root/wanted; sync; }
states() { for pf; do state "$pf"; done | sed '/ether 06:/!s/ether [0-9a-f:]*/ether any/'; }
# restored PF...: the unit that ships has made them what they were.
restored() {
	for _ in $(seq 60); do
		[ "$(systemctl is-active vhpc-sriov-restore)" = activating ] || break
		sleep 1
	done
	check "the unit has run" systemctl is-active vhpc-sriov-restore || journalctl --no-pager -u vhpc-sriov-restore
	settle
	states "$@" >$T/is
	if cmp -s /root/wanted $T/is; then pass "all is as it was"; else fail "all is as it was" "$(diff /root/wanted $T/is | tr '\n' ' ')"; fi
}
# refused NAME PF COMMAND...: exit 3, and nothing changed.
refused() {
	of=$2
	state "$of" >$T/before
	name=$1
	shift 2
	exits 3 "$name" "$@" || return 0
	state "$of" >$T/after
	cmp -s $T/before $T/after || fail "$name: nothing changed" "$(diff $T/before $T/after | tr '\n' ' ')"
}
# udev names and binds what appears.
settle() { udevadm settle -t 20; }
