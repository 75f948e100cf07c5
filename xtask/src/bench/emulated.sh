
# Runs the workload without a tracer and under each tracer for every script below /rows, and reports (see emulated.rs).
now() { sed -n 's/^now at \([0-9]*\) nsecs/\1/p' /proc/timer_list; }
work() { dd if=/dev/zero of=/dev/null bs=1 count=$BLOCKS status=none; }
traced() { grep -qs vfs_read /sys/kernel/debug/kprobes/list /sys/kernel/tracing/enabled_functions; }

# Nanoseconds of one run, which are instructions here.
measure() {
    before=$(now)
    work
    after=$(now)
    took=$((after - before))
}

work
for round in $(seq $ROUNDS); do
    measure
    echo "@@bare $took"
    for row in /rows/*; do
        for tracer in /ours /reference; do
            : >/tmp/stdout
            : >/tmp/stderr
            $tracer "$(cat "$row")" </dev/null >>/tmp/stdout 2>>/tmp/stderr &
            child=$!
            within 1200 traced || echo "@@failed ${row#/rows/}: it attached nothing"
            sleep 5
            measure
            kill -INT $child
            within 300 gone $child || kill -KILL $child
            wait $child
            echo "@@took ${row#/rows/} ${tracer#/} $took $(sed -n 's/^@: //p' /tmp/stdout)"
            cat /tmp/stderr
        done
    done
done
echo "@@done"
sync
poweroff -f
