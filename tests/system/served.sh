#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A cluster whose homes the host serves, by virtiofs, with real VMs: who sees what there, what root of a node may do, and what becomes
# of it when nodes restart, hang or go.
. "$(dirname "$0")/lib.sh"
example=$T/served.yaml record=$VHPC_STATE/clusters/served disks=$VHPC_STATE/volumes/served
home=$disks/home.served
for user in ada bob; do ssh-keygen -q -t ed25519 -N '' -C "$user" -f "$T/$user.key"; done
cat >"$example" <<'END'
name: served
image: mpi
nodes: 2
vcpus: 1
memory: 512M
cpu_policy: shared
users:
- {name: ada, uid: 2001, keys: [ada.key.pub]}
- {name: bob, uid: 2002, keys: [bob.key.pub]}
volumes:
- {name: home, mount: /home, kind: shared, by: host, size: 64M, keep: yes}
END
on() { n=$1; shift; vhpc cluster ssh --user root served "$n" -- "$*"; }
as() { user=$1 n=$2; shift 2; ssh -F "$record/ssh_config" -o "IdentityFile=$T/$user.key" -l "$user" "served-$n" "$@"; }
there() { nsenter --mount="/proc/$(cat "$VHPC_STATE/libvirt/run/libvirtd.pid")/ns/mnt" "$@"; }
homes() { on "$1" 'stat -c "%U %a %n" /home/* | sort | tr "\n" " "'; }

check "plan" vhpc cluster plan "$example" && says "shared from the host" "who serves it"
check "apply" vhpc cluster apply --timeout 1200 "$example" || finish
for n in 1 2; do
	check "node $n has mounted what the host serves" on $n 'findmnt -no FSTYPE,SOURCE,OPTIONS /home' && says "virtiofs home" "by virtiofs" && says "nosuid,nodev" "without rights"
	check "df shows it, of its size" sh -c 'test "$1" -gt 40000 && test "$1" -lt 65536' - "$(on $n df --output=size /home | tail -n 1)"
	check "who mounts it has not failed" on $n 'systemctl is-active vhpc-mounts.service vhpc-identity.service'
	check "homes are there, each its user's" homes $n && says "ada 700 /home/ada bob 700 /home/bob hpc 7" "and nothing else"
done
check "a user writes on one node" as ada 1 'echo of-ada >kept'
check "and reads it on the other" as ada 2 'stat -c %U kept; cat kept' && says "of-ada" "what is there" && says "ada" "as his"
exits 1 "where another cannot" as bob 2 'cat /home/ada/kept'
check "on the host it is where nodes' files are" there cat "$home/files/ada/kept" && says "of-ada" "of the daemon's mounts"
check "where it is mounted without rights" there findmnt -no OPTIONS "$home" && says "nosuid" "no other user's" && says "nodev" "no devices" && says "noexec" "no programs"
check "and nowhere else" test ! -e "$home/files"
check "root of a node makes what is a setuid file there" on 1 'cp /bin/true /home/su && chmod 4755 /home/su && mknod -m 666 /home/null c 1 3'
check "which is one in the image" there sh -c "stat -c %a%U $home/files/su | grep -qx 4755root && test -c $home/files/null"
exits 126 "which is none on the host" there "$home/files/su"
exits 2 "nor is the other a device" there sh -c ": <$home/files/null"
exits 2 "nobody else of the host's gets there" there setpriv --reuid 65500 --regid 65500 --clear-groups sh -c ": <$home/files/su"
exits 1 "what is full is full in there alone" on 2 'dd if=/dev/zero of=/home/big bs=1M count=80'
check "and takes no more than its size" sh -c 'test "$(stat -c %s "$1")" = 67108864' - "$disks/home.ext4"
check "it is free again" on 1 'rm /home/big /home/su /home/null'

check "stop" vhpc cluster stop served
check "as after the host restarted" there umount "$home"
exits 1 "then a VM does not start by itself" vhpc vm start served-1
mv "$disks/home.ext4" "$T/away"
exits 3 "nor does the cluster without what is to be kept" vhpc cluster start served && says "is gone, which is to be kept" "says so"
mv "$T/away" "$disks/home.ext4"
check "a file where it is to be mounted" touch "$home/hidden"
exits 3 "is not hidden" vhpc cluster start served && says "has files, while nothing is mounted on it" "says so"
rm "$home/hidden"
check "start" vhpc cluster start --timeout 1200 served
check "what was written is there" as ada 2 'cat kept' && says "of-ada" "as it was"
check "applied again there is nothing to do" vhpc cluster plan --detailed-exitcode "$example"
mv "$disks/home.ext4" "$T/away"
exits 3 "apply without what is mounted" vhpc cluster apply "$example" && says "is gone, while it is mounted" "says so"
mv "$T/away" "$disks/home.ext4"

check "destroy" vhpc cluster destroy "$example"
check "what is kept is there, and mounted no more" sh -c 'test -e "$1.ext4" && test ! -e "$1.served" && ! losetup -n -j "$1.ext4" | grep .' - "$disks/home"
sed 's/64M/65M/' "$example" >"$T/larger.yaml"
exits 3 "another size of what was kept" vhpc cluster plan "$T/larger.yaml" && says "is of 64 MiB, the manifest says 65 MiB" "says both"
sed 's/, keep: yes//' "$example" >"$T/lost.yaml"
exits 3 "what was kept, not to be kept" vhpc cluster plan "$T/lost.yaml" && says "an earlier cluster has kept its disk" "says so"
check "a cluster of the name takes it again" vhpc cluster apply --timeout 1200 "$example"
check "with what was written" as ada 1 'cat kept' && says "of-ada" "as it was"
check "destroy it as well" vhpc cluster destroy "$example"
rm -r "$disks"
nothing_left "destroy leaves nothing"
finish
