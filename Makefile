# Plain `make` lists the targets.
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BUILD   := CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"

SHELL       := /bin/bash
.SHELLFLAGS := -o pipefail -c

.DEFAULT_GOAL := help
.PHONY: help build test docs lint demo exercises figures bench bench-policy bench-proxy bench-client bench-omission bench-schedule bench-memory bench-idle \
	cycles soak verify-simulation pictures cover clean FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: bin/understudy ## build the static binary bin/understudy

bin/understudy: FORCE
	@$(BUILD) -o $@ .
FORCE:

demo: bin/understudy ## balancer, 60 s of load and the report in one terminal
	@bin/understudy demo

test: bin/understudy ## every test, with the race detector (needs a C compiler); with a Docker engine the Docker tests too
	$(GO) vet ./...
	UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test -race -count=1 -p 4 -timeout 8m ./... # four packages at a time: many wait for containers most of their time

docs: ## write docs/metrics.md from the registered collectors
	UNDERSTUDY_WRITE_DOCS=1 $(GO) test -count=1 -run TestDocument ./metrics

lint: ## format, vet, house rules, and whether docs/metrics.md is current
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these"; exit 1; }
	$(GO) vet ./...
	$(GO) test -run 'TestHouse' .
	$(GO) test -run 'TestDocument' ./metrics

exercises: bin/understudy ## the five planner exercises, one after the other
	@for n in 1 2 3 4 5; do examples/exercise-$$n.sh || exit 1; done

figures: bin/understudy ## the figures of the README: cost of a claim, of a promotion, of a start on real Docker, memory with 50 workers
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

bench-idle: bin/understudy bin/bench ## 5 000 idle connections to a balancer
	@bin/bench idle

cycles: bin/understudy ## workers that come and go under load: CYCLES=1000 processes (default 100), a twentieth as many containers
	CYCLES=$(CYCLES) UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test -count=1 -timeout 60m -run 'ComeAndGoUnderLoad' -v ./e2e | grep -v '^=== '

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
