# Two commands for a stranger: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
STAMP  := $(VENV)/.ready-check
JOBS   ?= 3
PYTEST := $(BIN)/python -m pytest -q
# Beside each other, since many tests wait for servers and timeouts; then, alone, what measures time.
TESTS   = $(PYTEST) -n $(JOBS) --dist worksteal -m "not slow and not alone" && $(PYTEST) -m "alone and not slow"

.PHONY: help demo test test-slow check format bench fuzz lock servers clean

help:
	@echo "make demo [SECONDS=N] [STACK=servers]  a simulated community on this machine, end to end"
	@echo "make test [JOBS=3]                     everything it needs, then every test"
	@echo "make check                             format, lint, types, tests"
	@echo "make bench                             figures: memory, CPU, latency, line use"
	@echo "make test-slow                         the tests that take minutes"
	@echo "make fuzz [SECONDS=600] [JOBS=1]       coverage-guided fuzzing of every codec"
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
	@$(TESTS)

test-slow: $(STAMP) servers
	@$(PYTEST) -m slow

check: $(STAMP) servers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(TESTS)

format: $(STAMP)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(STAMP) servers
	@$(BIN)/python -m tests.bench

# atheris is no dependency: it is installed when it is wanted. It needs no server.
fuzz: JOBS = 1
fuzz: $(STAMP)
	@$(BIN)/python -c 'import atheris' 2>/dev/null || $(BIN)/python -m pip install -q --disable-pip-version-check 'atheris>=3,<4'
	@$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),600) --jobs $(JOBS)

lock:
	@$(PYTHON) -m uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements/gateway.txt
	@$(PYTHON) -m uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --all-extras --group build pyproject.toml -o requirements/all.txt
	@$(PYTHON) -m uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --all-extras --group build --group check pyproject.toml -o requirements/check.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
