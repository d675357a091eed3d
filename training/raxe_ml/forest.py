"""The classifier ``multi_head_random_forest``: three forests on embeddings of a finished encoder, as one ONNX graph."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, compose, helper, numpy_helper
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier

from raxe_ml.rows import Row

OPSET = 17
_EDGE = 1e-4  # a forest may answer 0 or 1, which have no logit
_TREES, _LEAST_LEAF, _DEPTH = 80, 10, 12  # 47 shares stand in each leaf: small forests keep the graph below 10 MB


@dataclass(frozen=True, slots=True)
class Forests:
    """One fitted forest a head, and where its classes stand among the names of that head."""

    binary: RandomForestClassifier
    family: RandomForestClassifier
    subfamily: RandomForestClassifier
    families: int
    subfamilies: int


def grow(
    embeddings: NDArray[np.float32], rows: Sequence[Row], families: Sequence[str], subfamilies: Sequence[str], seed: int
) -> Forests:
    """Forests on ``(N, D)`` embeddings of the rows; rows without a label of a head are left out of its forest."""

    def fitted(labels: list[int]) -> RandomForestClassifier:
        forest = RandomForestClassifier(
            _TREES,
            max_depth=_DEPTH,
            min_samples_leaf=_LEAST_LEAF,
            class_weight="balanced",
            random_state=seed,
            n_jobs=-1,
        )
        known = np.array(labels) >= 0
        return forest.fit(embeddings[known], np.array(labels)[known])

    def place(names: Sequence[str], name: str) -> int:
        return names.index(name) if name in names else -1

    return Forests(
        fitted([int(row.is_attack) for row in rows]),
        fitted([place(families, row.family) for row in rows]),
        fitted([place(subfamilies, row.subfamily) if row.is_attack else -1 for row in rows]),
        len(families),
        len(subfamilies),
    )


def export_forests(forests: Forests, temperature: float, bias: float) -> bytes:
    """The bytes of a graph with the inputs and outputs of ``export_heads``.

    The share of trees that see an attack passes Platt's two numbers: sigmoid(logit / temperature + bias).
    """
    graph = _placed(forests.binary, "binary", 2)
    for name, forest, size in (
        ("family", forests.family, forests.families),
        ("subfamily", forests.subfamily, forests.subfamilies),
    ):
        graph = compose.merge_models(graph, _placed(forest, name, size), io_map=[])
    model = _with_one_input(graph)
    _calibrate(model, temperature, bias)
    onnx.checker.check_model(model)
    made: bytes = model.SerializeToString()
    return made


def _placed(forest: RandomForestClassifier, name: str, size: int) -> onnx.ModelProto:
    """A forest's shares ``(N, size)``, zero for classes that no row of training had."""
    dimension = forest.n_features_in_
    options = {id(forest): {"zipmap": False, "output_class_labels": False}}
    example, opsets = np.zeros((1, dimension), np.float32), {"": OPSET, "ai.onnx.ml": 3}
    model = to_onnx(forest, example, options=options, target_opset=opsets)
    shares = model.graph.output[1].name
    spread = np.zeros((len(forest.classes_), size), np.float32)
    spread[np.arange(len(forest.classes_)), forest.classes_] = 1
    model.graph.initializer.append(numpy_helper.from_array(spread, "spread"))
    model.graph.node.append(helper.make_node("MatMul", [shares, "spread"], ["shares"]))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("shares", TensorProto.FLOAT, ["N", size]))
    return compose.add_prefix(model, f"{name}_")


def _with_one_input(model: onnx.ModelProto) -> onnx.ModelProto:
    """The three inputs become one, and the outputs get their names."""
    inputs = {node.name for node in model.graph.input}
    dimension = model.graph.input[0].type.tensor_type.shape.dim[1].dim_value
    for node in model.graph.node:
        node.input[:] = ["embedding" if name in inputs else name for name in node.input]
    del model.graph.input[:]
    model.graph.input.append(helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", dimension]))
    for output in model.graph.output:
        renamed = output.name.removesuffix("_shares")
        model.graph.node.append(helper.make_node("Identity", [output.name], [renamed]))
        output.name = renamed
    return model


def _calibrate(model: onnx.ModelProto, temperature: float, bias: float) -> None:
    """Turns the output ``binary`` ``(N, 2)`` into the calibrated probability ``(N,)``."""
    graph = model.graph
    last = next(node for node in graph.node if list(node.output) == ["binary"])
    shares = last.input[0]
    graph.node.remove(last)
    for name, value in (
        ("attack", np.array(1, np.int64)), ("least", np.float32(_EDGE)), ("most", np.float32(1 - _EDGE)),
        ("one", np.float32(1)), ("temperature", np.float32(temperature)), ("bias", np.float32(bias)),
    ):  # fmt: skip
        graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    steps = [
        ("Gather", [shares, "attack"], "share"), ("Clip", ["share", "least", "most"], "clipped"),
        ("Sub", ["one", "clipped"], "other"), ("Div", ["clipped", "other"], "odds"), ("Log", ["odds"], "logit"),
        ("Div", ["logit", "temperature"], "scaled"), ("Add", ["scaled", "bias"], "moved"),
        ("Sigmoid", ["moved"], "binary"),
    ]  # fmt: skip
    for kind, taken, given in steps:
        extra = {"axis": 1} if kind == "Gather" else {}
        graph.node.append(helper.make_node(kind, taken, [given], **extra))
    output = next(output for output in graph.output if output.name == "binary")
    output.CopyFrom(helper.make_tensor_value_info("binary", TensorProto.FLOAT, ["N"]))
