"""Training arguments: the library's names, ranges of our own, and an effect for each field."""

import os
from pathlib import Path

import pytest
import torch
from accelerate.state import AcceleratorState
from transformers import TrainingArguments

from cifar100.training.arguments import HONOURED, length, training_arguments
from cifar100.training.progress import Display


@pytest.mark.parametrize("choice", ["default", "fast"])
def test_what_conf_lists_is_what_is_honoured(choice, compose_run):
    fields = dict(compose_run(f"trainer={choice}").trainer)
    assert fields.pop("_target_").endswith("training_arguments")
    assert sorted(fields) == sorted(HONOURED)
    assert set(HONOURED) <= set(TrainingArguments.__dataclass_fields__)


def test_builds_the_librarys_arguments():
    arguments = training_arguments(num_train_epochs=3.0, per_device_train_batch_size=32, bf16=True, torch_compile=True)
    assert isinstance(arguments, TrainingArguments)
    assert (arguments.num_train_epochs, arguments.per_device_train_batch_size) == (3, 32)
    assert arguments.bf16 and arguments.torch_compile
    assert arguments.use_cpu == (not torch.cuda.is_available())


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("num_train_epochs", -3, "at least 0"),
        ("num_train_epochs", 0.5, "whole"),
        ("num_train_epochs", float("inf"), "number"),
        ("num_train_epochs", None, "number"),
        ("num_train_epochs", "150", "number"),
        ("num_train_epochs", True, "number"),
        ("per_device_train_batch_size", 0, "at least 1"),
        ("per_device_train_batch_size", 12.5, "whole"),
        ("per_device_eval_batch_size", 0, "at least 1"),
        ("gradient_accumulation_steps", 0, "at least 1"),
        ("gradient_accumulation_steps", [1], "number"),
        ("dataloader_num_workers", -1, "at least 0"),
        ("max_grad_norm", -0.5, "at least 0"),
        ("max_grad_norm", float("nan"), "number"),
        ("label_smoothing_factor", -0.1, "at least 0"),
        ("label_smoothing_factor", 1.0, "below 1"),
        ("bf16", "yes", "true or false"),
        ("bf16", 1, "true or false"),
        ("torch_compile", None, "true or false"),
        ("dataloader_drop_last", 0, "true or false"),
        ("disable_tqdm", "no", "true or false"),
        ("learning_rate", 0.1, "no effect"),
        ("output_dir", "elsewhere", "no effect"),
        ("num_train_epoch", 3, "did you mean num_train_epochs"),
        ("batch_size", 3, "no effect"),
    ],
)
def test_refuses_in_one_line(field, value, told):
    with pytest.raises(ValueError) as refused:
        training_arguments(**{field: value})
    message = str(refused.value)
    assert f"trainer.{field}={value}" in message and told in message and "\n" not in message


def test_precisions_exclude_each_other_and_need_their_hardware():
    with pytest.raises(ValueError, match="choose one"):
        training_arguments(bf16=True, fp16=True)
    if torch.cuda.is_available():
        pytest.skip("a GPU has fp16")
    with pytest.raises(ValueError, match="needs a GPU; use trainer.bf16=true"):
        training_arguments(fp16=True)


def test_leaves_no_process_wide_settings_behind():
    """As a field, torch_compile has the library set variables that every later run of the process would obey."""
    before = {name for name in os.environ if name.startswith("ACCELERATE")}
    training_arguments(torch_compile=True, bf16=True)
    assert {name for name in os.environ if name.startswith("ACCELERATE")} == before
    assert AcceleratorState._shared_state.get("dynamo_plugin") is None


class TestEachFieldHasAnEffect:
    def test_epochs(self, make_loop, tmp_path):
        loop = make_loop(tmp_path, "trainer.num_train_epochs=7")
        assert length(loop.arguments, 3) == (7, 21)

    def test_batch_sizes_accumulation_and_the_last_batch(self, make_loop, tmp_path):
        sizes = ["trainer.per_device_train_batch_size=100", "trainer.gradient_accumulation_steps=3"]
        loop = make_loop(tmp_path, *sizes, "trainer.per_device_eval_batch_size=60")
        steps = list(loop.train_loader.epoch(1))
        assert [len(batch.labels) for batch in steps[0]] == [100] * 3
        assert [len(batch.labels) for batch in steps[-1]] == [33, 32, 32]
        assert [len(batch.labels) for batch in loop.val_loader] == [60, 60, 20]
        assert loop.arguments.per_device_eval_batch_size == 60
        whole = make_loop(tmp_path, *sizes, "trainer.dataloader_drop_last=true")
        assert len(list(whole.train_loader.epoch(1))) == len(steps) - 1 == 4

    def test_clipping(self, make_loop, tmp_path):
        assert make_loop(tmp_path, "trainer.max_grad_norm=0.25").arguments.max_grad_norm == 0.25

    def test_label_smoothing(self, make_loop, tmp_path):
        assert make_loop(tmp_path, "trainer.label_smoothing_factor=0.2").loss.label_smoothing == 0.2

    @pytest.mark.parametrize(("field", "dtype"), [("bf16", torch.bfloat16), ("torch_compile", torch.float32)])
    def test_precision_is_that_of_the_field(self, field, dtype, make_loop, tmp_path):
        loop = make_loop(tmp_path, f"trainer.{field}=true")
        with loop.accelerator.autocast():
            assert (torch.eye(2) @ torch.eye(2)).dtype == dtype
        compiled = loop.forward
        assert (type(compiled).__name__ == "Compiled") == (field == "torch_compile")

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    def test_fp16(self, make_loop, tmp_path):
        loop = make_loop(tmp_path, "trainer.fp16=true")
        assert loop.accelerator.scaler is not None and loop.state.scaler is loop.accelerator.scaler

    def test_workers(self, make_loop, tmp_path, monkeypatch):
        started = []
        monkeypatch.setattr("torch.utils.data.dataloader._MultiProcessingDataLoaderIter", started.append)
        for workers in (0, 2):
            loop = make_loop(tmp_path, f"trainer.dataloader_num_workers={workers}")
            try:
                next(iter(loop.train_loader.epoch(1)))
            except TypeError:  # the stand-in is no iterator
                pass
        assert [loader.num_workers for loader in started] == [2]

    def test_progress_bar(self, monkeypatch):
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        assert training_arguments(disable_tqdm=True).disable_tqdm
        assert not training_arguments(disable_tqdm=False).disable_tqdm
        assert Display(1, 1, 0, quiet=True).bar.disable


@pytest.mark.parametrize("found", [True, False])
def test_any_accelerator_is_taken_before_the_cpu(found, monkeypatch):
    """Which one, NVIDIA's, AMD's, Intel's or Apple's, is accelerate's to say."""
    from omegaconf import OmegaConf

    from cifar100.app import assemble

    taken = {}
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: found)
    monkeypatch.setattr(assemble, "Accelerator", lambda **options: taken.update(options))
    config = OmegaConf.create({"trainer": {"bf16": False, "fp16": False}, "tracker": {"name": None, "project": None}})
    assemble.build_accelerator(config, Path("."))
    assert taken["cpu"] == (not found)
