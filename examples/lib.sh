# What the exercises share. Sourced by each of them; needs a POSIX shell, the usual small tools and the understudy binary, nothing else.
#
#   UNDERSTUDY=path         the binary; default: bin/understudy of this repository
#   UNDERSTUDY_DRIVER=name  docker or process; default: Docker where an engine answers, else local processes
#   TASK_DURATION=range     how long a task takes; default: what the exercise's configuration says
set -eu

here=$(cd "$(dirname "$0")" && pwd)
name=$(basename "$0" .sh)
understudy=${UNDERSTUDY:-$here/../bin/understudy}
if ! command -v "$understudy" >/dev/null 2>&1; then
	echo "there is no program at $understudy: build it with 'make build', or name another with UNDERSTUDY=path" >&2
	exit 2
fi

# value KEY prints a top-level value of the exercise's configuration.
value() { sed -n "s/^$1: *\([^ #]*\).*/\1/p" "$here/$name.yaml"; }

listen=$(value listen)
admin=$(value admin)
instance=$(value instance)
work=$(mktemp -d)
balancer= # process ids of what runs now
workers=
client=
failed=0
keep=yes # the logs, unless the exercise passes or is interrupted

say() { printf '%s\n' "$*"; }

# give_up SENTENCE ends an exercise that cannot go on, or did not pass.
give_up() {
	say "FAILED  $name: $*; the logs are in $work"
	exit 1
}

running() { kill -0 "$1" 2>/dev/null; }

# check SENTENCE COMMAND... counts as passed when the command succeeds. The exercise goes on either way.
check() {
	sentence=$1
	shift
	if "$@"; then
		say "  ok      $sentence"
	else
		say "  FAILED  $sentence"
		failed=$((failed + 1))
	fi
}

# start_balancer runs the exercise's configuration, with TASK_DURATION put in where one is given.
start_balancer() {
	sed "${TASK_DURATION:+s/DURATION=[^],]*/DURATION=$TASK_DURATION/}" "$here/$name.yaml" >"$work/config.yaml"
	"$understudy" balancer --config "$work/config.yaml" >"$work/balancer.log" 2>&1 &
	balancer=$!
}

# start_worker ID runs a worker of this host that registers with the balancer by itself. Its tasks take 50 ms to 150 ms, the default.
start_worker() {
	"$understudy" worker --listen 127.0.0.1:0 --id "$1" --register "http://$admin" --duration "${TASK_DURATION:-50ms..150ms}" >"$work/$1.log" 2>&1 &
	workers="$workers $!"
}

# look writes what the balancer knows of its workers to $work/workers, one a line: pool, worker, state, tasks served.
# A worker is what has an id and a state: an image has an id too.
look() {
	"$understudy" status --admin "http://$admin" --json >"$work/status.json" 2>"$work/status.log" || return 1
	tr -d ' \t\r\n' <"$work/status.json" | awk '{ gsub(/"(name|id)":"/, "\n&"); print }' | awk -F '"' '
		function after(key,   at) {
			at = index($0, "\"" key "\":")
			return at ? substr($0, at + length(key) + 3) : ""
		}
		/^"name":/ { pool = $4 }
		/^"id":/ && /"state":/ { state = after("state"); sub(/^"/, "", state); sub(/".*/, "", state); print pool, $4, state, after("served") + 0 }
	' >"$work/workers"
}

# driver is what the balancer runs its workers with, as the last look told.
driver() { tr -d ' \t\r\n' <"$work/status.json" | sed -n 's/.*"driver":"\([^"]*\)".*/\1/p'; }

# ready [POOL] counts the workers that can take tasks.
ready() { awk -v pool="${1:-}" '(pool == "" || $1 == pool) && ($3 == "active" || $3 == "spare") { n++ } END { print n + 0 }' "$work/workers"; }

# served [POOL] counts the tasks done, least_served [POOL] those of the worker that did the fewest.
served() { awk -v pool="${1:-}" 'pool == "" || $1 == pool { n += $4 } END { print n + 0 }' "$work/workers"; }
least_served() { awk -v pool="${1:-}" 'pool == "" || $1 == pool { if (!seen++ || $4 < n) n = $4 } END { print n + 0 }' "$work/workers"; }

# wait_for_workers N waits, for at most a minute, until N workers can take tasks.
wait_for_workers() {
	tries=0
	until look && [ "$(ready)" -ge "$1" ]; do
		tries=$((tries + 1))
		if ! running "$balancer"; then
			tail -n 20 "$work/balancer.log"
			give_up "the balancer ended; the lines above are its last"
		fi
		if [ "$tries" -ge 300 ]; then
			tail -n 20 "$work/balancer.log"
			give_up "there are not $1 workers after a minute; the lines above are the balancer's last"
		fi
		sleep 0.2
	done
}

# tasks N OPTION... sends N tasks, mult and add, and demands that each comes back with the right result.
tasks() {
	count=$1
	shift
	"$understudy" client --target "http://$listen" -n "$count" --mix mult=1,add=1 --assert "errors=0,count=$count" "$@"
}

# start_tasks does the same beside the exercise, as process $client, and writes to $work/client.log.
start_tasks() {
	count=$1
	shift
	"$understudy" client --target "http://$listen" -n "$count" --mix mult=1,add=1 --assert "errors=0,count=$count" "$@" >"$work/client.log" 2>&1 &
	client=$!
}

# show_spread prints who did how many tasks.
show_spread() { awk '{ printf "          %-10s %-24s %3d tasks\n", $1, $2, $4 }' "$work/workers"; }

# stop_balancer asks the balancer to drain and end, and succeeds when it did, in good order.
stop_balancer() {
	"$understudy" client quit --admin "http://$admin" >"$work/quit.log" 2>&1 || kill -TERM "$balancer" 2>/dev/null || :
	status=0
	wait "$balancer" || status=$?
	balancer=
	return "$status"
}

# nothing_left succeeds when no container of the exercise is there any more. Processes end with the balancer that started them.
nothing_left() {
	[ "$(driver)" = docker ] && command -v docker >/dev/null 2>&1 || return 0
	[ -z "$(docker ps --all --quiet --filter "label=understudy.instance=$instance")" ]
}

# finish stops everything and gives the verdict.
finish() {
	kind=$(driver)
	check "the balancer drained and ended" stop_balancer
	check "no container is left" nothing_left
	if [ "$failed" -gt 0 ]; then
		give_up "$failed of its checks did not hold ($kind)"
	fi
	keep=no
	say "passed  $name ($kind)"
}

# end_all runs however the exercise ends. It stops what is still running; the logs stay when something went wrong.
end_all() {
	for pid in $client $workers $balancer; do
		kill -TERM "$pid" 2>/dev/null || :
	done
	for pid in $client $workers $balancer; do
		wait "$pid" 2>/dev/null || :
	done
	[ "$keep" = yes ] || rm -rf "$work"
}
trap end_all EXIT
trap 'keep=no; exit 130' INT TERM
