#!/bin/sh
# Exercise 2: several workers, the tasks spread over all of them.
. "$(dirname "$0")/lib.sh"

say "exercise 2: forty tasks for four workers"
start_balancer
wait_for_workers 4
check "forty tasks came back with the right results" tasks 40 -c 4
look
check "the workers did forty tasks between them" [ "$(served)" -eq 40 ]
check "each did at least half of its share of ten" [ "$(least_served)" -ge 5 ]
show_spread
finish
