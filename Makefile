# What `make help` lists. Everything works with Go, git and make only; the targets with
# containers need a Docker engine and one of `docker compose` and `docker-compose`.

GO       ?= go
# The version that the linker stamps on juju and jujud.
VERSION  ?= $(shell sed -n 's/^var stamp = "\(.*\)"/\1/p' events/version/current.go)
STAMP     = -X github.com/jujube-project/jujube/events/version.stamp=jujube-version/$(VERSION)/
PACKAGES ?= ./...
CUTS     ?= 2
IMAGE    ?= jujube
COMPOSE  ?= $(shell if docker compose version >/dev/null 2>&1; then echo docker compose; else echo docker-compose; fi)

TIME     ?= 60s
AGENTS   ?= 10000

.PHONY: help build test check demo image compose-test crashpoints killloop bench bench-agent sizes soak clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

build: ## static, stripped, reproducible binaries in dist/, as packages hold them: without the demo
	@mkdir -p dist
	CGO_ENABLED=0 $(GO) build -tags packaged -trimpath -buildvcs=false -ldflags '-s -w -buildid= $(STAMP)' -o dist/ ./cmd/juju ./cmd/jujud

# make check vets every package; go test would do so once more.
test: ## every test, with the race detector
	$(GO) test -race -vet=off -timeout 8m $(PACKAGES)

check: ## format, vet, staticcheck, dead code, module file, generated files, the laws, the documents' words
	@echo 'gofumpt -l .' && files="$$($(GO) tool gofumpt -l .)" && if test -n "$$files"; then echo "not formatted (go tool gofumpt -w .):"; echo "$$files"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags compose ./sim/compose
	$(GO) vet -tags packaged ./cmd/juju
	$(GO) tool staticcheck ./...
	@echo 'deadcode -test ./...' && dead="$$($(GO) tool deadcode -test ./...)" && if test -n "$$dead"; then echo "$$dead"; exit 1; fi
	$(GO) mod tidy -diff
	@echo 'go generate ./...' && before="$$(sha256sum docs/EVENTS.md docs/SECURITY.md)" && $(GO) generate ./... && if test "$$before" != "$$(sha256sum docs/EVENTS.md docs/SECURITY.md)"; then echo "docs/EVENTS.md or docs/SECURITY.md was not up to date; it is now: commit it"; exit 1; fi
	$(GO) test -count 1 .

demo: ## the whole story on this machine, with the race detector, in under a minute
	$(GO) run -race ./cmd/juju demo

.PHONY: badbinaries
badbinaries: ## one release that is bad in every way, on machines that go back from it (two minutes)
	JUJUBE_BAD_BINARIES=all $(GO) test -count 1 -run TestBadBinaries -v ./cmd/jujud

.PHONY: bad-inputs
bad-inputs: ## how each of the hundred bad inputs of docs/SECURITY.md ended (the whole suite)
	@mkdir -p dist
	$(GO) test -json $(PACKAGES) > dist/bad-inputs.json || true
	$(GO) run ./sim/badinputs -ran dist/bad-inputs.json

image: build ## a container image from dist/, nothing pulled
	tar -c Dockerfile dist/juju dist/jujud | docker build -q -t $(IMAGE):$(VERSION) -t $(IMAGE):latest -

compose-test: ## one state server and three machines as containers: upgraded, killed, brought back
	COMPOSE='$(COMPOSE)' $(GO) test -tags compose -count 1 -timeout 10m -v ./sim/compose

crashpoints: ## cut the power at every call of an upgrade, and at every call of the start after it (CUTS=2; minutes)
	$(GO) test -count 1 -timeout 60m -v -run 'TestEveryCrashPoint|TestEveryKill' ./agent/launcher -cuts $(CUTS)

killloop: ## N upgrades of real machines while agents and launchers are killed (N=200: some minutes)
	$(GO) run ./sim/killloop -n $(or $(N),200) $(ARGS)

sync-test: ## sync-tools with 500 MiB, killed on both sides, its memory measured (a minute)
	JUJUBE_SYNC_MIB=500 $(GO) test ./cli/tools -run TestScripts/synckilled -count 1 -v

# Every Fuzz target, as "DIR Target".
FUZZ = grep -rho --include='*_test.go' -H '^func Fuzz[A-Za-z0-9]*' . | sed -n 's|^\./\(.*\)/[^/]*:func \(Fuzz.*\)|\1 \2|p' | sort

.PHONY: fuzz fuzz-short
fuzz: ## throw anything at every decoder, each for a time: make fuzz TIME=60s [ONLY=Journal]
	@$(FUZZ) | grep -- '$(ONLY)' | while read dir target; do echo "$$dir $$target"; $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(TIME) "./$$dir" || exit 1; done

# Without the compiler's instrumentation, which would build NATS anew: what make test has
# built is linked, and each target gets a thousand inputs, made of its seeds.
fuzz-short: ## the same for a minute in total
	@out="$$(mktemp -d)" && trap 'rm -rf "$$out"' EXIT && $(FUZZ) > "$$out/targets" && \
	cut -d' ' -f1 "$$out/targets" | uniq | while read dir; do \
		$(GO) test -race -vet=off -c -ldflags '-s -w' -o "$$out/test" "./$$dir" || exit 1; \
		grep "^$$dir " "$$out/targets" | while read dir target; do \
			( cd "$$dir" && "$$out/test" -test.run '^$$' -test.fuzz "^$$target\$$" -test.fuzztime 1000x -test.parallel 2 -test.fuzzcachedir "$$out/cache" > "$$out/said" 2>&1 ) || { echo "$$dir $$target"; cat "$$out/said"; exit 1; }; \
		done || exit 1; \
	done && echo "$$(wc -l < "$$out/targets") decoders withstood a thousand inputs each"

bench: ## the table of docs/BENCHMARKS.md, each figure beside its yardstick (some minutes)
	$(GO) run ./sim/bench

soak: ## simulated fleets with faults for a time: make soak TIME=60s [SEED=…] [AGENTS=10000]
	$(GO) run ./sim/soak -time $(TIME) -agents $(AGENTS) $(if $(SEED),-seed $(SEED))

sizes: ## of docs/BENCHMARKS.md: how large juju and jujud are and how fast juju starts, beside BASE
	$(GO) run ./sim/bench -only sizes $(if $(BASE),-base $(BASE))

bench-agent: ## of docs/BENCHMARKS.md: real upgrades of a machine under load, and its memory
	$(GO) run ./sim/bench -only agent

clean: ## remove what was built
	rm -rf dist
