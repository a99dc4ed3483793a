"""Fields of a record: read as data of anybody, shown in their unit."""

import math

import pytest

from cifar100.record.fields import METRICS

TOP1, LOSS = METRICS[0], next(field for field in METRICS if field.key == "test/loss")


def test_a_number_is_shown_in_its_unit():
    assert (TOP1.heading, TOP1.text(0.58094)) == ("test top-1 accuracy, %", "58.09")
    assert (LOSS.heading, LOSS.text(1.23456)) == ("test cross-entropy, nats", "1.2346")
    assert TOP1.text(math.nan) == "\N{EM DASH}"


@pytest.mark.parametrize("value", [None, "0.5", True, [0.5]])
def test_what_is_no_number_is_not_there(value):
    assert TOP1.read({"test/top1": value}) is None and TOP1.read({}) is None and TOP1.read({"test/top1": 0.5}) == 0.5


def test_keys_are_unique_and_what_an_evaluation_writes():
    keys = [field.key for field in METRICS]
    assert len(set(keys)) == len(keys) and all(key.startswith("test/") for key in keys)
