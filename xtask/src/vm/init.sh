#!/bin/sh
# The start of the guest's first process: mounts, the second serial line as its output, and what the rest of it is written with.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs none /tmp
mount -t tracefs none /sys/kernel/tracing
mount -t debugfs none /sys/kernel/debug
ifconfig lo up
ulimit -l unlimited
stty -F /dev/ttyS1 raw
exec >/dev/ttyS1

# Polls up to $1 tenths of a second for the rest of the command to succeed.
within() {
    tenths=$1
    shift
    while [ "$tenths" -gt 0 ]; do
        "$@" && return 0
        usleep 100000
        tenths=$((tenths - 1))
    done
    return 1
}

attached() { grep -q '^Attach' /tmp/stdout /tmp/stderr; }
gone() { ! kill -0 "$1" 2>/dev/null; }
# How many functions of the kernel are probed, in whatever way.
left() { cat /sys/kernel/debug/kprobes/list /sys/kernel/tracing/enabled_functions | wc -l; }
none_left() { [ "$(left)" = 0 ]; }
attached_or_gone() { attached || gone "$1"; }
