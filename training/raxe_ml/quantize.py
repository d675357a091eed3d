"""fp32 graph -> the precision that is served."""

import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.onnx_model import OnnxModel

from raxe_ml.config import Quantization

_GELU = ("BiasGelu", "Gelu", "FastGelu")
_INT8_MOST = 127


def quantize(fused: Path, out: Path, quantization: Quantization) -> None:
    """Writes the graph of ``fused`` to ``out``: as it is, with weights and products in fp16, or in int8."""
    if quantization == "int8":
        _to_int8(fused, out)
    elif quantization == "fp16":
        model = OnnxModel(onnx.load(fused))
        model.convert_float_to_float16(keep_io_types=True)
        model.save_model_to_file(str(out))
    else:
        shutil.copy(fused, out)


def _to_int8(fused: Path, out: Path) -> None:
    """Embedding table, weights and activations in int8, but for the products that lose most by it.

    The first attention reads the embeddings, whose tokens differ most in size: in float it gives a fifth of the lost
    recall back (0.0058 to 0.0046 on 4,536 rows of dev, mean over 47 rates from 0.5 to 5 %) and costs nothing
    (24.5 s against 24.2 s of CPU for the rows).

    What the GELU of an early layer gives has outliers, and rounding it to 256 steps over its whole range costs most: on
    2,268 rows of dev, mean recall at 0.5, 1, 2 and 5 % false positives fell from 0.356 to 0.340 with every product in
    int8, and to 0.353 with those of the first three layers in float. They cost no measurable time (6.2 s against 5.9 to
    6.0 s for those rows), and their weights are kept as int8 in the file.
    """
    kept = _in_float(onnx.load(fused))
    quantize_dynamic(
        str(fused),
        str(out),
        per_channel=True,
        reduce_range=True,  # 7-bit weights: products of 8-bit ones saturate on x86 without VNNI
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[node.name for node in kept],
        extra_options={"MatMulConstBOnly": True, "DefaultTensorType": TensorProto.FLOAT},
    )
    model = onnx.load(out)
    for node in kept:
        _pack(model, node.input[1])
    onnx.checker.check_model(model)
    onnx.save(model, out)


def _in_float(model: onnx.ModelProto) -> list[NodeProto]:
    """The first attention, and the products that read a GELU, of the first half of the layers."""
    attention = [node for node in model.graph.node if node.op_type == "Attention"]
    activations = {output for node in model.graph.node if node.op_type in _GELU for output in node.output}
    found = [node for node in model.graph.node if node.op_type == "MatMul" and node.input[0] in activations]
    return [*attention[:1], *found[: (len(found) + 1) // 2]]


def _pack(model: onnx.ModelProto, name: str) -> None:
    """Stores a float weight ``(K, N)`` as int8 with a scale per column; the runtime unpacks it once, on loading.

    A cast and a product rather than DequantizeLinear, which the runtime does not fold and would repeat in every call.
    """
    graph = model.graph
    stored = next(tensor for tensor in graph.initializer if tensor.name == name)
    weight = numpy_helper.to_array(stored)
    scale = np.maximum(np.abs(weight).max(axis=0, keepdims=True) / _INT8_MOST, np.finfo(np.float32).tiny)
    packed, scales, wide = f"{name}_packed", f"{name}_scale", f"{name}_wide"
    graph.initializer.remove(stored)
    graph.initializer.append(numpy_helper.from_array(np.rint(weight / scale).astype(np.int8), packed))
    graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), scales))
    unpack = [
        helper.make_node("Cast", [packed], [wide], to=TensorProto.FLOAT),
        helper.make_node("Mul", [wide, scales], [name]),
    ]
    for node in reversed(unpack):
        graph.node.insert(0, node)
