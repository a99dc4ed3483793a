"""Evaluation of a run: accuracy on the test images, calibration, costs, latency; tables and figures of them."""

from cifar100.evaluation.costs import Costs, LayerCosts, count_costs
from cifar100.evaluation.evaluate import evaluate_run
from cifar100.evaluation.evaluate_runs import EvaluationFailed, evaluate_runs, results_table
from cifar100.evaluation.latency import Latency, measure_latency
from cifar100.evaluation.layers import layer_table
from cifar100.evaluation.open_run import OpenRun, open_run
from cifar100.evaluation.precision import Precision
from cifar100.evaluation.predict import Predictions, predict

__all__ = [
    "Costs",
    "EvaluationFailed",
    "Latency",
    "LayerCosts",
    "OpenRun",
    "Precision",
    "Predictions",
    "count_costs",
    "evaluate_run",
    "evaluate_runs",
    "layer_table",
    "measure_latency",
    "open_run",
    "predict",
    "results_table",
]
