"""Cartoons from a model server, over gRPC or REST."""

from __future__ import annotations

import base64
import itertools
import json
import random
import re
import socket
import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any, Protocol, TypeVar
from urllib.error import HTTPError
from urllib.parse import quote

#: Pauses between attempts double from the first to the longest. Each varies at random by up to a
#: half, so that clients that were refused at the same time do not all try again at the same time.
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0

_SIGNATURE, _INPUT, _OUTPUT = "serving_default", "image_bytes", "cartoon_bytes"
Answer = TypeVar("Answer")
_PASSING_HTTP = (429, 502, 503, 504)


class ServerError(Exception):
    """A request that brought no cartoon.

    Attributes:
      passing: whether the same request may succeed later: the server was away or too busy.
    """

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class Connection(Protocol):
    """A model on a server; may be used by several threads at once."""

    def check(self, *, timeout: float) -> None:
        """Asks whether the server has the model.

        Raises:
          ServerError: it has not, or does not answer within `timeout` seconds.
        """

    def cartoonize(self, image: bytes, *, timeout: float) -> bytes:
        """Sends one picture's file content and returns the cartoon's.

        Raises:
          ServerError: no cartoon within `timeout` seconds; the message says why.
        """

    def close(self) -> None:
        """Ends the connection."""


def connect(server: str, *, model_name: str) -> Connection:
    """A connection by its address: ``http://host:8501`` speaks REST, ``host:8500`` gRPC.

    Raises:
      ImportError: gRPC without the extra ``[serving]``.
    """
    if server.startswith(("http://", "https://")):
        return RestConnection(server, model_name=model_name)
    return GrpcConnection(server, model_name=model_name)


class GrpcConnection:
    """TensorFlow Serving's PredictionService."""

    def __init__(self, address: str, *, model_name: str) -> None:
        import grpc
        from tensorflow_serving.apis import prediction_service_pb2_grpc

        self._address = address
        self._model_name = model_name
        # gRPC's own limit of 4 MB for an answer is less than many a PNG.
        unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self._channel = grpc.insecure_channel(address, options=unlimited)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def close(self) -> None:
        """See `Connection`."""
        self._channel.close()

    def check(self, *, timeout: float) -> None:
        """See `Connection`."""
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest()
        request.model_spec.name = self._model_name
        request.metadata_field.append("signature_def")
        self._call(self._stub.GetModelMetadata, request, timeout)

    def cartoonize(self, image: bytes, *, timeout: float) -> bytes:
        """See `Connection`."""
        from tensorflow.core.framework import types_pb2
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.name = self._model_name
        request.model_spec.signature_name = _SIGNATURE
        tensor = request.inputs[_INPUT]
        tensor.dtype = types_pb2.DT_STRING
        tensor.tensor_shape.dim.add(size=1)
        tensor.string_val.append(image)
        answer = self._call(self._stub.Predict, request, timeout)
        cartoons = answer.outputs[_OUTPUT].string_val
        if len(cartoons) != 1:
            raise ServerError(f"{self._address}: {len(cartoons)} cartoons came back for one photo")
        return bytes(cartoons[0])

    def _call(self, method: Callable[..., Any], request: Any, timeout: float) -> Any:
        import grpc

        try:
            return method(request, timeout=timeout)
        except grpc.RpcError as error:
            code = error.code()
            passing = code in (
                grpc.StatusCode.UNAVAILABLE,
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                grpc.StatusCode.ABORTED,
            )
            message = f"{self._address}: {_concise(error.details() or '')} ({code.name})"
            raise ServerError(message, passing=passing) from error


class RestConnection:
    """TensorFlow Serving's REST interface."""

    def __init__(self, url: str, *, model_name: str) -> None:
        self._url = f"{url.rstrip('/')}/v1/models/{quote(model_name, safe='')}"

    def close(self) -> None:
        """See `Connection`; each request has a connection of its own, which is closed already."""

    def check(self, *, timeout: float) -> None:
        """See `Connection`."""
        self._call(self._url, None, timeout)

    def cartoonize(self, image: bytes, *, timeout: float) -> bytes:
        """See `Connection`."""
        request = {
            "signature_name": _SIGNATURE,
            # By its name: the signature has optional inputs too.
            "instances": [{_INPUT: {"b64": base64.b64encode(image).decode("ascii")}}],
        }
        answer = self._call(f"{self._url}:predict", request, timeout)
        try:
            (cartoon,) = answer["predictions"]
            return base64.b64decode(cartoon["b64"], validate=True)
        except (KeyError, TypeError, ValueError) as error:
            raise ServerError(f"{self._url}: no answer of a model server") from error

    def _call(self, url: str, content: dict[str, Any] | None, timeout: float) -> Any:
        data = None if content is None else json.dumps(content).encode("ascii")
        headers = {"Content-Type": "application/json"}
        end = time.monotonic() + timeout
        try:
            request = urllib.request.Request(url, data=data, headers=headers)
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return json.loads(_read_all(response, end=end))
        except HTTPError as error:
            with error:
                body = error.read().decode("utf-8", errors="replace")
            message = f"{self._url}: {_concise(_json_error(body))} (HTTP {error.code})"
            raise ServerError(message, passing=error.code in _PASSING_HTTP) from error
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            if isinstance(reason, socket.timeout):
                raise ServerError(f"{self._url}: no answer in {timeout:.1f} s") from error
            # Refused, unknown, or cut off: the server may be starting or going.
            raise ServerError(f"{self._url}: {reason!r}", passing=True) from error
        except ValueError as error:  # no JSON, or no URL at all
            raise ServerError(f"{self._url}: no answer of a model server ({error})") from error


def _read_all(response: HTTPResponse, *, end: float) -> bytes:
    """The whole body, by the time `end`: a socket's own limit counts from one read to the next."""
    parts = []
    while part := response.read1(2**20):
        if time.monotonic() > end:
            raise socket.timeout
        parts.append(part)
    if response.length:  # what it announced and did not send
        raise IncompleteRead(b"", response.length)
    return b"".join(parts)


def _json_error(body: str) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return body.strip()[:200]


def _concise(message: str) -> str:
    """What went wrong, without the names of the graph's nodes around it."""
    found = re.search(r"assertion failed: \[(\w+\[\d+\]: [^\]]*)\]", message)
    return found[1] if found else message


def with_retries(
    attempt: Callable[[float], Answer],
    *,
    retries: int,
    deadline: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """Asks a server again while the reason for failing may pass.

    Args:
      attempt: asks once, within the seconds that it is given.
      retries: attempts after the first.
      deadline: seconds for all attempts and pauses together.
      sleep: for tests.
      clock: for tests.

    Raises:
      ServerError: of the last attempt.
    """
    end = clock() + deadline
    for tries in itertools.count(1):
        try:
            return attempt(max(end - clock(), 0.001))
        except ServerError as error:
            pause = min(FIRST_PAUSE_SECONDS * 2 ** (tries - 1), LONGEST_PAUSE_SECONDS)
            pause *= random.uniform(0.5, 1.5)
            if not error.passing:
                raise
            if tries > retries or clock() + pause >= end:
                plural = "s" if tries > 1 else ""
                raise ServerError(f"{error}, {tries} attempt{plural}", passing=True) from error
        sleep(pause)
    raise AssertionError("counting never ends")
