# Background jobs, wait, trap, and how children end.
(exit 5) & first=$!
(exit 6) & second=$!
wait $second; echo "second $?"
wait $first; echo "first $?"
for n in 1 2 3 4 5 6 7 8; do (echo "$n" >"$D/job.$n"; exit "$n") & done
wait; echo "all $?"
cat "$D"/job.*
trap 'echo "trap EXIT"' EXIT
trap 'echo "trap USR1"' USR1
kill -USR1 $$
echo "after USR1"
(trap 'echo child; exit 3' TERM; : >"$D/ready"; while :; do sleep 0.01; done) & child=$!
while [ ! -e "$D/ready" ]; do sleep 0.01; done
kill -TERM $child; wait $child; echo "child $?"
# ("wait" says how a job ended only if it was not collected before it.)
sleep 1000 & child=$!
kill $child; wait $child 2>/dev/null; echo "sleeper $?"
sleep 1000 & child=$!
kill -STOP $child; kill -CONT $child; kill -INT $child; kill -9 $child
wait $child 2>/dev/null; echo "stopped $?"
timeout 0.1 sleep 1000; echo "timeout $?"
timeout 1000 sh -c 'exit 9'; echo "in time $?"
timeout -s KILL 0.1 sleep 1000; echo "timeout KILL $?"
trap '' PIPE
(trap - PIPE; yes; echo never) 2>/dev/null | head -n 2
mkfifo "$D/fifo"
(for n in 1 2 3; do echo "through $n"; done >"$D/fifo") &
cat "$D/fifo"; wait
(sleep 0.05; echo late) & echo early; wait
x=$( (sleep 0.02; echo 1) & (echo 2); wait ); echo $x
trap 'echo "trap INT"; exit 4' INT
kill -INT $$
echo never
