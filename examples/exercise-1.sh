#!/bin/sh
# Exercise 1: four tasks, one balancer, one worker.
. "$(dirname "$0")/lib.sh"

say "exercise 1: four tasks for one worker"
start_balancer
wait_for_workers 1
check "four tasks came back with the right results" tasks 4 -c 1
look
check "the one worker did all four" [ "$(served) $(least_served)" = "4 4" ]
show_spread
finish
