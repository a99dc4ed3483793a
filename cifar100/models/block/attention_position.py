"""Where in a residual block its attention sits, an option of every block that has one."""

from collections.abc import Callable

from torch import Tensor, nn

from cifar100.models.checks import check_choice


class AttentionBlock(nn.Module):
    """A residual block: the ports of every block, and one attention at one of the places that Hu et al. compare (arXiv
    1709.01507, figure 5 and section 6.5):

    ``standard``
        last on the branch, before the addition (figure 5b).
    ``pre``
        first on the branch (figure 5c).
    ``post``
        after the addition and its activation (figure 5d).
    ``identity``
        on the shortcut (figure 5e); after the projection where there is one.
    ``inner``
        within the branch: between two spatial operators, or before the last 1x1 convolution, on the narrow features of
        a bottleneck (SE_3x3, table 15) and the wide ones of an inverted bottleneck (arXiv 1905.02244, figure 4).

    A block calls :meth:`place_attention` once and passes :meth:`attend` its features at every place.

    Args:
        shape: what the block maps.
        drop_path: rate of stochastic depth.
        mixer: port ``(shape)``, the spatial operator.
        norm: port ``(channels)``.
        activation: port ``()``.
        attention: port ``(channels)``.
        attention_position: where the attention sits: ``standard``, ``pre``, ``post``, ``identity`` or ``inner``.
    """

    def place_attention(
        self, attention: Callable[[int], nn.Module], position: str, *, pre: int, inner: int, out: int
    ) -> None:
        """Builds the attention for the channels of its place.

        Args:
            attention: port ``(channels)``.
            position: one of the places above.
            pre: channels that come into the branch.
            inner: channels within it.
            out: channels of what goes out.

        Raises:
            ValueError: another position.
        """
        channels = {"standard": out, "pre": pre, "post": out, "identity": out, "inner": inner}
        check_choice("block.attention_position", position, channels)
        self.attention_position = position
        self.attention = attention(channels[position])

    def attend(self, position: str, x: Tensor) -> Tensor:
        """``x`` through the attention where it sits at ``position``, else ``x``."""
        return self.attention(x) if position == self.attention_position else x
