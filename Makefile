# make demo    the whole exchange on this machine, with five simulated agencies (ARGS="--once" for one scenario)
# make test    tools, formatting, lints and every test against private PostgreSQL and RabbitMQ servers
# make check   formatting and lints only
# make bench   how long the pure parts take, beside raw cryptography in the same run
# make clean-services   stops what `scripts/services start` left running

# Rust is where rustup put it even when the shell was not told.
export PATH := $(PATH):$(HOME)/.cargo/bin
TARGET := $(or $(CARGO_TARGET_DIR),target)
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test check bench clean-services

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

bench:
	@scripts/setup build >&2
	cargo bench --locked --bench micro

clean-services:
	@scripts/services stop
