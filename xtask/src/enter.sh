# Runs a command inside a folder that holds a Debian: sh enter.sh FOLDER COMMAND…
#
# Started by `unshare --mount --pid --fork`: the mounts are this process's own and end with it, however it ends, so
# that nothing is ever left mounted in the folder. BIND lists what of this machine is shown inside, one folder a line:
# its place inside, a space, its place outside.
set -eu
folder=$1
shift
# Without /proc the Swift compiler dies with "Illegal instruction".
mkdir -p "$folder/proc" "$folder/dev"
mount -t proc proc "$folder/proc"
mount --rbind /dev "$folder/dev"
printf '%s\n' "${BIND:-}" | while read -r to from; do
    [ -n "$to" ] || continue
    mkdir -p "$folder$to"
    mount --bind "$from" "$folder$to"
done
unset BIND
exec chroot "$folder" "$@"
