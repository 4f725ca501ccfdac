"""Dockerfile, docker-compose.yml and spaces/, read as Docker would."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from wbc_tf import app, cartoonize


def instructions(file: Path) -> list[tuple[str, str]]:
    """(instruction, arguments) of a Dockerfile, without comments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", file.read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line.strip()]


@pytest.fixture(params=["Dockerfile", "spaces/Dockerfile"])
def steps(request: pytest.FixtureRequest, root: Path) -> list[tuple[str, str]]:
    return instructions(root / request.param)


def test_versions_come_from_the_lock_file(steps: list[tuple[str, str]], root: Path) -> None:
    (run,) = [arguments for name, arguments in steps if name == "RUN"]
    install = shlex.split(run.split("&&")[0])
    assert install[:2] == ["pip", "install"]
    assert install[install.index("--constraint") + 1] == "requirements.lock"
    lock = (root / "requirements.lock").read_text("utf-8")
    # What the image installs is pinned there; only the NVIDIA libraries are TensorFlow's own pins.
    names = {re.split("[<>=]", line)[0].lower() for line in lock.splitlines() if "==" in line}
    assert {"tensorflow", "gradio", "av", "numpy", "pillow"} <= names
    (target,) = [word for word in install if word.startswith(".")]
    extras = target.replace("${GPU:+,gpu}", "").strip(".[]").split(",")
    assert extras == ["app", "video"]


def test_it_runs_as_nobody_in_particular_and_copies_what_is_there(
    steps: list[tuple[str, str]], root: Path
) -> None:
    names = [name for name, _ in steps]
    assert names.index("USER") < names.index("CMD")
    assert dict(steps)["USER"] == "1000:1000"
    assert dict(steps)["FROM"].startswith("python:3.11-")
    ignored = (root / ".dockerignore").read_text("utf-8").splitlines()
    for name, arguments in steps:
        if name == "COPY":
            for source in arguments.split()[:-1]:
                assert (root / source).exists()
                assert f"!{source}" in ignored, f"{source} does not reach the build"


def test_the_command_is_one_that_the_page_understands(steps: list[tuple[str, str]]) -> None:
    command, *arguments = json.loads(dict(steps)["CMD"])
    assert command == "wbc-app"
    values = app.define_flags()
    values([command, *arguments])
    assert (values.host, values.port, values.public) == ("0.0.0.0", 7860, True)
    assert dict(steps)["EXPOSE"] == str(values.port)


def test_hugging_face_may_show_its_space_in_a_frame(root: Path) -> None:
    _, *arguments = json.loads(dict(instructions(root / "spaces" / "Dockerfile"))["CMD"])
    values = app.define_flags()
    values(["wbc-app", *arguments])
    assert values.embedded_by == "https://huggingface.co"


def test_the_compose_file_gives_the_containers_little(root: Path) -> None:
    services = yaml.safe_load((root / "docker-compose.yml").read_text("utf-8"))["services"]
    assert set(services) == {"page", "cartoonize"}
    for service in services.values():
        assert service["read_only"] is True
        assert service["user"] == "1000:1000"
        assert service["cap_drop"] == ["ALL"]
        assert any(mount.startswith("/tmp") for mount in service["tmpfs"])
    assert services["page"]["ports"] == ["127.0.0.1:7860:7860"]
    assert "healthcheck" not in services["page"], "that of the image counts"
    assert "HEALTHCHECK" in dict(instructions(root / "Dockerfile"))


def test_the_command_line_of_the_compose_file_reads_and_writes_its_mounts(root: Path) -> None:
    services = yaml.safe_load((root / "docker-compose.yml").read_text("utf-8"))["services"]
    service = services["cartoonize"]
    assert service["command"][0] == "wbc-cartoonize"
    values = cartoonize.define_flags()
    values(service["command"])
    mounts = [mount.split(":")[1:] for mount in service["volumes"]]
    assert mounts == [[*values.input, "ro"], [values.output]]


def test_the_space_says_how_it_is_run(root: Path) -> None:
    _, header, _ = (root / "spaces" / "README.md").read_text("utf-8").split("---\n", 2)
    stated = yaml.safe_load(header)
    assert (stated["sdk"], stated["app_port"]) == ("docker", 7860)
