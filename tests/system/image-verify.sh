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

interrupted=0
timeout -s INT 8 vhpc image verify --quiet mpi >"$T/out" 2>"$T/err"  || interrupted=$?
says "ended by Interrupt" "an interrupted one says so"
check "and was under way" test $interrupted = 124
nothing_left "an interrupted one leaves nothing"
exits 3 "a way that the image does not have" vhpc image verify --boot squashfs mpi

# --- a read-only root, with every kind of key; and then with other promises in its image.json
cp images/recipes/*.yaml "$T/"
sed 's/^name: mpi/name: readonly/; s/^  - uefi.*/&\n  - squashfs/' images/recipes/mpi.yaml >"$T/readonly.yaml"
cat >>"$T/readonly.yaml" <<END
  - path: /etc/systemd/system/own.service
    content: "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n"
  - {path: /etc/own, mode: "0640", owner: "ada:daemon", content: x}
users: [{name: ada, shell: /bin/sh, groups: [video], keys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJGC3bWvzR8a1b9Cq0Cq0Cq0Cq0Cq0Cq0Cq0Cq0Cq0Cq ada"]}]
enable: [own.service]
modules: [overlay, br_netfilter]
mitigations: off
console_login: yes
END
check "build with a squashfs" vhpc image build --store "$T/store" "$T/readonly.yaml"
chmod 711 "$T" "$T/store"
sed 's/vm.stat_interval=[0-9]*/vm.stat_interval=7/; s/"ada:daemon"/"ada:ada"/; s/"br_netfilter"/"nonsense"/' "$T/store/readonly/image.json" >"$T/image.json"
mv "$T/image.json" "$T/store/readonly/image.json"
exits 3 "an image that does not keep its word, from a read-only root" vhpc image verify --json --store "$T/store" --boot squashfs readonly
asked=$(sed -n 's/.*"check": "\(.*\)".*/\1/p' "$T/out" | grep -cxE 'unit own.service|user ada|groups of ada|keys of ada|mitigations|console_login')
broken=$(sed -n '/"check":/h; /"verdict": "wrong"/ { g; s/.*"check": "\(.*\)".*/\1/p }' "$T/out" | tr '\n' ,)
check "all but those holds ($broken)" test "$broken" = "sysctl vm.stat_interval,modules loaded,file /etc/own,"
check "it was asked for the other keys" test "$asked" = 6
rm -r "$T/store"

# --- machines without a cluster around them: what a cloud hands over
ssh-keygen -q -t ed25519 -N '' -f "$T/key"
key=$(cut -d' ' -f1,2 "$T/key.pub")
# boot NAME PORT OPTION...: a VM whose port 22 is PORT here, until the test ends it.
boot() {
	name=$1 port=$2; shift 2
	timeout 2400 qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024 -display none -monitor none \
		-serial "file:$T/$name.console" -nic "user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:$port-:22" "$@" &
	pids="${pids:-} $!"
}
in_vm() { port=$1; shift; ssh -q -i "$T/key" -p "$port" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes -o ConnectTimeout=10 hpc@127.0.0.1 "$@"; }
answers() { eventually in_vm "$1" true; }
named() { test "$(in_vm "$1" hostname)" = "$2"; }
cmdline="no_timer_check $(sed -n 's/^ "cmdline": "\(.*\)",/\1/p' "$store/mpi/image.json")"
overlay() { qemu-img create -q -f qcow2 -F raw -b "$1" "$2"; }

printf 'hostname by-smbios\nnetwork dhcp\nauthorized %s\n' "$key" >"$T/identity"
printf 'io.systemd.credential.binary:vhpc.identity=%s' "$(base64 -w0 "$T/identity")" >"$T/smbios"
overlay "$store/mpi/root.ext4" "$T/one.qcow2"
boot one 2221 -kernel "$store/mpi/kernel" -initrd "$store/mpi/initrd" -append "$cmdline" -drive "if=virtio,file=$T/one.qcow2" \
	-smbios "type=11,path=$T/smbios"
check "the UEFI disk" vhpc image export --boot uefi --format raw mpi "$T/disk.raw"
qemu-img create -q -f qcow2 -F raw -b "$T/disk.raw" "$T/two.qcow2" 6G
# As Nova makes it, and attaches it where hw_cdrom_bus is scsi.
latest=$T/drive/openstack/latest
mkdir -p "$latest"
printf '{"uuid": "u-1", "hostname": "by-drive.example.org", "public_keys": {"k": "%s"}}' "$key" >"$latest/meta_data.json"
cat >"$latest/network_data.json" <<'END'
{"links": [{"id": "l", "type": "phy", "ethernet_mac_address": "52:54:00:12:34:56"}], "services": [{"type": "dns", "address": "10.0.2.3"}],
 "networks": [{"id": "n", "link": "l", "type": "ipv4", "ip_address": "10.0.2.15", "netmask": "255.255.255.0",
   "routes": [{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.0.2.2"}]}]}
END
printf '#cloud-config\nmounts: [[tmpfs, /scratch, tmpfs, size=1M]]\n' >"$latest/user_data"
genisoimage -quiet -o "$T/drive.iso" -ldots -allow-lowercase -allow-multidot -l -publisher vhpc -J -r -V config-2 "$T/drive"
boot two 2222 -bios /usr/share/ovmf/OVMF.fd -drive "if=virtio,file=$T/two.qcow2" \
	-device virtio-scsi-pci -drive "if=none,id=cd,media=cdrom,format=raw,readonly=on,file=$T/drive.iso" -device scsi-cd,drive=cd
truncate -s 4M "$T/seed"
mkfs.fat -n CIDATA "$T/seed" >/dev/null
printf 'instance-id: i-1\nlocal-hostname: by-seed\npublic-keys: ["%s"]\n' "$key" >"$T/meta-data"
: >"$T/user-data"
mcopy -i "$T/seed" "$T/meta-data" "$T/user-data" ::
overlay "$store/mpi/root.ext4" "$T/three.qcow2"
boot three 2223 -kernel "$store/mpi/kernel" -initrd "$store/mpi/initrd" -append "$cmdline" -drive "if=virtio,file=$T/three.qcow2" \
	-drive "if=virtio,format=raw,readonly=on,file=$T/seed"

check "a machine with its identity in SMBIOS answers" answers 2221
check "it has its name" named 2221 by-smbios
check "a machine with a ConfigDrive, booted by firmware, answers" answers 2222
check "it has its name" named 2222 by-drive
check "and its address" in_vm 2222 "ip -4 -o addr show net0 | grep -q 10.0.2.15/24 && grep -q 10.0.2.3 /etc/resolv.conf"
check "and its mount" in_vm 2222 grep -q '/scratch tmpfs' /proc/mounts
check "and a disk of its size" sh -c "test \"\$1\" -gt 5500000" - "$(in_vm 2222 df --output=size / | tail -n 1)"
check "a machine with a NoCloud seed answers" answers 2223
check "it has its name" named 2223 by-seed
check "and a host key of its own" in_vm 2223 test -s /etc/ssh/ssh_host_ed25519_key.pub
# shellcheck disable=SC2086
kill $pids
finish
