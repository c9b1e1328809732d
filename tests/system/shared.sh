#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Homes that the nodes of a cluster share, with real VMs: on a disk of the head's, which another node mounts by its
# kernel alone, without an NFS client of its image's.
MORE_IMAGES="head"
. "$(dirname "$0")/lib.sh"
example=$T/share.yaml record=$VHPC_STATE/clusters/share disks=$VHPC_STATE/volumes/share
ssh-keygen -q -t ed25519 -N '' -C ada -f "$T/ada.key"
cat >"$example" <<EOF
name: share
defaults: {image: mpi, vcpus: 1, memory: 768M, cpu_policy: shared}
groups:
- {name: login, role: head, count: 1, image: head}
- {name: compute, count: 1}
users:
- {name: ada, uid: 2001, keys: [ada.key.pub]}
volumes:
- {name: home, mount: /home, kind: shared, size: 1G, keep: yes}
EOF
on() { node=$1; shift; vhpc cluster ssh --user root share "$node" -- "$*"; }
as_ada() { node=$1; shift; ssh -F "$record/ssh_config" -o "IdentityFile=$T/ada.key" -l ada "share-$node" "$@"; }

sed 's/, image: head//' "$example" >"$T/none.yaml"
exits 3 "a head without an NFS server" vhpc cluster plan "$T/none.yaml" && says "has no nfs-kernel-server" "says so"
check "apply" vhpc cluster apply --timeout 1200 "$example" || finish
check "the other node has mounted it" on compute-1 'findmnt -no FSTYPE,SOURCE,OPTIONS /home' && says "nfs4" "by NFS"
says "vers=4.2" "of version 4"
check "the head has not" on login-1 'findmnt -no FSTYPE /home' && says "ext4" "it has the disk"
check "no unit has failed there" on login-1 'systemctl is-active nfs-server vhpc-mounts; systemctl list-units --failed --no-legend | grep . && exit 1; true'
check "nor here" on compute-1 'systemctl is-active vhpc-mounts; systemctl list-units --failed --no-legend | grep . && exit 1; true'
check "one port serves" on login-1 'ss -Hltn' && says ":2049" "NFS's own"
cp "$T/out" "$T/ports"
check "and not rpcbind's" sh -c "! grep -q ':111 ' '$T/ports'"
check "to the cluster's network alone" on login-1 'exportfs -s' && says "root_squash" "without root"
cp "$T/out" "$T/exports"
check "that network" sh -c "grep -q '^/home *10\.[0-9.]*/24(' '$T/exports' && test \"\$(wc -l <'$T/exports')\" = 1"

check "a user writes into his home" as_ada compute-1 'echo secret >secret; chmod 600 secret; id -u; pwd' && says "/home/ada" "as it is called everywhere"
check "and reads it on the other node" as_ada login-1 'cat secret; stat -c "%U %a" . secret' && says "secret" "what was written"
says "ada 600" "with its owner and mode"
exits 1 "root of another node reads no home" on compute-1 'cat /home/ada/secret'
exits 1 "and makes nothing there" on compute-1 'touch /home/mine'
check "from node to node without a password" as_ada login-1 'ssh share-compute-1 cat secret' && says "secret" "with the same home"
check "the image's user has his home there, too" vhpc cluster ssh share compute-1 'pwd; touch there; stat -c %U there'
# A lock of POSIX: of flock(2) the kernel's NFS server knows nothing.
cat >"$T/lock.pl" <<'EOF'
use Fcntl;
my $lock = pack("s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0);
open(F, ">>", "f") && fcntl(F, F_SETLKW, $lock) or die "$!";
if ($ARGV[0] eq "a") { open(H, ">", "held"); sleep 2; }
syswrite(F, "$ARGV[0]\n");
EOF
check "a program of the user's" as_ada login-1 'cat >lock.pl' <"$T/lock.pl"
check "two write one file at once, with locks" as_ada login-1 'ssh share-compute-1 perl lock.pl a &
	for i in $(seq 300); do [ ! -e held ] || break; sleep 0.2; done
	perl lock.pl b; wait; cat f'
check "one after the other" test "$(tr '\n' ' ' <"$T/out")" = "a b "

check "stop of all" vhpc cluster stop --timeout 300 share
check "start of all" vhpc cluster start --timeout 1200 share
check "homes are there again" as_ada compute-1 'cat secret' && says "secret" "as they were"
check "stop of the head alone" vhpc cluster stop --timeout 300 share login-1
check "start of it" vhpc cluster start --timeout 1200 share login-1
check "the other node goes on" as_ada compute-1 'cat secret; echo more >>secret' && says "secret" "with what it had"

check "destroy" vhpc cluster destroy "$example" && says "the volumes that it keeps" "keeps the homes"
check "one disk" test "$(find "$disks" -type f | wc -l)" = 1
rm -r "$disks"
nothing_left "nothing else is left"
finish
