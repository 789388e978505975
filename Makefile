# Every command a contributor needs. `make up` and `make test` do their own set-up and say what they do.

export CARGO_TARGET_DIR ?= $(HOME)/.cache/mikrocloud/target
BIN := $(CARGO_TARGET_DIR)
# Package managers that the tests build projects with.
export MIKROCLOUD_TEST_TOOLS ?= $(HOME)/.cache/mikrocloud/test-tools
NEXTEST_PROFILE := $(if $(CI),ci,default)

.PHONY: help up build web test forecast lint schema fmt conformance projects fuzz coverage bench crash soak deps-build deps-lint deps-test deps-fuzz deps-bench

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: deps-build web ## Build MikroCloud and run it, with the state in the platform's data directory
	cargo build --profile quick -p cli
	exec $(BIN)/quick/mikrocloud up

build: deps-build web ## Build the debug binary
	cargo build -p cli

web: ## Build the dashboard, where Node is
	tools/build-web

test: deps-test web ## Run every test
	npm run --silent --prefix web test
	cargo nextest run --workspace --profile $(NEXTEST_PROFILE)

forecast: build ## Forecast recorded series with the debug binary and hold the errors against bounds
	@tools/install-packages python3
	@mkdir -p $(BIN)/forecast
	$(BIN)/debug/mikrocloud forecast tests/data/forecast/[hd]_*.csv --origins tests/data/forecast/origins.csv --output $(BIN)/forecast/made.csv
	python3 tests/forecast/score_forecast.py $(BIN)/forecast --data tests/data/forecast \
		--gate '{"mase": 0.92, "rel": 0.77, "cov80": [77, 83], "missing": 0, "no80": 0}'

lint: deps-lint web ## Check formatting, lints, documentation, licences and unused dependencies
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --quiet
	cargo deny --log-level error check licenses bans sources
	cargo machete --skip-target-dir .
	npm run --silent --prefix web lint

fmt: ## Format the code
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml

schema: ## Write the GraphQL schema and the OpenAPI document anew after they changed
	UPDATE_SCHEMA=1 cargo nextest run -p schema -p api -E "test(current)"
	npm run --silent --prefix web codegen

conformance: deps-test ## Run the suite of all clouds and note what each passed
	tools/conformance

projects: deps-test ## Deploy projects as their generators make them (an hour the first time)
	cargo build --release -p cli
	tools/projects $(BIN)/release/mikrocloud

fuzz: deps-fuzz ## Give hostile input to what reads it, FUZZ_SECONDS (60) for each kind
	tools/fuzz $(FUZZ_SECONDS)

coverage: deps-test ## Measure line coverage
	tools/install-cargo-tool cargo-llvm-cov
	@# Tests end their servers as a power cut would: counters that live in mapped files outlast that.
	RUSTFLAGS="$(RUSTFLAGS) -C llvm-args=-runtime-counter-relocation" LLVM_PROFILE_FILE_NAME="mikrocloud-%p-%m%c.profraw" \
		cargo llvm-cov nextest --workspace --exclude bench --summary-only --ignore-filename-regex '/(bench|tests|testkit)/'

bench: deps-bench web ## Run the benchmarks and print ratios
	cargo build --release -p cli -p bench
	$(BIN)/release/bench $(BIN)/release/mikrocloud

crash: deps-test ## Kill a server 100 times in the middle of deployments (several minutes)
	MIKROCLOUD_CRASHES=100 cargo nextest run -p cli --test e2e --no-capture crash

soak: deps-test ## Run 200 deployments through 1000 faults of processes, Redis, PostgreSQL and network (half an hour)
	MIKROCLOUD_FAULTS=1000 MIKROCLOUD_DEPLOYMENTS=200 cargo nextest run -p cli --test cluster --no-capture faults

deps-build:
	@tools/install-packages gcc git

deps-lint: deps-build
	@tools/install-packages nodejs:node npm
	@tools/install-cargo-tool cargo-deny cargo-machete

deps-test: deps-build
	@tools/install-packages postgresql redis-server python3 python3-pip:pip3 nodejs:node npm golang-go:go
	@tools/install-packages docker.io:dockerd busybox-static:busybox iproute2:ip openssh-server:/usr/sbin/sshd openssh-client:ssh faketime openssl
	@tools/install-packages docker-compose systemd:systemd-analyze tini oathtool pebble chromium
	@tools/install-test-tools $(MIKROCLOUD_TEST_TOOLS)
	@tools/install-cargo-tool cargo-nextest

deps-fuzz: deps-build
	@tools/install-packages g++
	@tools/install-cargo-tool cargo-fuzz

deps-bench: deps-build
	@tools/install-packages nginx-light:nginx wrk postgresql redis-server nodejs:node npm
	@test -d bench/queues/node_modules || npm ci --prefix bench/queues --ignore-scripts --no-audit --no-fund --loglevel=error
