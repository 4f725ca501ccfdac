from __future__ import annotations

import contextlib
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.serving.stand_ins import PlainModel, StandIn, predict_json, serve
from wbc_tf.files.pictures import decode_photo, encode_image
from wbc_tf.inference.cartoonizer import Cartoonizer
from wbc_tf.serving.remote import (
    Connection,
    GrpcConnection,
    RestConnection,
    ServerError,
    connect,
    with_retries,
)
from wbc_tf.serving.sample_photo import sample_photo

PHOTO = encode_image(sample_photo(30, 41), file_format="PNG")


@pytest.fixture(scope="module")
def server(exported: Path) -> Iterator[StandIn]:
    with serve(exported) as running:
        yield running


@pytest.fixture(params=["grpc", "rest"])
def connection(server: StandIn, request: pytest.FixtureRequest) -> Connection:
    address = server.grpc_address if request.param == "grpc" else server.rest_url
    return connect(address, model_name=server.name)


def test_the_address_tells_the_protocol() -> None:
    assert isinstance(connect("localhost:8500", model_name="m"), GrpcConnection)
    assert isinstance(connect("http://localhost:8501", model_name="m"), RestConnection)
    assert isinstance(connect("https://models.example/tf/", model_name="m"), RestConnection)


def test_a_photo_comes_back_as_its_cartoon(connection: Connection, exported: Path) -> None:
    connection.check(timeout=300)
    cartoon = decode_photo(connection.cartoonize(PHOTO, timeout=300), name="answer").rgb
    expected = Cartoonizer.load(exported)(sample_photo(30, 41), short_side=96)
    assert np.abs(cartoon.astype(int) - expected).max() <= 1


def test_a_broken_photo_is_an_error_for_people(connection: Connection) -> None:
    with pytest.raises(ServerError, match=r"image_bytes\[0\]: the picture is broken") as error:
        connection.cartoonize(PHOTO[:-40], timeout=300)
    assert not error.value.passing
    assert "node" not in str(error.value), "the names of the graph's nodes help nobody"


def test_another_model_name(server: StandIn) -> None:
    for address in (server.grpc_address, server.rest_url):
        other = connect(address, model_name="stranger")
        with pytest.raises(ServerError, match=r"(?i)servable not found") as error:
            other.check(timeout=300)
        assert not error.value.passing


def test_a_busy_server_is_tried_again(server: StandIn, connection: Connection) -> None:
    server.turn_away = 2
    pauses: list[float] = []
    answer = with_retries(
        lambda seconds: connection.cartoonize(PHOTO, timeout=seconds),
        retries=2,
        deadline=600,
        sleep=pauses.append,
    )
    assert decode_photo(answer, name="answer").rgb.shape == (30, 41, 3)
    assert len(pauses) == 2


def test_no_server_may_pass() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        for address in (f"127.0.0.1:{port}", f"http://127.0.0.1:{port}"):
            with pytest.raises(ServerError, match=f"{port}") as error:
                connect(address, model_name="m").check(timeout=5)
            assert error.value.passing


@contextmanager
def raw_server(answer: bytes | None) -> Iterator[str]:
    """Answers one HTTP request with these bytes, or, when None, keeps the client waiting."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        done = threading.Event()

        def run() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(1 << 16)
                if answer is None:
                    done.wait(300)
                else:
                    client.sendall(answer)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            done.set()
            thread.join()


def http(body: bytes, status: str = "200 OK", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    ("answer", "message", "passing"),
    [
        (http(b"<html>hello</html>"), "no answer of a model server", False),
        (http(b'{"predictions": [{"b64": "%%"}]}'), "no answer of a model server", False),
        (http(b'{"predictions": []}'), "no answer of a model server", False),
        (http(b"[1, 2]"), "no answer of a model server", False),
        # A server that closes before it has read the whole request resets the connection.
        (http(b"{", length=500), "IncompleteRead|ConnectionReset", True),
        (b"", "closed connection|ConnectionReset", True),
        (http(b'{"error": "full"}', "503 Service Unavailable"), r"full \(HTTP 503\)", True),
        (http(b"plain text", "502 Bad Gateway"), r"plain text \(HTTP 502\)", True),
        (http(b'{"error": "no"}', "400 Bad Request"), r"no \(HTTP 400\)", False),
    ],
)
def test_what_is_no_cartoon_is_an_error(answer: bytes, message: str, passing: bool) -> None:
    with raw_server(answer) as url, pytest.raises(ServerError, match=message) as error:
        RestConnection(url, model_name="m").cartoonize(PHOTO, timeout=300)
    assert error.value.passing == passing


def test_the_deadline_holds_over_rest() -> None:
    with raw_server(None) as url, pytest.raises(ServerError, match="no answer in") as error:
        RestConnection(url, model_name="m").cartoonize(PHOTO, timeout=0.2)
    assert not error.value.passing


class Clock:
    """Time that passes only in pauses, and `each` second per attempt."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def test_pauses_double_up_to_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: (low + high) / 2)
    clock, given = Clock(), []

    def attempt(seconds: float) -> None:
        given.append(seconds)
        raise ServerError("away", passing=True)

    with pytest.raises(ServerError, match="away, 9 attempts"):
        with_retries(attempt, retries=8, deadline=1000, sleep=clock.sleep, clock=clock)
    np.testing.assert_allclose(clock.pauses, [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10])
    np.testing.assert_allclose(given, 1000 - np.cumsum([0, *clock.pauses]))


