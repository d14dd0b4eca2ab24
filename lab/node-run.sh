#!/bin/sh
# Runs a command as a process of a lab node: node-run.sh CGROUP NETNS HOSTNAME RUN BPF COMMAND...
# With RUN and BPF empty it is a process of a pod or of the control plane, which have no mounts of their own.
#
# The cgroup comes first: socket hooks see a process by the cgroup in which it made the socket. The rest are exec'ed in
# turn, so the process id stays the one that the lab has written down.
set -eu
cgroup=$1 netns=$2 hostname=$3 run=$4 bpf=$5
shift 5
echo $$ >"$cgroup/cgroup.procs"
if [ -z "$run" ]; then
	exec nsenter "--net=/run/netns/$netns" unshare --uts sh -eu -c '
		echo "$0" >/proc/sys/kernel/hostname
		exec "$@"' "$hostname" "$@"
fi
# A new sysfs shows the node's devices. The pins of a node outlive its processes because their file system is mounted on
# the machine, and only bound here. What is hidden is unmounted, so that the mount table tells the truth.
# --propagation slave: nothing here reaches the machine, but namespaces that come and go under /run/netns are seen inside.
exec nsenter "--net=/run/netns/$netns" unshare --mount --uts --cgroup --propagation slave sh -eu -c '
	echo "$0" >/proc/sys/kernel/hostname
	run=$1 bpf=$2
	shift 2
	mount -t sysfs sysfs "$run/.sys"
	mount --bind "$bpf" "$run/.sys/fs/bpf"
	mount -t cgroup2 cgroup2 "$run/.sys/fs/cgroup"
	umount --recursive --lazy /sys
	umount --lazy "${bpf%/*}"
	mount --move "$run/.sys" /sys
	mount --rbind /run/netns "$run/netns"
	mount --rbind "$run" /run
	exec "$@"' "$hostname" "$run" "$bpf" "$@"
