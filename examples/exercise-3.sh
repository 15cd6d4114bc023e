#!/bin/sh
# Exercise 3: specialised workers. No task reaches a worker that cannot do it, and none is lost.
. "$(dirname "$0")/lib.sh"

say "exercise 3: sixty tasks for two general, two multiplying and two adding workers"
start_balancer
wait_for_workers 6
# A worker refuses what it is not for with 404, which would count as an error here.
check "sixty tasks came back with the right results, none from a worker that cannot do it" tasks 60 -c 6
look
check "no task was lost and none was done twice" [ "$(served)" -eq 60 ]
for pool in general mult add; do
	check "the pool $pool took part" [ "$(served $pool)" -gt 0 ]
done
show_spread
finish
