#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Images into a cloud: Debian's own Keystone and Glance, on loopback. What is sent is what is there;
# sent again, nothing is; whatever breaks on the way, nothing half-made stays; no secret is told.
PREPARE=tests/cloud/prepare
. "$(dirname "$0")/lib.sh"
cloud=$VHPC_STATE/cloud
export no_proxy='*'

# --- the cloud, and a proxy before its Glance that misbehaves when told
in_root() { tests/lab/in-root "$VHPC_STATE/openstack" "$cloud" python3 "$@"; }
up() {	# NAME
	check "$1 is up" eventually test -e "$cloud/$1.up" || { tail -n 5 "$cloud"/*.err; finish; }
}
mode() { echo "$1" >"$cloud/mode"; }
in_root serve.py keystone 5000 2>"$cloud/keystone.err" &
in_root serve.py glance 9292 2>"$cloud/glance.err" &
in_root proxy.py 9393 9443 9292 2>"$cloud/proxy.err" &

cat >"$T/clouds.yaml" <<EOF
clouds:
  site:
    region_name: RegionOne
    auth: {auth_url: "http://127.0.0.1:5000", username: builder, project_name: hpc}
  proxied:
    interface: internal
    auth: {auth_url: "http://127.0.0.1:5000/v3", username: builder, project_name: hpc}
  tls:
    image_endpoint_override: https://127.0.0.1:9443
    auth: {auth_url: "http://127.0.0.1:5000", username: builder, project_name: hpc}
  robot:
    auth_type: v3applicationcredential
    region_name: RegionOne
    auth: {auth_url: "http://127.0.0.1:5000", application_credential_id: $(cat "$cloud/credential.id")}
  anywhere:
    auth: {auth_url: "http://127.0.0.1:5000", username: builder, project_name: hpc}
  stranger:
    auth: {auth_url: "http://127.0.0.1:5000", username: builder, project_name: hpc, password: secret-of-nobody}
  nowhere:
    auth: {auth_url: "http://127.0.0.1:9", username: builder, project_name: hpc, password: secret-of-builder}
EOF
{
	echo "clouds:"
	for name in site proxied tls anywhere; do echo "  $name: {auth: {password: secret-of-builder}}"; done
	echo "  robot: {auth: {application_credential_secret: secret-of-robot}}"
} >"$T/secure.yaml"
export OS_CLIENT_CONFIG_FILE="$T/clouds.yaml"

# Images made up, where bytes are all that counts: of half a MiB that does not compress away.
made_up() {	# STORE SEED
	mkdir -p "$T/$1/tiny"
	printf '{"schema": "vhpc.image/1", "name": "tiny", "digest": "%064d", "suite": "bookworm", "kernel": {"package": "k", "version": "6.1"},
		"cmdline": "root=/dev/vda", "user": "hpc", "mpi": {"name": "openmpi", "version": "4"},
		"root": {"type": "ext4", "uuid": "01234567-89ab-4def-8123-456789abcdef", "size": 1073741824}}' "$2" >"$T/$1/tiny/image.json"
	echo "a kernel" >"$T/$1/tiny/kernel"
	echo "initrd $2" >"$T/$1/tiny/initrd"
	awk -v seed="$2" 'BEGIN { srand(seed); for (i = 0; i < 73000; i++) printf "%07d", rand() * 9999999 }' >"$T/$1/tiny/root.ext4"
	truncate -s 511488 "$T/$1/tiny/root.ext4"
}
made_up one 1
made_up two 2

publish() {
	rc=0
	vhpc image publish "$@" >"$T/stdout" 2>"$T/stderr" || rc=$?
	cat "$T/stdout" "$T/stderr" >>"$T/said"
	cat "$T/stdout"
	cat "$T/stderr" >&2
	return $rc
}
sql() { sqlite3 -cmd '.timeout 60000' -separator ' ' "$cloud/glance.db" "$1"; }	# Glance may be writing to it
there() { sql "select name, status, id from images where deleted = 0 order by name, id;"; }
id_of() { sql "select id from images where deleted = 0 and name = '$1';"; }
property() { sql "select value from image_properties where image_id = '$(id_of "$1")' and name = '$2' and deleted = 0;"; }
sent() { grep -c '^PUT' "$cloud/proxied"; }
# unchanged NAME: Glance has what it had when "had" was noted.
unchanged() { if [ "$(there)" = "$had" ]; then pass "$1"; else fail "$1" "it had: $had; it has: $(there)"; fi; }
one_each() { same "$1" "$(there | cut -d' ' -f1,2 | tr '\n' ' ')" "tiny active tiny-initrd active tiny-kernel active "; }
same() { if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "'$2' is not '$3'"; fi; }

up keystone
up glance
up proxy

# --- who, and where
exits 1 "a wrong password" publish --store "$T/one" --cloud stranger tiny && says "POST http://127.0.0.1:5000/v3/auth/tokens: 401: The request you have made requires authentication." "it names the service, the code and what it says"
exits 1 "no Keystone" publish --store "$T/one" --cloud nowhere tiny && says "port 9" "it says so"
exits 3 "an unknown cloud" publish --store "$T/one" --cloud proxid tiny && says "did you mean proxied?" "it is told the near one"
exits 3 "a region left open" publish --store "$T/one" --cloud anywhere tiny && says "OS_REGION_NAME" "it is asked for"
check "a region by its variable" env OS_REGION_NAME=RegionOne vhpc image publish --quiet --dry-run --store "$T/one" --cloud anywhere tiny
check "an application credential" publish --dry-run --store "$T/one" --cloud robot tiny
check "variables alone" env OS_AUTH_URL=http://127.0.0.1:5000 OS_TOKEN="$(in_root login.py)" OS_PROJECT_NAME=hpc OS_REGION_NAME=RegionOne \
	vhpc image publish --quiet --dry-run --store "$T/one" tiny
exits 2 "nowhere to publish to" publish --store "$T/one" tiny
exits 2 "a directory and a cloud" publish --store "$T/one" --cloud site tiny "$T/dir"
exits 1 "an unknown authority" publish --dry-run --store "$T/one" --cloud tls tiny && says "OS_CACERT" "it is told how to name one"
exits 1 "another authority" env OS_CACERT="$cloud/stranger.pem" vhpc image publish --dry-run --store "$T/one" --cloud tls tiny
check "the right authority" env OS_CACERT="$cloud/authority.pem" vhpc image publish --dry-run --store "$T/one" --cloud tls tiny
same "nothing was made by all this" "$(there)" ""

# --- kernel, initrd and disk
check "published" publish --store "$T/one" --cloud proxied tiny
same "it prints the disk's id" "$(cat "$T/out")" "$(id_of tiny)"
one_each "all are active"
same "the disk names its kernel" "$(property tiny kernel_id)" "$(id_of tiny-kernel)"
same "and its command line" "$(property tiny os_command_line)" "root=/dev/vda"
check "its bytes are there" cmp "$cloud/images/$(id_of tiny-initrd)" "$T/one/tiny/initrd"
check "and those of its disk" qemu-img compare -f qcow2 -F raw "$cloud/images/$(id_of tiny)" "$T/one/tiny/root.ext4"
had=$(there) before=$(sent)
check "published again" publish --json --store "$T/one" --cloud proxied tiny && says '"action": "there"' "it is there"
unchanged "nothing was changed by it"
same "and nothing sent" "$(sent)" "$before"
exits 3 "another image of that name" publish --store "$T/two" --cloud proxied tiny && says "$(id_of tiny-initrd)" "it is named"
unchanged "it stays"
check "what would replace it" publish --dry-run --replace --store "$T/two" --cloud proxied tiny && says "$(id_of tiny)" "tells what goes"
unchanged "and changes nothing"

# cut_short SIGNAL STORE: a publication gets that signal in the middle of its disk: after the initrd, slow.
at_disk() { [ "$(sent)" -ge $((before + 2)) ]; }
cut_short() {
	before=$(sent)
	mode slow
	vhpc image publish --replace --store "$T/$2" --cloud proxied tiny >"$T/out" 2>"$T/err" &
	eventually at_disk
	kill -"$1" $!
	wait $!
}
# Glance has seen that its client is dead.
is_calm() { ! there | grep -q saving; }

# --- what can go wrong on the way: what was there stays, and nothing more
breaks() {	# CODE MODE SAYS [OPTION...]
	code=$1 case=$2 text=$3; shift 3
	mode "$case"
	exits "$code" "$case" publish "$@" --replace --store "$T/two" --cloud proxied tiny && says "$text" "$case: says so"
	mode pass
	unchanged "$case: leaves nothing"
}
breaks 1 cut "/file: "
breaks 1 corrupt "Glance has other bytes than were sent"
breaks 1 413 "413 No No, says the proxy: too much (hint: Glance's limit"
breaks 1 503 "503"
breaks 1 stall "nothing moved for" --timeout 1	# 10 s once all is in the buffers
breaks 1 long "longer than 16 MiB"
breaks 1 redirect "no redirection is followed"
check "no token went elsewhere" test ! -e "$cloud/stolen"
exits 1 "a visibility that is not for members" publish --visibility public --replace --store "$T/two" --cloud proxied tiny && says "403" "the code is told"
unchanged "it leaves nothing"
cut_short INT two
says "interrupted" "an interrupted one says so"
mode pass
unchanged "an interrupted one leaves nothing"
same "nor a file" "$(find "$VHPC_STATE" -maxdepth 1 -name '.publish*')" ""

# --- what has to be done again
mode keep
exits 4 "an old image that is in use" publish --replace --store "$T/two" --cloud proxied tiny && says "but what it replaces stays" "it says so"
mode expired
kernel=$(id_of tiny-kernel)
check "again, with a token that runs out" publish --replace --store "$T/two" --cloud proxied tiny && one_each "then one of each is left"
same "the kernel, which is the same, has stayed" "$(id_of tiny-kernel)" "$kernel"
check "the disk is the new one" qemu-img compare -f qcow2 -F raw "$cloud/images/$(id_of tiny)" "$T/two/tiny/root.ext4"
mode cut-all
exits 4 "a cloud that is gone on the way" publish --replace --store "$T/one" --cloud proxied tiny && says "may be left there half-made" "it says what is left"
check "it is left there" test "$(there | grep -cE "queued|saving")" -ge 1
cut_short KILL one
mode pass
eventually is_calm
check "the next one removes what that left, and what a killed one left" publish --replace --store "$T/one" --cloud proxied tiny && one_each "and one of each is left again"

# --- a real one, as a disk that boots by firmware
check "a real image" publish --cloud robot --visibility shared mpi
check "its disk is exported" vhpc image export --quiet --boot uefi --format raw mpi "$T/mpi.raw"
# same_disk QCOW2 RAW: where they differ, which bytes of the first MiB do is told.
same_disk() {
	qemu-img compare -f qcow2 -F raw "$1" "$2" && return
	qemu-img dd -f qcow2 -O raw bs=1M count=1 if="$1" of="$T/sent.raw"
	cmp -l -n 1048576 "$T/sent.raw" "$2" | head -n 40 | tr -s ' \n' ' ' >&2
	return 1
}
check "the same is there" same_disk "$cloud/images/$(id_of mpi)" "$T/mpi.raw"
rm -f "$T/mpi.raw"
same "it boots by UEFI" "$(property mpi hw_firmware_type)" uefi
had=$(there)
exits 1 "a quota that is used up" publish --cloud site --boot direct --replace mpi && says "413" "the code is told"
unchanged "kernel and initrd, which were sent before, are gone again"

if grep -l secret-of "$T/said" "$cloud"/proxied; then fail "no secret is told" "see above"; else pass "no secret is told"; fi
finish