def test_no_pause_goes_past_the_deadline() -> None:
    clock = Clock()

    def attempt(seconds: float) -> None:
        raise ServerError("away", passing=True)

    with pytest.raises(ServerError, match="away"):
        with_retries(attempt, retries=1000, deadline=5, sleep=clock.sleep, clock=clock)
    assert 0 < clock.now < 5


def test_what_does_not_pass_is_not_tried_again() -> None:
    attempts = []

    def attempt(seconds: float) -> None:
        attempts.append(seconds)
        raise ServerError("broken picture")

    with pytest.raises(ServerError, match=r"^broken picture$"):
        with_retries(attempt, retries=5, deadline=5)
    assert len(attempts) == 1


# The REST forms, by TensorFlow Serving's documentation.


@pytest.fixture(scope="module")
def plain(exported: Path) -> PlainModel:
    return PlainModel(exported)


def b64(data: bytes) -> dict[str, str]:
    import base64

    return {"b64": base64.b64encode(data).decode("ascii")}


def test_rest_rows_and_columns_say_the_same(plain: PlainModel) -> None:
    rows = predict_json(plain, {"instances": [b64(PHOTO), b64(PHOTO)]})["predictions"]
    assert len(rows) == 2
    assert set(rows[0]) == {"b64"}, "an output whose name ends in _bytes comes as base64"
    named = {"instances": [{"image_bytes": b64(PHOTO)}], "signature_name": "serving_default"}
    assert predict_json(plain, named)["predictions"] == rows[:1]
    assert predict_json(plain, {"inputs": {"image_bytes": [b64(PHOTO)]}})["outputs"] == rows[:1]
    assert predict_json(plain, {"inputs": [b64(PHOTO)]})["outputs"] == rows[:1]


def test_rest_speaks_of_arrays_too(plain: PlainModel) -> None:
    photo = sample_photo(6, 7)
    request = {"signature_name": "predict_uint8", "instances": [photo.tolist()]}
    (cartoon,) = predict_json(plain, request)["predictions"]
    expected = plain.predict("predict_uint8", {"photo": photo[None]})["cartoon"][0]
    np.testing.assert_array_equal(cartoon, expected)
    floats = (photo / 127.5 - 1).tolist()
    request = {"signature_name": "predict_float", "inputs": {"photo": [floats]}}
    assert np.shape(predict_json(plain, request)["outputs"]) == (1, 6, 7, 3)


def test_the_deadline_counts_for_the_whole_answer() -> None:
    # Every byte comes in time, and the answer never ends.
    stop = threading.Event()

    def drip(listener: socket.socket) -> None:
        client, _ = listener.accept()
        with client, contextlib.suppress(OSError):
            client.recv(65536)
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while not stop.wait(0.05):
                client.sendall(b" ")

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=drip, args=[listener], daemon=True)
        thread.start()
        connection = connect(f"http://127.0.0.1:{listener.getsockname()[1]}", model_name="m")
        try:
            with pytest.raises(ServerError, match=r"no answer in 0\.5 s"):
                connection.cartoonize(PHOTO, timeout=0.5)
        finally:
            stop.set()
            thread.join()


def test_a_grpc_connection_can_be_closed(server: StandIn) -> None:
    connection = connect(server.grpc_address, model_name=server.name)
    connection.check(timeout=300)
    connection.close()
    with pytest.raises(ValueError, match="closed channel"):
        connection.check(timeout=300)
