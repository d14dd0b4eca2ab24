# Each target does its own set-up, on a bare machine too: nothing needs to be run before any of them.
MAKEFLAGS += --no-print-directory
TOPOLOGY ?= two-clusters
NAME ?= lab
BENCH ?= all

.PHONY: help setup build lab lab-down test test-all lint bench

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: ## Fetch what the machine lacks: Node 24, npm packages, build tools, etcd
	@scripts/setup

build: setup ## Compile TypeScript, BPF programs and the CNI plugin
	@$(MAKE) objects

.PHONY: objects
objects:
	@echo "build: TypeScript"
	@npm run --silent build
	@$(MAKE) bpf/build/.stamp
	@$(MAKE) -C apps/cni
	@$(MAKE) -C lab

bpf/build/.stamp: scripts/build-bpf $(wildcard bpf/*.c bpf/lib/*.h bpf/sniffer/*.[ch] bpf/tests/programs/*.c)
	@echo "build: BPF programs"
	@scripts/build-bpf
	@touch $@

lab: build ## Bring up two joined clusters and prove it (TOPOLOGY=two-clusters NAME=lab)
	@npm run --silent lab -- up $(TOPOLOGY) --name $(NAME)
	@npm run --silent lab -- verify --name $(NAME)
	@echo "The lab goes on running. See what there is to try: npm run --silent lab -- status --name $(NAME)"
	@echo "Remove all of it: make lab-down NAME=$(NAME)"

lab-down: ## Remove all of a lab (NAME=lab)
	@scripts/setup node
	@npm run --silent lab -- down --name $(NAME)

# A machine without root or apt still runs the tiers that it can; the runner says which ones it could not, and why.
test: ## Run every test tier that this machine can run
	@scripts/setup node
	@scripts/setup packages daemons || true
	@$(MAKE) -k objects || true
	@scripts/with-node scripts/run-tests.ts

test-all: ## The same without a time limit, in every mode
	@$(MAKE) build
	@scripts/with-node scripts/run-tests.ts --all

C_SOURCES = $(wildcard bpf/*.c bpf/lib/*.h bpf/sniffer/*.c bpf/sniffer/*.h bpf/tests/programs/*.c apps/cni/src/*.c apps/cni/src/*.h lab/src/traffic/*.c lab/src/traffic/*.h bench/src/*.c bench/src/*/*.c bench/src/*/*.h)

lint: ## Check types, style, import arrows, C format, generated files, links, file and function sizes
	@scripts/setup node packages
	@echo "lint: types"
	@npm run --silent typecheck
	@echo "lint: style"
	@scripts/with-node node_modules/@biomejs/biome/bin/biome check --error-on-warnings
	@echo "lint: import arrows"
	@scripts/with-node node_modules/dependency-cruiser/bin/dependency-cruiser.mjs --config .dependency-cruiser.cjs apps libs lab bench test scripts
	@echo "lint: C format"
	@clang-format --dry-run -Werror $(C_SOURCES)
	@echo "lint: sizes"
	@scripts/with-node scripts/measure-code.ts
	@echo "lint: links between pages"
	@scripts/with-node scripts/check-links.ts
	@$(MAKE) lint-generated

.PHONY: lint-generated
lint-generated: bpf/build/.stamp
	@echo "lint: generated layouts"
	@scripts/with-node scripts/generate-layouts.ts --check
	@echo "lint: generated pages"
	@scripts/with-node --conditions=isthmus:source scripts/generate-docs.ts --check

bench: build ## Measure against peers (BENCH=pod-to-pod)
	@npm run --silent bench -- $(BENCH)
