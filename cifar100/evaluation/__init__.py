"""What a run is worth: accuracy on the test images, calibration, costs, latency; tables and figures of them."""

from .costs import Costs, LayerCosts, count_costs
from .evaluate import evaluate_run
from .evaluate_runs import EvaluationFailed, evaluate_runs, results_table
from .latency import Latency, measure_latency
from .layers import layer_table
from .open_run import OpenRun, open_run
from .precision import Precision
from .predict import Predictions, predict

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
