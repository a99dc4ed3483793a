"""Networks in formats that others run: ONNX by torch's exporter, and torch.export's own archive."""

from __future__ import annotations

import copy
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from cifar100.base.errors import UserError
from cifar100.base.text import one_line
from cifar100.deploy.extra import require

FORMATS = {"onnx": "model.onnx", "torch_export": "model.pt2"}
IMAGES, LOGITS = "images", "logits"
BATCHES = (1, 3, 16)  # sizes that an exported network is tried with
TOLERANCE = 1e-3  # of the largest logit: float32 sums in another order differ by about 1e-6 of it
Runner = Callable[[Tensor], Tensor]


def metadata(
    *, class_names: Sequence[str], mean: Sequence[float], std: Sequence[float], data: str, **others: Any
) -> dict[str, str]:
    """The metadata of an exported file: texts about its network, lists in JSON.

    Its input `images` is float32 `(batch, channels, height, width)`, pixels of 0..1 less `mean`, divided by `std`,
    channel by channel; `logits` is `(batch, classes)` in the order of `class_names`.
    """
    lists = {"class_names": list(class_names), "mean": list(mean), "std": list(std)}
    return (
        {key: json.dumps(value) for key, value in lists.items()}
        | {"data": data}
        | {key: str(value) for key, value in others.items() if value is not None}
    )


def export_network(network: nn.Module, format: str, about: Mapping[str, str]) -> bytes:
    """The file of `network` in evaluation mode, for batches of any size.

    Args:
        network: has `in_channels` and `resolution`; stays as it is.
        format: onnx or torch_export.
        about: see `metadata`; metadata properties of an ONNX file, `metadata.json` in torch.export's archive.

    Raises:
        UserError: another format, a package that is missing, or a network that torch's exporter cannot take apart.
    """
    if format not in FORMATS:
        raise UserError(f"format={format} must be one of {', '.join(FORMATS)}")
    if format == "onnx":
        require("format=onnx", "onnx", "onnxscript", "onnxruntime")
    plain = copy.deepcopy(getattr(network, "_orig_mod", network)).to("cpu", torch.float32)
    plain = plain.to(memory_format=torch.contiguous_format).eval()
    image = torch.zeros(2, plain.in_channels, plain.resolution, plain.resolution)
    try:
        with _quiet(), torch.no_grad():
            return _onnx(plain, image, about) if format == "onnx" else _torch_export(plain, image, about)
    except Exception as error:  # of torch's exporter, whichever of its layers raises
        cause = _innermost(error)
        raise UserError(f"format={format} cannot hold this network: {one_line(cause)[:300]}") from error


def _onnx(network: nn.Module, image: Tensor, about: Mapping[str, str]) -> bytes:
    program = torch.onnx.export(
        network,
        (image,),
        dynamo=True,
        input_names=[IMAGES],
        output_names=[LOGITS],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    program.model.metadata_props.update(about)
    return program.model_proto.SerializeToString()


def _torch_export(network: nn.Module, image: Tensor, about: Mapping[str, str]) -> bytes:
    program = torch.export.export(network, (image,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    file = io.BytesIO()
    torch.export.save(program, file, extra_files={"metadata.json": json.dumps(dict(about))})
    return file.getvalue()


def runner(file: bytes, format: str, threads: int = 1) -> Runner:
    """Runs a file that `export_network` or `quantize` made just now: images float32 to logits float32."""
    if format == "torch_export":
        with _quiet():
            return torch.export.load(io.BytesIO(file)).module()
    session = open_session(file, threads)

    def run(images: Tensor) -> Tensor:
        return torch.from_numpy(session.run([LOGITS], {IMAGES: images.contiguous().numpy()})[0])

    return run


def open_session(file: bytes, threads: int = 1, save_optimized: str | None = None) -> Any:
    """An onnxruntime session on the CPU; writes the graph as it is really run to the file `save_optimized`."""
    onnxruntime = require("running ONNX", "onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads would count as work
    if save_optimized:
        options.optimized_model_filepath = save_optimized
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def largest_difference(network: nn.Module, exported: Runner, images: Tensor) -> float:
    """The largest difference of a logit over the largest logit, for batches of several sizes from `images`, which are
    normalised `(n, channels, height, width)`."""
    worst, size = 0.0, 1e-12
    for batch in BATCHES:
        part = images[:batch].to(memory_format=torch.contiguous_format)
        with torch.inference_mode():
            wanted = network.eval()(part)
            worst = max(worst, float((exported(part) - wanted).abs().max()))
            size = max(size, float(wanted.abs().max()))
    return worst / size


def check_agreement(network: nn.Module, file: bytes, format: str, images: Tensor) -> float:
    """`largest_difference` of a file from its network. Raises UserError above `TOLERANCE`."""
    found = largest_difference(network, runner(file, format), images)
    if not found <= TOLERANCE:
        raise UserError(
            f"format={format}: the exported logits differ from the network's by {found:.1e} of the largest, more than "
            f"{TOLERANCE}; nothing was kept"
        )
    return found


def _innermost(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the exporter's advice to its developers from the user."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
