"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# Before anyone imports TensorFlow: its start-up chatter would bury a failure's message.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Reference figures and data, which stand beside the checkout and are never part of it."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        reason = "the reference figures (../shared) are not on this machine"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; under CI they must be")
        pytest.skip(reason)
    return folder
