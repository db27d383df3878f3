"""From input values to what a device is driven with: scaling, range and digital-to-analog bits."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = ["MAX_BITS", "Drive"]

MAX_BITS = 24
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Drive:
    """What stands between the input and the device.

    An input u becomes ``(u - offset) * gain``, limited to -1 to 1; the mask multiplies it; a masked
    value -1 becomes `low` and 1 becomes `high`, in `bits` bits. So the converter plays the masked
    signal, as the generators of the experiments do.

    Parameters
    ----------
    low, high : float
        Ends of the range of the converter, in the unit of the node's drive.
    bits : int, optional
        Of the converter, 1 to 24: its ``2**bits`` levels include both ends. None converts exactly.
    offset, gain : float or tuple of float
        Of the inputs; one value, or one per channel.
    """

    low: float
    high: float
    bits: int | None = None
    offset: float | tuple[float, ...] = 0.0
    gain: float | tuple[float, ...] = 1.0

    def __post_init__(self) -> None:
        if not (np.isfinite([self.low, self.high]).all() and self.low < self.high):
            raise DesignError(
                f"range of the drive must be finite and rise, not go from {self.low} to {self.high}"
            )
        if self.bits is not None and not 1 <= self.bits <= MAX_BITS:
            raise DesignError(f"DAC bits must be from 1 to {MAX_BITS}, not {self.bits}")
        offset, gain = np.atleast_1d(self.offset), np.atleast_1d(self.gain)
        if not (np.isfinite(offset).all() and np.isfinite(gain).all() and gain.all()):
            raise DesignError(
                f"scaling of the drive must have a finite offset and a finite gain other than 0, "
                f"not offset {self.offset} and gain {self.gain}"
            )

    def fitted(self, inputs: ArrayLike) -> "Drive":
        """Scale so that the least of these inputs becomes -1 and the greatest 1.

        Every channel has a scale of its own: units of measure differ.

        Parameters
        ----------
        inputs : array (T, K), or (T,) for one channel
            Of the training samples: other samples may then lie outside, and are limited.

        Raises
        ------
        DesignError
            If they do not vary.
        """
        values = np.asarray(inputs, dtype=np.float64)
        if not values.size:
            raise DesignError("inputs must hold samples to scale the drive, not be empty")
        columns = values.reshape(len(values), -1)
        low, high = columns.min(axis=0), columns.max(axis=0)
        if not (low < high).all():
            still = int(np.argmin(low < high))
            raise DesignError(
                f"inputs must vary to scale the drive, not be {low[still]:g} throughout in "
                f"channel {still}"
            )
        offset, gain = ((low + high) / 2).tolist(), (2 / (high - low)).tolist()
        if len(offset) == 1:
            return replace(self, offset=offset[0], gain=gain[0])
        return replace(self, offset=tuple(offset), gain=tuple(gain))

    def scaled(self, inputs: ArrayLike) -> Values:
        """Inputs (T, K) as numbers from -1 to 1, same shape."""
        scaled = (np.asarray(inputs, dtype=np.float64) - self.offset) * np.asarray(self.gain)
        return np.asarray(np.clip(scaled, -1.0, 1.0))

    def played(self, masked: ArrayLike) -> Values:
        """What the converter plays for masked values from -1 to 1, same shape."""
        share = (np.clip(np.asarray(masked, dtype=np.float64), -1.0, 1.0) + 1) / 2
        if self.bits is not None:
            steps = 2**self.bits - 1
            share = np.floor(share * steps + 0.5) / steps
        return np.asarray(self.low + (self.high - self.low) * share)
