"""Random crops of zero-padded images, and horizontal flips."""

import torch
from torch import Tensor


def crop_and_flip(images: Tensor, top: Tensor, left: Tensor, flip: Tensor | None, padding: int) -> Tensor:
    """Shift each image within `padding` black pixels on every side, some mirrored first.

    images uint8 (n, H, W, C); top, left int64 (n,) in 0..2*padding, the crop's corner in the padded image; flip bool
    (n,). Returns uint8 (n, H, W, C), equal to torchvision's RandomCrop(padding=padding) and RandomHorizontalFlip
    for the same draws.
    """
    count, height, width, channels = images.shape
    device = images.device
    if flip is not None:
        images = mirror(images, flip, waiting=images.device.type == "cpu")
    if padding == 0:
        return images
    rows, columns = height + 2 * padding, width + 2 * padding
    padded = images.new_zeros(count, rows, columns, channels)
    padded[:, padding:-padding, padding:-padding] = images
    # Every run of `width` pixels that begins anywhere in the padded batch, as an overlapping view: a crop is `height`
    # of these runs, and one index_select copies them all, a run at a time.
    runs = padded.as_strided((count * rows * columns - width + 1, width * channels), (channels, 1))
    row = torch.arange(count, device=device)[:, None] * rows + top[:, None] + torch.arange(height, device=device)
    starts = row * columns + left[:, None]
    return runs.index_select(0, starts.reshape(-1)).view(count, height, width, channels)


def mirror(images: Tensor, flip: Tensor, *, waiting: bool) -> Tensor:
    """``images`` (n, H, W, C) with left and right exchanged where ``flip``, bool (n,).

    ``waiting`` counts first how many there are, which halves the copies; for the count a GPU would be waited for.
    """
    if waiting:
        mirrored = flip.nonzero().squeeze(1)
        return images.index_copy(0, mirrored, images.index_select(0, mirrored).flip(2))
    return torch.where(flip[:, None, None, None], images.flip(2), images)
