"""Weights as the Hub keeps them: one safetensors file, tensors under the names of the network's own state dict."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from cifar100.base.errors import HubError
from cifar100.record.plain import check_expanded

WEIGHTS = "model.safetensors"
MAX_HEADER_BYTES = 2**24
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")
_WRAPPERS = ("_orig_mod.", "module.")


def weights_of(network: nn.Module) -> dict[str, Tensor]:
    """The network's state dict on the CPU, dense, without the prefixes of compiled and of distributed networks."""
    found = {}
    for name, tensor in network.state_dict().items():
        for prefix in _WRAPPERS:
            name = name.replace(prefix, "", 1) if name.startswith(prefix) else name
        found[name] = tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
    return found


def format_weights(tensors: Mapping[str, Tensor]) -> bytes:
    """A safetensors file, the same for the same tensors. `format: pt` is what transformers and timm look for."""
    from safetensors.torch import save

    return save({name: tensors[name] for name in sorted(tensors)}, {"format": "pt"})


def most_bytes(network: nn.Module) -> int:
    """How large the file of a network's weights can be."""
    return 8 + MAX_HEADER_BYTES + sum(each.numel() * each.element_size() for each in network.state_dict().values())


def parse_weights(data: bytes, network: nn.Module, source: str) -> dict[str, Tensor]:
    """The tensors in a file of unknown origin, on the CPU, exactly those that `network` (on any device) has.

    Raises:
        HubError: a pickle, a file that is cut, a header that claims what is not there, or a tensor that is missing,
            is none of the network's, or has another shape or number format.
    """
    if data.startswith(_PICKLES):
        raise HubError(f"{source} is a pickle, which can run code when read; only safetensors files are")
    from safetensors import SafetensorError
    from safetensors.torch import load

    check_expanded(data[8 : 8 + int.from_bytes(data[:8], "little")], Path(source))
    try:
        tensors = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError, RuntimeError, OverflowError) as error:
        raise HubError(f"{source} is no whole safetensors file ({error})") from None
    check_fit(tensors, network.state_dict(), source)
    return tensors


def check_fit(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], source: str) -> None:
    """Refuses tensors that are not exactly those of a state dict `expected`. Raises HubError naming the first."""
    for what, names in (("lacks", expected.keys() - tensors.keys()), ("has besides", tensors.keys() - expected.keys())):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise HubError(f"{source} does not fit the network that is described: it {what} {min(names)}{more}")
    for name, tensor in tensors.items():
        wanted = expected[name]
        if tensor.shape != wanted.shape or tensor.dtype != wanted.dtype:
            has, needs = (f"{each.dtype} {tuple(each.shape)}" for each in (tensor, wanted))
            raise HubError(f"{source} does not fit the network that is described: {name} is {has}, not {needs}")
