#!/bin/sh
# Runs a program inside a root file system, with the folders named visible there at the same paths:
#   unshare --mount --propagation private sh enter.sh ROOT FOLDER... -- WORKING-FOLDER PROGRAM...
# The mounts live in a namespace of this process alone and go with it, however it ends. Every step
# is an exec, so that the process that was started is, in the end, the program.
set -e
root=$1
shift
while [ "$1" != -- ]; do
    mkdir -p "$root$1"
    mount --rbind "$1" "$root$1"
    shift
done
shift
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$root" /bin/sh -c 'cd "$1"; shift; exec "$@"' sh "$@"
