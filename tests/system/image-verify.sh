#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Images prove by booting what they promise: by kernel and initrd, by UEFI firmware and from a
# read-only root; a promise that is not kept is found. Identities by SMBIOS and from a seed.
. "$(dirname "$0")/lib.sh"
store=$VHPC_STATE/images

check "verify, every way" vhpc image verify --json mpi || finish
for boot in direct uefi; do says "\"boot\": \"$boot\"" "it booted by $boot"; done
says '"check": "root grown"' "the root grew with its disk"
says '"check": "mpirun -n 2"' "two ranks ran"
nothing_left "verifying leaves nothing"

# The same image, with another promise: a setting that it does not have.
mkdir -p "$T/store/mpi"
cp -al "$store/mpi/." "$T/store/mpi"
rm "$T/store/mpi/image.json"
sed 's/vm.stat_interval=[0-9]*/vm.stat_interval=7/' "$store/mpi/image.json" >"$T/store/mpi/image.json"
chmod 711 "$T" "$T/store"
exits 3 "an image that does not keep its word" vhpc image verify --store "$T/store" --boot direct mpi
says "vm.stat_interval" "it says which"
exits 3 "a way that the image does not have" vhpc image verify --boot squashfs mpi

# --- a read-only root
sed 's/^name: mpi/name: readonly/; s/^  - uefi.*/  - squashfs/' images/recipes/mpi.yaml >"$T/readonly.yaml"
check "build with a squashfs" vhpc image build "$T/readonly.yaml"
check "verify from a read-only root" vhpc image verify --boot squashfs readonly
vhpc image rm readonly

# --- machines without a cluster around them: what a cloud hands over
ssh-keygen -q -t ed25519 -N '' -f "$T/key"
key=$(cut -d' ' -f1,2 "$T/key.pub")
# boot NAME OPTION...: a VM whose port 22 is 2222 here, until the test ends it.
boot() {
	log=$T/$1.console; shift
	setsid timeout 200 qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024 -display none -monitor none \
		-serial "file:$log" -nic user,model=virtio-net-pci,mac=02:00:00:00:00:07,hostfwd=tcp:127.0.0.1:2222-:22 "$@" \
		>"$T/qemu" 2>&1 &
	qemu=$!
}
in_vm() { ssh -q -i "$T/key" -p 2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o ConnectTimeout=3 hpc@127.0.0.1 "$@"; }
answers() { for _ in $(seq 120); do in_vm true && return 0; kill -0 "$qemu" || return 1; sleep 0.5; done; return 1; }
end() { kill -- "-$qemu" 2>/dev/null; wait "$qemu"; }
cmdline=$(sed -n 's/^ "cmdline": "\(.*\)",/\1/p' "$store/mpi/image.json")
overlay() { qemu-img create -q -f qcow2 -F raw -b "$1" "$2"; }

printf 'hostname by-smbios\nnetwork dhcp\nauthorized %s\n' "$key" >"$T/identity"
printf 'io.systemd.credential.binary:vhpc.identity=%s' "$(base64 -w0 "$T/identity")" >"$T/smbios"
overlay "$store/mpi/root.ext4" "$T/one.qcow2"
boot one -kernel "$store/mpi/kernel" -initrd "$store/mpi/initrd" -append "$cmdline" -drive "if=virtio,file=$T/one.qcow2" \
	-smbios "type=11,path=$T/smbios"
check "a machine with its identity in SMBIOS answers" answers
check "it has its name" sh -c "test \"\$1\" = by-smbios" - "$(in_vm hostname)"
end

check "the UEFI disk" vhpc image export --boot uefi --format raw mpi "$T/disk.raw"
qemu-img create -q -f qcow2 -F raw -b "$T/disk.raw" "$T/two.qcow2" 6G
truncate -s 4M "$T/seed"
mkfs.fat -n CIDATA "$T/seed" >/dev/null
printf 'instance-id: i-1\nlocal-hostname: by-seed\npublic-keys: ["%s"]\n' "$key" >"$T/meta-data"
printf '#cloud-config\nmounts: [[tmpfs, /scratch, tmpfs, size=1M]]\n' >"$T/user-data"
mcopy -i "$T/seed" "$T/meta-data" "$T/user-data" ::
boot two -bios /usr/share/ovmf/OVMF.fd -drive "if=virtio,file=$T/two.qcow2" -drive "if=virtio,format=raw,readonly=on,file=$T/seed"
check "a machine with a NoCloud seed, booted by firmware, answers" answers
check "it has its name" sh -c "test \"\$1\" = by-seed" - "$(in_vm hostname)"
check "and its mount" in_vm grep -q '/scratch tmpfs' /proc/mounts
check "and a disk of its size" sh -c "test \"\$1\" -gt 5500000" - "$(in_vm df --output=size / | tail -n 1)"
end
finish
