#!/bin/sh
# Exercise 5: a hundred tasks over ten general, ten multiplying and ten adding workers.
. "$(dirname "$0")/lib.sh"

say "exercise 5: a hundred tasks for thirty workers"
start_balancer
wait_for_workers 30
check "a hundred tasks came back with the right results, none from a worker that cannot do it" tasks 100 -c 30
look
check "no task was lost and none was done twice" [ "$(served)" -eq 100 ]
for pool in general mult add; do
	check "all ten workers of the pool $pool took part" [ "$(least_served $pool)" -ge 1 ]
done
show_spread
finish
