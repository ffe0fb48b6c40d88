# What there is to do here. `make help` lists it; CI runs the same targets.

FUZZTIME ?= 1m
BENCHTIME ?= 1s
LISTENERS ?= 200
TIMEOUT ?= 10m
GOLANGCI ?= github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# Where Go's own installer puts it, in case the shell was not told.
export PATH := $(PATH):/usr/local/go/bin

.DEFAULT_GOAL := help
.PHONY: help run build test race fuzz bench web lint check nocgo deps testdeps

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  FUZZTIME=$(FUZZTIME) a fuzz target, BENCHTIME=$(BENCHTIME) a benchmark, LISTENERS=$(LISTENERS) of the fan-out bench, TIMEOUT=$(TIMEOUT) a package's tests"

run: deps ## play a voice through a network on this machine
	@go run ./cmd/stentor demo

build: deps ## build bin/stentor
	go build -o bin/stentor ./cmd/stentor

test: testdeps ## run every test: Go's in random order with the race detector, then those of the browser client
	@go test -race -shuffle=on -timeout $(TIMEOUT) ./...
	@$(MAKE) --no-print-directory web

race: testdeps ## run every test ten times over, to shake out rare races
	@go test -race -shuffle=on -count 10 -timeout $(TIMEOUT) ./...

fuzz: testdeps ## run every fuzz target for FUZZTIME
	@FUZZTIME=$(FUZZTIME) scripts/fuzz.sh

bench: deps ## run the Go benchmarks, then a short fan-out
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -timeout $(TIMEOUT) ./...
	go run ./cmd/stentor bench fanout --listeners $(LISTENERS) --duration 10s

check: deps ## gofmt and go vet
	@scripts/gofmt.sh
	@go vet ./...

nocgo: ## build the relay without cgo
	@CGO_ENABLED=0 go build ./relay/... ./protocol/... ./token/...

web: testdeps web/node_modules/.package-lock.json ## check and test the browser client, the pages in a real Chromium
	@cd web && npm run --silent check && npm test --silent && npm run --silent e2e

# npm writes this file last.
web/node_modules/.package-lock.json: web/package-lock.json
	@cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

lint: check ## check, and golangci-lint
	@if command -v golangci-lint >/dev/null 2>&1; then golangci-lint run ./...; \
	else go run $(GOLANGCI) run ./...; fi

deps:
	@scripts/install-deps.sh build

testdeps:
	@scripts/install-deps.sh test
