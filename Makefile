# Every target sets itself up: a virtual environment with the project and the extras that the target
# needs, in the exact versions of requirements.lock.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip install --quiet --disable-pip-version-check --constraint requirements.lock
PICTURES := $(VENV)/.ready-pictures
PAGE := $(VENV)/.ready-page
ALL := $(VENV)/.ready-all
BENCH := $(VENV)/.ready-bench

.PHONY: demo app test lint bench docs train-smoke tensorboard clean

demo: $(PICTURES)
	$(RUN) -m wbc_tf.demo --output=demo

app: $(PAGE)
	$(RUN) -m wbc_tf.app

# Tests go to two processes, each file as a whole, the long ones first; see tests/side_by_side.py.
# One file by hand: .venv/bin/python -m pytest tests/FILE
test: $(ALL)
	$(RUN) -m pytest --numprocesses=2 --dist=loadscope

lint: $(ALL)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/hadolint Dockerfile spaces/Dockerfile

bench: $(BENCH)
	$(RUN) -m benchmarks $(ONLY)

# What the documentation shows: the notebook's outputs and the pictures of the page (needs Chromium).
docs: $(ALL)
	$(VENV)/bin/jupyter execute --inplace --startup_timeout=600 docs/quickstart.ipynb
	$(RUN) -m tests.page.screenshots

train-smoke: $(PICTURES)
	$(RUN) train.py --flagfile=configs/smoke.cfg

RUNS ?= runs
tensorboard: $(PICTURES)
	$(RUN) -m tensorboard.main --logdir $(RUNS)

clean:
	rm -rf $(VENV) demo build dist *.egg-info

$(RUN):
	$(PYTHON) -c 'import sys; assert (3, 11) == sys.version_info[:2], "the lock file is for Python 3.11, not %d.%d: set PYTHON=..." % sys.version_info[:2]'
	$(PYTHON) -m venv $(VENV)

# What pictures and videos need.
$(PICTURES): requirements.lock setup.py | $(RUN)
	$(PIP) --editable '.[video]'
	touch $@

# What the page needs.
$(PAGE): requirements.lock setup.py | $(RUN)
	$(PIP) --editable '.[app,video]'
	touch $@ $(PICTURES)

# Everything: the page, the cluster, ONNX, serving, and what develops and tests them.
$(ALL): requirements.lock setup.py | $(RUN)
	$(PIP) --editable '.[app,cluster,dev,onnx,serving,video]'
	touch $@ $(PICTURES) $(PAGE)

# And the programs that benchmarks compare with.
$(BENCH): $(ALL)
	$(PIP) --editable '.[bench]'
	touch $@
