
# Runs every case below /cases and reports (see guest.rs).
for script in /cases/*.bt; do
    name=${script#/cases/???-}
    # Emptied here, not by the child: what the case before announced must be gone when this one is waited for.
    : >/tmp/stdout
    : >/tmp/stderr
    sh "${script%.bt}.before" </dev/null >/dev/null 2>&1
    /trace "$script" "$(cat "${script%.bt}.arguments")" </dev/null >>/tmp/stdout 2>>/tmp/stderr &
    tracer=$!
    within 600 attached_or_gone $tracer
    /settle
    timeout -s KILL 120 sh "${script%.bt}.sh" </dev/null >/dev/null 2>&1
    endless=$?
    kill -INT $tracer 2>/dev/null
    within 300 gone $tracer || kill -KILL $tracer
    wait $tracer
    status=$?
    # A workload that never ends is stopped, and the case has failed.
    if [ $endless = 137 ]; then
        status=$endless
        echo "the workload did not end within 120 s" >>/tmp/stderr
    fi
    # What a tracer leaves to another process to close does nothing any more, but takes its time.
    within 300 none_left
    left=$(left)
    echo "@@case ${name%.bt}"
    echo "@@stdout"
    cat /tmp/stdout
    echo
    echo "@@stderr"
    cat /tmp/stderr
    echo
    echo "@@end $status $left"
done
if [ -x /node-report ]; then
    echo "@@node"
    /node-report 2>/dev/null
fi
echo "@@done"
sync
poweroff -f
