# Plain `make` lists the targets.
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
STATIC  := CGO_ENABLED=0 $(GO)
BUILD   := $(STATIC) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"

# Every test in those files of e2e that are built with this tag, as -run wants them.
tagged = ^($(shell sed -n 's/^func \(Test[A-Za-z0-9_]*\).*/\1/p' $$(grep -lE '^//go:build.*\<$(1)\>' e2e/*_test.go) | paste -sd '|'))$$

# Lint has vetted, and nobody debugs these binaries: both would cost every run from a cold cache.
TESTED  := -race -count=1 -vet=off -ldflags=-w

SHELL       := /bin/bash
.SHELLFLAGS := -o pipefail -c

.DEFAULT_GOAL := help
.PHONY: help build test test-long docs lint demo exercises acceptance bad-workers engine-faults figures bench bench-policy bench-proxy bench-client bench-omission bench-schedule bench-memory bench-starts bench-publish bench-idle \
	cycles chaos storms soak verify-simulation pictures cover clean FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: bin/understudy ## build the static binary bin/understudy

bin/understudy: FORCE
	@$(BUILD) -o $@ .
FORCE:

demo: bin/understudy ## balancer, 60 s of load and the report in one terminal
	@bin/understudy demo

test: bin/understudy ## the tests, with the race detector (needs a C compiler); with a Docker engine the Docker tests too
	UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test $(TESTED) -p 4 -timeout 20m ./... # four packages at a time: many wait for containers most of their time

test-long: bin/understudy ## what make test leaves out because it takes minutes of real Docker: kill loops, roll-outs, bad workers, engines that end, the whole suite of drivers by address
	UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test $(TESTED) -tags long -parallel 2 -timeout 20m -run '$(call tagged,long)' ./e2e
	WHOLE_SUITE=1 $(GO) test $(TESTED) -timeout 10m -run ReachedByTheirAddress ./driver/docker

docs: ## write docs/metrics.md from the registered collectors
	UNDERSTUDY_WRITE_DOCS=1 $(GO) test -count=1 -run TestDocument ./metrics

# Compiled as the binary is, so that what it needs is compiled once.
lint: ## format, vet, house rules, and whether docs/metrics.md is current
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these"; exit 1; }
	$(STATIC) vet -trimpath -tags figures,reality,long,engine ./...
	$(STATIC) test -trimpath -run 'TestHouse' .
	$(STATIC) test -trimpath -run 'TestDocument' ./metrics

exercises: bin/understudy ## the five planner exercises, one after the other
	@for n in 1 2 3 4 5; do examples/exercise-$$n.sh || exit 1; done

acceptance: ## the rows of the acceptance list as often as the list says (make test: fewer times); RUN=TestB6 for some
	UNDERSTUDY_ACCEPTANCE=full UNDERSTUDY_REQUIRE_TOOLS=1 $(GO) test -count=1 -timeout 60m -run '$(or $(RUN),.)' ./balancer/acceptance
	UNDERSTUDY_ACCEPTANCE=full $(GO) test -count=1 -timeout 60m -run '$(or $(RUN),NobodyGets|RapidResets|CostNoRequest)' ./balancer

bad-workers: bin/understudy ## two minutes of every kind of bad worker beside a pool that serves, on real Docker
	UNDERSTUDY_REQUIRE_DOCKER=1 BAD_WORKERS=2m UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test -count=1 -tags long -timeout 10m -run TestBadWorkers -v ./e2e | grep -v '^=== '

engine-faults: bin/understudy ## every fault of a real engine: restarted, frozen, full, cut off, in namespaces of its own (root, Linux)
	UNDERSTUDY_REQUIRE_DOCKER=1 UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test -count=1 -tags long,engine -timeout 20m -parallel 2 -run '$(or $(RUN),^TestD..Real|TheGuardWaitsForAnEngine|$(call tagged,engine))' -v ./e2e | grep -v '^=== '

figures: bin/understudy ## the figures of the README: cost of a claim, of a promotion, of a start on real Docker, a pass over 64, memory with 50 workers
	$(GO) test -run '^$$' -bench Promote ./fleet | grep Promote
	$(GO) test -count=1 -tags figures -run TestFigure -v ./fleet | grep -v '^=== '
	UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test -count=1 -tags figures -run TestFigure -v ./dashboard | grep -v '^=== '
	UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test -count=1 -tags figures -timeout 15m -run TestFigure -v ./e2e | grep -v '^=== '

bench: ## every Go benchmark, briefly
	$(GO) test -run '^$$' -bench . -benchtime 200ms ./...

bench-policy: ## the scaling policy against others, in simulation; TRACES=dir adds the traces in there
	@$(GO) test -count=1 -tags figures -timeout 15m -run TestFigure -v ./simulate | grep -v -e '^=== ' -e '^--- PASS' -e '^ok '

bin/bench: FORCE
	@$(GO) build -o $@ ./bench

bin/profiled: FORCE
	@$(GO) build -o $@ ./bench/profiled

bench-proxy: bin/understudy bin/bench $(if $(PROFILE),bin/profiled) ## CPU per proxied request and added latency beside HAProxy, nginx, Caddy, ReverseProxy; PROFILE=file says where it went
	@bin/bench proxy $(if $(RATE),-rate $(RATE)) $(if $(ROUNDS),-rounds $(ROUNDS)) $(if $(REQUESTS),-requests $(REQUESTS)) $(if $(PROFILE),-profile $(abspath $(PROFILE)))
	@$(if $(PROFILE),bin/bench profile $(PROFILE))

bench-client: bin/understudy bin/bench ## the load client beside hey and wrk
	@bin/bench client $(if $(ROUNDS),-rounds $(ROUNDS))

bench-omission: bin/understudy bin/bench ## what the load client and hey say of a server that stalls, beside the truth; LASTS=60s
	@bin/bench omission $(if $(LASTS),-lasts $(LASTS))

bench-schedule: bin/understudy bin/bench ## how late the load client is with its own schedule at 1 000 requests/s
	@bin/bench schedule

bench-memory: bin/understudy bin/bench ## the load client's memory with a trace of 10 000 rows and of ROWS=1000000
	@bin/bench memory $(if $(ROWS),-long $(ROWS))

bench-starts: bin/understudy ## 20 workers wanted at once, beside the same by hand with 1, 2, 4 and 8 in flight; ROUNDS=3
	$(if $(ROUNDS),ROUNDS=$(ROUNDS)) UNDERSTUDY_REQUIRE_DOCKER=1 UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test -count=1 -tags figures -timeout 60m -run TestFigureTwentyWorkers -v ./e2e | grep -v '^=== '

bench-publish: bin/understudy ## what a request costs by a worker's published port and straight to its address; ROUNDS=5
	$(if $(ROUNDS),ROUNDS=$(ROUNDS)) UNDERSTUDY_REQUIRE_DOCKER=1 UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test -count=1 -tags figures -timeout 30m -run TestFigurePublish -v ./e2e | grep -v '^=== '

bench-idle: bin/understudy bin/bench ## 5 000 idle connections to a balancer
	@bin/bench idle

cycles: bin/understudy ## workers that come and go under load: CYCLES=1000 processes (default 100), a twentieth as many containers
	CYCLES=$(or $(CYCLES),100) UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test -count=1 -tags long -timeout 60m -run 'ComeAndGoUnderLoad' -v ./e2e | grep -v '^=== '

storms: ## everything that can happen to the scaler, at random and in virtual time, STORMS=300 times; SEED=n begins with that one
	STORMS=$(or $(STORMS),300) $(if $(SEED),SEED=$(SEED)) $(GO) test -count=1 -timeout 60m -run InAStorm ./scaler

chaos: bin/understudy ## kill the balancer under load, start it again, LOOPS=200 times, on real Docker; SEED=n repeats a run
	LOOPS=$(or $(LOOPS),200) $(if $(SEED),SEED=$(SEED)) UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test -count=1 -tags long -timeout 60m -run AgainAndAgain -v ./e2e | grep -v '^=== '

soak: bin/understudy bin/bench ## load and scaling on real Docker; fails when anything grows: LASTS=1h of it (default 60s)
	@bin/bench soak $(if $(LASTS),-lasts $(LASTS))

verify-simulation: bin/understudy ## the simulation against real Docker: TRACE=file.csv with durations, LASTS=10m of it
	@TRACE=$(abspath $(TRACE)) LASTS=$(LASTS) UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test -count=1 -tags reality -timeout 60m -run TestReality -v ./e2e | grep -v '^=== '

pictures: bin/understudy ## the pictures of docs/: two of the simulation, one of the dashboard during a demo (needs Chromium)
	bin/understudy simulate --workload spike --policy understudy,kpa+1 --format svg -o docs/spike.svg
	bin/understudy simulate --workload step --policy understudy,naive --format svg -o docs/step.svg
	UNDERSTUDY_BIN=$(CURDIR)/bin/understudy PICTURE=$(CURDIR)/docs/dashboard.png $(GO) test -count=1 -tags figures -timeout 5m -run TestPicture ./dashboard

cover: ## test coverage by package
	$(GO) test -cover ./...

clean: ## remove what was built
	rm -rf bin
