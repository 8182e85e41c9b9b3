# Two commands on a fresh machine with Python 3.11+, make and git: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check format bench test-servers clean
.DEFAULT_GOAL := test

.venv/.ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	$(BIN)/python -m compileall -q contextvqa_async
	touch $@

demo: .venv/.ready  ## the main job on the embedded simulator
	rm -rf demo && mkdir demo
	$(BIN)/cvqa-async examples/records.jsonl demo/out.jsonl --simulate
	@$(BIN)/python examples/show.py demo/out.jsonl

test: check  ## everything: style, types, tests
	$(BIN)/python -m pytest

check: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv-bench/.ready: tests/benchmark/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	.venv-bench/bin/python -m pip install --quiet --requirement $<
	touch $@

bench: .venv/.ready .venv-bench/.ready  ## speed beside other clients, a quarter of an hour; BENCH="--rounds 5 --modes burst"
	@PYTHONPATH=tests $(BIN)/python -m benchmark $(BENCH)

.venv-servers/.ready: tests/servers/requirements.txt
	$(PYTHON) -m venv .venv-servers
	.venv-servers/bin/python -m pip install --quiet --requirement $<
	touch $@

test-servers: .venv/.ready .venv-servers/.ready  ## against litellm, guidellm and nginx on loopback, some minutes
	CVQA_TEST_SERVERS=$(CURDIR)/.venv-servers/bin $(BIN)/python -m pytest tests/servers

clean:
	rm -rf .venv .venv-bench .venv-servers demo build dist .mypy_cache .ruff_cache .pytest_cache
