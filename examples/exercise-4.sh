#!/bin/sh
# Exercise 4: ten workers that register, eight of them while the run is going; fifty tasks.
. "$(dirname "$0")/lib.sh"

say "exercise 4: fifty tasks, ten a second, for two workers and eight that join them"
start_balancer
start_worker w1
start_worker w2
wait_for_workers 2
start_tasks 50 --rate 10
for number in 3 4 5 6 7 8 9 10; do
	start_worker "w$number"
done
wait_for_workers 10
check "all ten had joined before the last task was sent" running "$client"
outcome=0
wait "$client" || outcome=$?
client=
cat "$work/client.log"
check "fifty tasks came back with the right results" [ "$outcome" -eq 0 ]
look
check "the workers did fifty tasks between them" [ "$(served)" -eq 50 ]
check "each of the ten took part" [ "$(least_served)" -ge 1 ]
show_spread
finish
