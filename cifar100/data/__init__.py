"""Data sets: read, verified, cached, split, and served as augmented batches."""

from cifar100.data.augment import Augment
from cifar100.data.batch import Batch
from cifar100.data.images import ImageData, ImageSet
from cifar100.data.loader import EvalLoader, TrainLoader

__all__ = ["Augment", "Batch", "EvalLoader", "ImageData", "ImageSet", "TrainLoader"]
