"""Data sets: read, verified, cached, split, and served as augmented batches."""

from .augment import Augment
from .batch import Batch
from .images import ImageData, ImageSet
from .loader import EvalLoader, TrainLoader

__all__ = ["Augment", "Batch", "EvalLoader", "ImageData", "ImageSet", "TrainLoader"]
