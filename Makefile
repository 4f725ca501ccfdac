# Every target sets itself up: a virtual environment with the exact versions of requirements.lock.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready

.PHONY: demo test lint bench train-smoke tensorboard clean

demo: $(READY)
	$(RUN) -m wbc_tf.demo --output=demo

test: $(READY)
	$(RUN) -m pytest

lint: $(READY)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

bench: $(READY)
	$(RUN) -m benchmarks $(ONLY)

train-smoke: $(READY)
	$(RUN) train.py --flagfile=configs/smoke.cfg

RUNS ?= runs
tensorboard: $(READY)
	$(RUN) -m tensorboard.main --logdir $(RUNS)

clean:
	rm -rf $(VENV) demo build dist *.egg-info

$(READY): requirements.lock setup.py
	$(PYTHON) -c 'import sys; assert (3, 11) == sys.version_info[:2], "the lock file is for Python 3.11, not %d.%d: set PYTHON=..." % sys.version_info[:2]'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(READY)
