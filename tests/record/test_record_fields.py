"""Fields of a record: read as data of anybody, named and shown the same everywhere."""

import math

import pytest

from cifar100.record.fields import FIELDS, MACS, METRICS, field_of

TOP1, LOSS = FIELDS["top1"], FIELDS["loss"]


def test_a_number_is_shown_in_its_unit():
    assert (TOP1.heading(), TOP1.text(0.58094)) == ("Top-1 (%)", "58.09")
    assert (LOSS.heading(), LOSS.text(1.23456)) == ("Cross-entropy (nats)", "1.2346")
    assert (TOP1.heading("zh"), MACS.heading("zh")) == ("Top-1（%）", "乘加次数（M）")
    assert TOP1.text(0.5, 0.002, unit=True) == "50.00 ± 0.20%" and TOP1.text(0.5, math.nan) == "50.00"
    assert TOP1.text(math.nan) == FIELDS["latency_s"].text(None) == "\N{EM DASH}"
    shown = {name: FIELDS[name].text(value, unit=True) for name, value in (("latency_s", 0.0012), ("train_s", 3700.0))}
    assert shown == {"latency_s": "1.20 ms", "train_s": "1:01:40"}
    assert (FIELDS["parameters"].text(278_324), MACS.text(41_236_000, unit=True)) == ("278,324", "41.24 M")


@pytest.mark.parametrize("value", [None, "0.5", True, [0.5]])
def test_what_is_no_number_is_not_there(value):
    assert (
        TOP1.read({"test/top1": value}) is None and TOP1.read({}) is None and TOP1.read({"val/top1": 0.5}, "val") == 0.5
    )
    assert TOP1.fault(value) and MACS.fault(value) and LOSS.fault(value)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [("top1", 1, 1.1), ("ece", 0.0, -0.1), ("loss", 9.0, math.inf), ("macs", 0, 1.5), ("latency_s", 2, -1)],
)
def test_a_value_that_cannot_be_is_told(name, good, bad):
    assert FIELDS[name].fault(good) is None and FIELDS[name].fault(bad).startswith("is no ")


def test_a_field_is_found_by_a_key_of_any_split():
    assert field_of("last_val/top1") is field_of("test/top1") is TOP1 and field_of("macs") is MACS
    assert field_of("label") is None and [field.key() for field in METRICS][0] == "test/top1" and MACS.key() == "macs"
