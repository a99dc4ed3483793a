"""Optimizers of torch without its compiler, which they do not need unless they are compiled themselves."""

from inspect import unwrap

import torch


class Eager(torch.optim.Optimizer):
    """An optimizer whose methods do not import torch._dynamo.

    torch's decorators, which keep torch.compile out of these methods, import the compiler when the first one is called,
    whether or not anything is compiled: 1.6 s of processor time, where importing torch takes 1.9. The methods are
    torch's, less the decorators. Here nobody compiles an optimizer.
    """

    add_param_group = unwrap(torch.optim.Optimizer.add_param_group)
    load_state_dict = unwrap(torch.optim.Optimizer.load_state_dict)
    state_dict = unwrap(torch.optim.Optimizer.state_dict)
    zero_grad = unwrap(torch.optim.Optimizer.zero_grad)


class SGD(Eager, torch.optim.SGD):
    step = torch.no_grad()(unwrap(torch.optim.SGD.step))


class AdamW(Eager, torch.optim.AdamW):
    step = torch.no_grad()(unwrap(torch.optim.AdamW.step))


class Muon(Eager, torch.optim.Muon):
    step = torch.no_grad()(unwrap(torch.optim.Muon.step))
