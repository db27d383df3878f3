"""Inputs of a network that is trained in its recurrence: whether there are any, and their codes.

Most tasks have inputs that are their own past, which a network that is fed its outputs has anyway;
those are left out. What is left, such as a cue, comes to the network as codes from the start.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rchw.design import InputChannel, LinearInput
from rchw.errors import DesignError
from rchw.fixed import QFormat, decode, encode
from rchw.layers import AffineEncoder, check_range
from rchw.train.matrices import weight_format

__all__ = ["cue_onsets", "drive_channels", "drive_tables", "driven_columns", "driven_values"]

Values = NDArray[np.float64]
_FEED_BITS = 8  # of input weights, as of those of what is fed back


def driven_columns(inputs: Values, targets: Values, horizon: int) -> tuple[int, ...]:
    """Numbers of the inputs that say what outputs of earlier samples do not.

    Parameters
    ----------
    inputs : float64 array (T, K)
        Training samples.
    targets : float64 array (T, L)
    horizon : int
        Samples from the last input to the target.
    """
    if horizon < 1:
        return tuple(range(inputs.shape[1]))
    later, past = inputs[horizon:].T, targets[:-horizon].T
    return tuple(
        k for k, column in enumerate(later) if not any(np.array_equal(column, one) for one in past)
    )


def drive_channels(inputs: Values, bits: int, names: Sequence[str]) -> tuple[InputChannel, ...]:
    """Channels of training inputs (T, K): the median is 0, the value farthest from it full scale.

    So a cue is 0 where it rests.

    Raises
    ------
    DesignError
        If the width is out of range or an input is constant.
    """
    check_range("input bits", bits, 2, 24)
    channels = []
    for column, name in zip(inputs.T, names, strict=True):
        middle = float(np.median(column))
        reach = float(np.abs(column - middle).max())
        if not reach > 0:
            raise DesignError(f"inputs must vary over the training samples, not all be {middle}")
        fmt = QFormat(bits, bits - 1)
        encoder = AffineEncoder(middle, (fmt.max * fmt.resolution) / reach)
        channels.append(InputChannel(name, fmt, encoder))
    return tuple(channels)


def driven_values(channels: Sequence[InputChannel], inputs: Values) -> Values:
    """What a design sees of inputs (T, K), within -1 to 1."""
    values = np.empty(inputs.shape)
    for k, channel in enumerate(channels):
        values[:, k] = decode(channel.encoder.encode(inputs[:, k], channel.format), channel.format)
    return values


def drive_tables(into: Values) -> tuple[LinearInput, ...]:
    """Input weights (K, N) of a network as those of a layer."""
    fmt = weight_format(into, _FEED_BITS)
    return tuple(LinearInput(fmt, tuple(row)) for row in encode(into, fmt).tolist())


def cue_onsets(inputs: Values) -> tuple[int, ...]:
    """Samples at which a cue begins, of inputs (T, K); none where they are not cues.

    A channel is a cue if it rests, at one value for more than half of the samples. Where several
    are, the first tells; a cue in sample 0 begins there.
    """
    for column in inputs.T:
        values, counts = np.unique(column, return_counts=True)
        if len(values) > 1 and 2 * counts.max() > len(column):
            on = np.concatenate([[False], column != values[np.argmax(counts)]])
            return tuple(np.flatnonzero(on[1:] & ~on[:-1]).tolist())
    return ()
