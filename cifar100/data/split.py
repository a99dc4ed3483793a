"""The held-out part of the training images, and few of those that are left."""

import logging
from dataclasses import replace

import torch

from cifar100.base.errors import UserError
from cifar100.base.values import check_whole
from cifar100.data.images import ImageData, ImageSet

logger = logging.getLogger(__name__)


def hold_out(data: ImageData, val_size: int) -> ImageData:
    """Take the first val_size training images off as `val`; they are stratified, see canonical.canonical_order.

    The part depends on the images alone: not on the run's seed, the source or the machine, and a smaller part is
    contained in a larger one. val_size=0 holds nothing out. Both parts share the memory of the whole.
    """
    check_whole("data.val_size", val_size, least=0, cure="; use 0 to hold nothing out")
    if val_size == 0:
        return data
    if data.val is not None:
        raise UserError(f"data.val_size={val_size}: {data.name} has validation images of its own; use data.val_size=0")
    if val_size < data.num_classes:
        raise UserError(
            f"data.val_size={val_size} cannot hold every one of the {data.num_classes} classes; "
            f"use data.val_size=0 or at least {data.num_classes}"
        )
    train, val = data.train[val_size:], data.train[:val_size]
    left = torch.bincount(train.labels, minlength=data.num_classes)
    if val_size >= len(data.train) or int(left.min()) == 0:
        raise UserError(
            f"data.val_size={val_size} leaves classes without a training image out of {len(data.train)}; "
            f"use data.val_size={len(data.train) // 10 // data.num_classes * data.num_classes} or so"
        )
    held_out = torch.bincount(val.labels, minlength=data.num_classes)
    whole = torch.bincount(data.train.labels, minlength=data.num_classes)
    if held_out.min() != held_out.max() and whole.min() == whole.max():
        logger.warning(
            "data.val_size=%d is no multiple of %d classes: each class holds out %d or %d images",
            *(val_size, data.num_classes, int(held_out.min()), int(held_out.max())),
        )
    return replace(data, train=train, val=val)


def keep_images(data: ImageData, images_per_class: int | None) -> ImageData:
    """Keep the first training images of each class, those held out not among them; None keeps all.

    In canonical order, so that they depend on the images alone, not on the run's seed, and fewer are contained in more.

    Raises:
        UserError: no whole number above 0, or more than a class has.
    """
    if images_per_class is None:
        return data
    check_whole("data.images_per_class", images_per_class, cure=", or null to keep all")
    labels = data.train.labels
    fewest = int(torch.bincount(labels, minlength=data.num_classes).min())
    if images_per_class > fewest:
        raise UserError(
            f"data.images_per_class={images_per_class} but a class of {data.name} has {fewest} training images left; "
            "use fewer, or null to keep all"
        )
    classes = range(data.num_classes)
    kept = torch.cat([(labels == each).nonzero()[:images_per_class, 0] for each in classes]).sort().values
    images = data.train.images[kept].contiguous(memory_format=torch.channels_last)
    return replace(data, train=ImageSet(images, labels[kept]))
