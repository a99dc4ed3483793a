"""Optimizing does not import torch's compiler, which takes as long as torch itself."""

import subprocess
import sys

CODE = """
import sys, torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from cifar100.optim.adafactor import adafactor
from cifar100.optim.adamw import adamw
from cifar100.optim.muon import muon
from cifar100.optim.sgd import sgd
network = nn.ModuleDict({name: nn.Linear(3, 3) for name in ("stem", "stages", "head")})
for make in (sgd, adamw, muon, adafactor):
    optimizer = make(network)
    schedule = LambdaLR(optimizer, lambda step: 0.5)
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    optimizer.zero_grad()
    schedule.step()
    optimizer.load_state_dict(optimizer.state_dict())
    assert all(parameter.grad is None for parameter in network.parameters())
print("torch._dynamo" in sys.modules)
"""


def test_no_optimizer_imports_the_compiler():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
