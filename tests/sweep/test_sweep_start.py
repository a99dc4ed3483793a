"""What a run does not wait for."""

import os
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
# torch's compiler; what reads images anew; what evaluates, exports, draws and searches.
UNUSED = "torch._dynamo sympy datasets pandas pyarrow sklearn scipy torchvision captum matplotlib onnx pptx optuna"
UNUSED += " transformers.trainer transformers.modeling_utils"


def test_a_plain_run_imports_nothing_that_it_does_not_use(finished, tiny, tmp_path):
    """The images lie in the cache."""
    arguments = [*tiny, "seed=1", "ema_decay=0.9", "trainer.save_steps=2"]
    code = (
        "import runpy, sys\n"
        f"sys.argv = ['train.py', *{arguments!r}]\n"
        f"runpy.run_path({str(CHECKOUT / 'train.py')!r}, run_name='__main__')\n"
        f"print('imported:', *set('{UNUSED}'.split()) & set(sys.modules))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")])}
    options = {"cwd": tmp_path, "env": environment, "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, "-c", code], **options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "imported:"
