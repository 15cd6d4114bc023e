# Plain `make` lists the targets.
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BUILD   := CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"

SHELL       := /bin/bash
.SHELLFLAGS := -o pipefail -c

.DEFAULT_GOAL := help
.PHONY: help build test lint demo exercises figures bench bench-policy verify-simulation pictures cover clean FORCE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: bin/understudy ## build the static binary bin/understudy

bin/understudy: FORCE
	@$(BUILD) -o $@ .
FORCE:

demo: bin/understudy ## balancer, 60 s of load and the report in one terminal
	@bin/understudy demo

test: bin/understudy ## every test, with the race detector (needs a C compiler); with a Docker engine the Docker tests too
	$(GO) vet ./...
	UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test -race -count=1 -timeout 8m ./...

lint: ## format, vet, and house rules
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these"; exit 1; }
	$(GO) vet ./...
	$(GO) test -run 'TestHouse' .

exercises: bin/understudy ## the five planner exercises, one after the other
	@for n in 1 2 3 4 5; do examples/exercise-$$n.sh || exit 1; done

figures: bin/understudy ## the figures of the README: cost of a claim, of a promotion, of a start on real Docker, memory with 50 workers
	$(GO) test -run '^$$' -bench Promote ./fleet | grep Promote
	$(GO) test -count=1 -tags figures -run TestFigure -v ./fleet | grep -v '^=== '
	UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test -count=1 -tags figures -timeout 15m -run TestFigure -v ./e2e | grep -v '^=== '

bench: ## every Go benchmark, briefly
	$(GO) test -run '^$$' -bench . -benchtime 200ms ./...

bench-policy: ## the scaling policy against others, in simulation; TRACES=dir adds the traces in there
	@$(GO) test -count=1 -tags figures -timeout 15m -run TestFigure -v ./simulate | grep -v -e '^=== ' -e '^--- PASS' -e '^ok '

verify-simulation: bin/understudy ## the simulation against real Docker: TRACE=file.csv with durations, LASTS=10m of it
	@TRACE=$(abspath $(TRACE)) LASTS=$(LASTS) UNDERSTUDY_BIN=$(CURDIR)/bin/understudy $(GO) test -count=1 -tags reality -timeout 60m -run TestReality -v ./e2e | grep -v '^=== '

pictures: bin/understudy ## the pictures of docs/, from the simulation
	bin/understudy simulate --workload spike --policy understudy,kpa+1 --format svg -o docs/spike.svg
	bin/understudy simulate --workload step --policy understudy,naive --format svg -o docs/step.svg

cover: ## test coverage by package
	$(GO) test -cover ./...

clean: ## remove what was built
	rm -rf bin
