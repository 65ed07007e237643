# One command each, from a fresh clone; every target first sets up what it lacks.
# Python and pulumi are found, or made, by tools/.

CODE = policy cli sandbox bench tools tests __main__.py
VENV = .venv/bin

# The Python to set up with; without it: .venv's, or the first of python3.13 ... python3.10, python3.
PYTHON ?=
export PYTHON

# Tests of one file share what is made once for it, so they stay on one worker.
PYTEST_ARGS ?= --numprocesses auto --maxprocesses 4 --dist loadfile
export PYTEST_ARGS

# The versions that `make test-pythons` runs; without any, all that the project supports.
PYTHONS ?=

# "exec", so that a signal to make reaches the command and not only a shell around it.
SETUP = @python=$$(tools/find-python.sh) && exec "$$python" -m
# The engine is found on PATH, by the Automation API as by a shell.
WITH_PULUMI = @pulumi=$$($(VENV)/python -m tools.pulumi_binary) && exec env PATH="$${pulumi%/*}:$$PATH"

.PHONY: help setup venvs pulumi demo test check test-pythons format pulumi-path bench soak clean

help:
	@echo 'make demo         shows a preview and an update stopped by a missing layer, with no AWS account'
	@echo 'make test         checks formatting, lint and types, and runs the tests (also: make check)'
	@echo 'make test-pythons runs the unit tests on Python 3.10 to 3.13, those that this machine has'
	@echo 'make setup        sets up alone: two virtual environments and the pulumi binary'
	@echo 'make pulumi-path  prints the path of the pulumi binary in use (make -s for nothing else)'
	@echo 'make format       formats the code'
	@echo 'make bench        measures what the gate costs and writes docs/benchmark.md: half an hour'
	@echo 'make soak         checks 5,000 images with and without a troubled network, and prints what it took'
	@echo 'make clean        removes the virtual environments and the caches in this clone'

setup: venvs pulumi

venvs:
	$(SETUP) tools.venvs

pulumi:
	$(SETUP) tools.pulumi_binary >/dev/null

pulumi-path:
	$(SETUP) tools.pulumi_binary

demo: setup
	$(WITH_PULUMI) $(VENV)/python -m layerguard_sandbox.demo

test: check

# mypy takes one module of a name at a time, and the pack has a __main__.py as the stack has.
check: setup
	$(VENV)/ruff format --check $(CODE)
	$(VENV)/ruff check $(CODE)
	$(VENV)/mypy $(filter-out __main__.py,$(CODE))
	$(VENV)/mypy __main__.py
	$(WITH_PULUMI) $(VENV)/python -m pytest $(PYTEST_ARGS)

# PYTHONS='3.10 3.13' for some of them.
test-pythons: venvs
	$(SETUP) tools.pythons $(PYTHONS)

format: venvs
	$(VENV)/ruff format $(CODE)
	$(VENV)/ruff check --fix $(CODE)

# ARGS=--quick measures in minutes the cells of the targets, and prints the page.
bench: setup
	$(WITH_PULUMI) $(VENV)/python -m bench $(ARGS)

# ARGS='--images 500' for a smaller one.
soak: venvs
	$(VENV)/python -m bench.soak $(ARGS)

clean:
	rm -rf .venv .venv-3.* policy/venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
	find . -name '*.egg-info' -prune -exec rm -rf {} +
