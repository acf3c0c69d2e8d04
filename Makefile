# Two commands for a stranger: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
STAMP  := $(VENV)/.ready-check

.PHONY: help demo test test-slow check format bench lock servers clean

help:
	@echo "make demo [SECONDS=N] [STACK=servers]  a simulated community on this machine, end to end"
	@echo "make test                              everything it needs, then every test"
	@echo "make check                             format, lint, types, tests"
	@echo "make bench                             figures: memory, CPU, latency, line use"
	@echo "make test-slow                         the tests that take minutes"
	@echo "make lock                              refresh requirements/*.txt"

$(READY): requirements/all.txt pyproject.toml .ci/venv
	@bash .ci/venv $(PYTHON) $(VENV) requirements/all.txt
	@touch $@

$(STAMP): requirements/check.txt pyproject.toml .ci/venv
	@bash .ci/venv $(PYTHON) $(VENV) requirements/check.txt
	@touch $@ $(READY)

demo: $(READY)
	@if [ "$(STACK)" = servers ]; then bash .ci/servers; fi
	@$(BIN)/tocsin demo $(if $(SECONDS),--seconds $(SECONDS)) $(if $(STACK),--stack $(STACK))

servers:
	@bash .ci/servers

test: $(STAMP) servers
	@$(BIN)/python -m pytest -q

test-slow: $(STAMP) servers
	@$(BIN)/python -m pytest -q -m slow

check: $(STAMP) servers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q

format: $(STAMP)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMP) servers
	@$(BIN)/python -m tests.bench

lock:
	@$(PYTHON) -m uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements/gateway.txt
	@$(PYTHON) -m uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --all-extras --group build pyproject.toml -o requirements/all.txt
	@$(PYTHON) -m uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --all-extras --group build --group check pyproject.toml -o requirements/check.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
