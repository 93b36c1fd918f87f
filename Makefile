# make demo    the whole exchange on this machine, with five simulated agencies (ARGS="--once" for one scenario)
# make test    tools, formatting, lints and every test against private PostgreSQL and RabbitMQ servers
# make check   formatting and lints only
# make soak    20,000 messages under chaos on both databases, then hours of the simulation that hunts, with other seeds every time (HOURS=4)
# make bench   how long the pure parts take, beside raw cryptography in the same run
# make bench-whole   messages a second, times and processor time of a whole gateway, with the floors of the same run (ARGS="--full" for all)
# make bench-obligations   what the watcher and the first page cost with 10,000 and with 1,000,000 open obligations, on both databases
# make bench-pages   how long the console's pages take with 1,000,000 messages and obligations, on both databases
# make cluster    two nodes, PostgreSQL, RabbitMQ, a balancer and simulated systems as plain processes, until Ctrl-C (ARGS="--folder DIR")
# make upgrade    a rolling upgrade under load from an older build (FROM=<tag or commit>)
# make clean-services   stops what `scripts/services start` left running

# Rust is where rustup put it even when the shell was not told.
export PATH := $(PATH):$(HOME)/.cargo/bin
TARGET := $(or $(CARGO_TARGET_DIR),target)
ARGS ?=
FROM ?=
HOURS ?= 4
# What docs/administrators.en.md recommends for a database that matters.
POSTGRES_TUNED = -c shared_buffers=512MB -c wal_compression=lz4

.DEFAULT_GOAL := help
.PHONY: help demo test check cluster upgrade soak bench bench-whole bench-obligations bench-pages clean-services

help:
	@sed -n 's/^# \(make\)/\1/p' Makefile

demo:
	@scripts/setup build >&2
	@cargo build --release --locked >&2
	@exec "$(TARGET)/release/mezhved" demo $(ARGS)

test:
	@scripts/test

check:
	@scripts/setup check
	@scripts/check

cluster:
	@scripts/setup test >&2
	@cargo build --release --locked >&2
	@exec scripts/cluster $(ARGS)

upgrade:
	@scripts/setup test >&2
	@scripts/upgrade $(FROM)

# The long runs.
soak: upgrade
	MEZHVED_CHAOS_MESSAGES=20000 scripts/services run -- cargo test --release --locked --test it crash::chaos -- --nocapture --test-threads 1
	MEZHVED_SOAK_SECONDS=$$(( $(HOURS) * 3600 )) cargo test --release --locked --test simulation every_seed -- --nocapture

bench:
	@scripts/setup build >&2
	cargo bench --locked --bench micro

bench-whole:
	@scripts/setup test >&2
	@cargo build --release --locked >&2
ifneq ($(filter --full,$(ARGS)),)
	@scripts/services run -- sh -c 'exec "$$0" bench --amqp "$$MEZHVED_TEST_AMQP" "$$@"' "$(TARGET)/release/mezhved" $(ARGS)
else
	@"$(TARGET)/release/mezhved" bench $(ARGS)
endif

bench-obligations:
	@scripts/setup test >&2
	MEZHVED_SERVICES_POSTGRES="$(POSTGRES_TUNED)" scripts/services run -- cargo bench --locked --bench obligations

bench-pages:
	@scripts/setup test >&2
	MEZHVED_SERVICES_POSTGRES="$(POSTGRES_TUNED)" scripts/services run -- cargo bench --locked --bench pages

clean-services:
	@scripts/services stop
