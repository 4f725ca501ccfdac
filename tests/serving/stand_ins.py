"""What stands in for TensorFlow Serving, whose binary the tests cannot have.

The model is loaded as the server loads it, into a plain session; gRPC is the real protocol, from
TensorFlow's own package; REST follows its documentation (tensorflow.org/tfx/serving/api_rest). What
is tested against these is the contract, not the server.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)


class PlainModel:
    """A SavedModel in a plain session, signatures by name: all that the server's C++ sees."""

    def __init__(self, version: Path) -> None:
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        with self._session.graph.as_default():
            loaded = tf.compat.v1.saved_model.load(self._session, ["serve"], str(version))
        self.signatures = dict(loaded.signature_def)

    def predict(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Runs a signature; KeyError and ValueError for what it does not have or not take."""
        definition = self.signatures[signature]
        # What a signature has a default for may be left out.
        left_out = set(definition.inputs) - set(inputs)
        if not left_out <= set(definition.defaults) or not set(inputs) <= set(definition.inputs):
            raise ValueError(f"inputs are {sorted(definition.inputs)}, not {sorted(inputs)}")
        inputs = {
            **inputs,
            **{name: tf.make_ndarray(definition.defaults[name]) for name in left_out},
        }
        feed = {definition.inputs[name].name: value for name, value in inputs.items()}
        fetch = {name: tensor.name for name, tensor in definition.outputs.items()}
        return self._session.run(fetch, feed)


@dataclass
class StandIn:
    """A running server of both kinds, under the model name ``cartoonist``."""

    model: PlainModel
    grpc_address: str = ""
    rest_url: str = ""
    #: Requests still to be turned away as a busy server does.
    turn_away: int = 0
    #: Pictures that were asked for, turned away or not.
    asked: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    name = "cartoonist"

    def busy(self) -> bool:
        """Counts a request; whether it is one to be turned away."""
        with self.lock:
            self.asked += 1
            self.turn_away -= 1
            return self.turn_away >= 0


@contextmanager
def serve(version: Path) -> Iterator[StandIn]:
    """Serves a version over gRPC and REST on loopback."""
    stand_in = StandIn(PlainModel(version))
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    pool = ThreadPoolExecutor(max_workers=16)
    grpc_server = grpc.server(pool, options=unlimited)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _Servicer(stand_in), grpc_server
    )
    stand_in.grpc_address = f"localhost:{grpc_server.add_insecure_port('localhost:0')}"
    grpc_server.start()
    http_server = _HttpServer(("127.0.0.1", 0), _handler(stand_in))
    stand_in.rest_url = f"http://127.0.0.1:{http_server.server_address[1]}"
    thread = threading.Thread(target=http_server.serve_forever, daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        grpc_server.stop(0).wait()
        http_server.shutdown()
        http_server.server_close()
        thread.join()


class _Servicer(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        if self._stand_in.busy():
            context.abort(grpc.StatusCode.UNAVAILABLE, "the batch scheduling queue is full")
        self._check_name(request, context)
        signature = request.model_spec.signature_name or "serving_default"
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        try:
            outputs = self._stand_in.model.predict(signature, inputs)
        except (tf.errors.InvalidArgumentError, ValueError, KeyError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        response = predict_pb2.PredictResponse()
        for name, value in outputs.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response

    def GetModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        self._check_name(request, context)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in self._stand_in.model.signatures.items():
            signatures.signature_def[name].CopyFrom(definition)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.metadata["signature_def"].Pack(signatures)
        return response

    def _check_name(self, request: Any, context: grpc.ServicerContext) -> None:
        name = request.model_spec.name
        if name != self._stand_in.name:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found: {name}")


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != f"/v1/models/{stand_in.name}":
                return self._answer(404, {"error": "Servable not found"})
            status = {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK"}}
            return self._answer(200, {"model_version_status": [status]})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if stand_in.busy():
                return self._answer(503, {"error": "the batch scheduling queue is full"})
            if self.path != f"/v1/models/{stand_in.name}:predict":
                return self._answer(404, {"error": "Servable not found"})
            try:
                return self._answer(200, predict_json(stand_in.model, json.loads(body)))
            except (tf.errors.InvalidArgumentError, ValueError, KeyError) as error:
                return self._answer(400, {"error": str(error)})

        def _answer(self, status: int, content: Any) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def predict_json(model: PlainModel, request: Mapping[str, Any]) -> dict[str, Any]:
    """One REST prediction: rows under ``instances``, or columns under ``inputs``."""
    signature = request.get("signature_name", "serving_default")
    definition = model.signatures[signature]
    rows = "instances" in request
    if rows == ("inputs" in request):
        raise ValueError("give either 'instances' or 'inputs'")
    columns = _columns(request["instances"]) if rows else request["inputs"]
    if not isinstance(columns, dict) or "b64" in columns:
        (only,) = set(definition.inputs) - set(definition.defaults)
        columns = {only: columns}
    inputs = {
        name: _array(value, tf.as_dtype(definition.inputs[name].dtype))
        for name, value in columns.items()
    }
    outputs = {
        name: _jsonable(value, as_base64=name.endswith("_bytes"))
        for name, value in model.predict(signature, inputs).items()
    }
    if rows:
        if len(outputs) == 1:
            return {"predictions": next(iter(outputs.values()))}
        names = list(outputs)
        return {"predictions": [dict(zip(names, row)) for row in zip(*outputs.values())]}
    return {"outputs": next(iter(outputs.values())) if len(outputs) == 1 else outputs}


def _columns(instances: list[Any]) -> Any:
    named = isinstance(instances[0], dict) and "b64" not in instances[0]
    if not named:
        return instances
    return {name: [instance[name] for instance in instances] for name in instances[0]}


def _array(value: Any, dtype: tf.DType) -> np.ndarray:
    if dtype == tf.string:
        values = value if isinstance(value, list) else [value]
        return np.array([base64.b64decode(each["b64"]) for each in values], dtype=object)
    return np.array(value, dtype=dtype.as_numpy_dtype)


def _jsonable(value: np.ndarray, *, as_base64: bool) -> list[Any]:
    if not as_base64:
        return value.tolist()
    return [{"b64": base64.b64encode(each).decode("ascii")} for each in value]
