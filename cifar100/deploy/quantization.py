"""INT8 by onnxruntime's static quantisation: weights per channel, activations by ranges seen on training images."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cifar100.base.errors import UserError
from cifar100.deploy.export import IMAGES, open_session
from cifar100.deploy.extra import require

CALIBRATIONS = {"minmax": "MinMax", "entropy": "Entropy", "percentile": "Percentile"}
# Operators that hold multiply-adds, as onnxruntime names them before and after it fuses others into them.
MULTIPLY_ADDS = {"Conv", "FusedConv", "NhwcFusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul", "Attention"}


def quantize(file: bytes, batches: Iterable[np.ndarray], *, calibration: str = "minmax") -> bytes:
    """The ONNX `file` in INT8, in QDQ format: signed weights with a scale for each output channel, unsigned
    activations with one for each tensor (Jacob et al., arXiv 1712.05877; Krishnamoorthi, arXiv 1806.08342, section
    3.1). Norms are folded into the convolutions before them first.

    Args:
        file: see `export_network`.
        batches: normalised training images, float32 `(n, channels, height, width)`, that activations are watched on.
        calibration: how a range comes from what was seen: minmax, entropy (least Kullback-Leibler divergence) or
            percentile (99.999 of 100 values).

    Raises:
        UserError: an unknown calibration, or a package that is missing.
    """
    if calibration not in CALIBRATIONS:
        raise UserError(f"calibration={calibration} must be one of {', '.join(CALIBRATIONS)}")
    require("INT8", "onnx", "onnxruntime")
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self.rest: Iterator[np.ndarray] = iter(batches)

        def get_next(self) -> dict[str, np.ndarray] | None:
            batch = next(self.rest, None)
            return None if batch is None else {IMAGES: batch}

    with tempfile.TemporaryDirectory() as folder:
        source, folded, result = (Path(folder, f"{name}.onnx") for name in ("source", "folded", "result"))
        source.write_bytes(file)
        quant_pre_process(str(source), str(folded), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(folded),
            str(result),
            Reader(),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=quantization.CalibrationMethod[CALIBRATIONS[calibration]],
        )
        return result.read_bytes()


def layers(file: bytes) -> dict[str, list[str]]:
    """The operators with multiply-adds of an ONNX file as onnxruntime runs them on this machine, by name: `int8`, and
    `float` for those that it leaves in float32."""
    onnx = require("INT8", "onnx", "onnxruntime")
    found: dict[str, list[str]] = {"int8": [], "float": []}
    with tempfile.TemporaryDirectory() as folder:
        optimized = Path(folder, "optimized.onnx")
        open_session(file, save_optimized=str(optimized))
        for node in onnx.load(str(optimized)).graph.node:
            if node.op_type.startswith(("QLinear", "QGemm", "MatMulInteger", "ConvInteger", "DynamicQuantize")):
                if node.op_type.endswith(("Conv", "Gemm", "MatMul", "Integer", "ToFloat")):
                    found["int8"].append(_name(node))
            elif node.op_type in MULTIPLY_ADDS:
                found["float"].append(_name(node))
    return found


def _name(node: Any) -> str:
    """Such as `Conv stages.0.0.mixer1`: what the operator is, and the name it has from the exporter."""
    return f"{node.op_type} {node.name or node.output[0]}"[:120]
