"""From what a device shows to states: bandwidth, noise, and an analog-to-digital converter."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.design import AffineEncoder
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.nodes.drive import MAX_BITS
from rchw.nodes.noise import normals

__all__ = ["Observation", "Observed"]

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Observed:
    """States of a run.

    Attributes
    ----------
    values : float64 array (T, N)
        In the unit of the readings.
    codes : int64 array (T, N) or None
        Of the converter, where there is one.
    filters : float64 array (devices,)
        What the detectors hold after the last sample.
    clipped : int
        How many readings lay outside the converter's range.
    """

    values: Values
    codes: NDArray[np.int64] | None
    filters: Values
    clipped: int


@dataclass(frozen=True)
class Observation:
    """The detector, its noise and its converter, in this order.

    Parameters
    ----------
    noise_absolute : float
        Standard deviation of white noise, in the unit of the readings.
    noise_relative : float
        The same, as a share of each reading's magnitude.
    bandwidth : float, optional
        Of a detector of first order, in hertz; None is one without limit.
    bits : int, optional
        Of the analog-to-digital converter, 2 to 24; None reads exactly.
    low, high : float, optional
        Its full scale, in the unit of the readings; `fitted` takes it from readings. Code c stands
        for ``(low + high) / 2 + c * (high - low) / 2**bits``.
    seed : int
        Of the noise. The noise of a sample depends on the seed and on its number alone.
    """

    noise_absolute: float = 0.0
    noise_relative: float = 0.0
    bandwidth: float | None = None
    bits: int | None = None
    low: float | None = None
    high: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("noise_absolute", "noise_relative"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                words = " ".join(reversed(name.split("_")))
                raise DesignError(f"{words} must be finite and at least 0, not {value}")
        if self.bandwidth is not None and not 0 < self.bandwidth < math.inf:
            raise DesignError(f"bandwidth must be above 0 Hz, not {self.bandwidth}")
        if self.bits is not None and not 2 <= self.bits <= MAX_BITS:
            raise DesignError(f"ADC bits must be from 2 to {MAX_BITS}, not {self.bits}")
        if (self.low is None) != (self.high is None):
            raise DesignError(f"full scale must have both ends, not {self.low} and {self.high}")
        if self.low is not None and self.high is not None:
            if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
                raise DesignError(
                    f"full scale must be finite and rise, not go from {self.low} to {self.high}"
                )

    def fitted(self, readings: ArrayLike, margin: float = 0.05) -> "Observation":
        """Take the full scale from readings, with a margin on both sides.

        Parameters
        ----------
        readings : array (T, N)
            Of training samples: others may lie outside, and are clipped and counted.
        margin : float
            Share of their span.
        """
        values = np.asarray(readings, dtype=np.float64)
        if not values.size:
            raise DesignError("readings must hold samples to fit the full scale, not be empty")
        low, high = float(values.min()), float(values.max())
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise DesignError(
                f"readings must vary to fit the full scale, not be {low:g} to {high:g}"
            )
        room = margin * (high - low)
        return replace(self, low=low - room, high=high + room)

    def at_snr(self, decibels: float, readings: ArrayLike) -> "Observation":
        """White noise at a signal-to-noise ratio.

        The signal is the variance of the readings about each node's mean, averaged over the nodes:
        what is the same in every sample carries nothing.

        Parameters
        ----------
        decibels : float
            ``10 log10(signal / noise)``, as powers.
        readings : array (T, N)
            Without noise, of training samples.
        """
        if not math.isfinite(decibels):
            raise DesignError(
                f"signal-to-noise ratio must be a finite number of dB, not {decibels}"
            )
        signal = float(np.asarray(readings, dtype=np.float64).var(axis=0).mean())
        return replace(self, noise_absolute=math.sqrt(signal / 10 ** (decibels / 10)))

    def matched(
        self,
        readings: Values,
        interval: float,
        devices: int,
        *,
        snr_decibels: float | None = None,
        adc_bits: int | None = None,
    ) -> "Observation":
        """Set the noise, then the converter, by readings of training samples from rest.

        Parameters
        ----------
        readings : float64 array (T, N)
            Without bandwidth, noise or converter.
        interval : float
            Seconds between two readings of a device.
        devices : int
        snr_decibels : float, optional
            See `at_snr`; without it the noise stays as it is. It is added behind the detector's
            bandwidth, so the signal counts there.
        adc_bits : int, optional
            Of the converter, whose full scale is that of the readings, noise included, and 5 %.
        """
        rest, seen = np.zeros(devices), self
        if snr_decibels is not None:
            quiet = replace(self, noise_absolute=0.0, noise_relative=0.0, bits=None)
            seen = seen.at_snr(snr_decibels, quiet.observe(readings, interval, rest, 0).values)
        if adc_bits is not None:
            analog = replace(seen, bits=None).observe(readings, interval, rest, 0).values
            seen = replace(seen, bits=adc_bits).fitted(analog)
        return seen

    @property
    def format(self) -> QFormat:
        """Of the codes: signed, all bits but one behind the point."""
        if self.bits is None:
            raise DesignError("ADC bits must be given for codes, not left out")
        return QFormat(self.bits, self.bits - 1)

    @property
    def encoder(self) -> AffineEncoder:
        """From readings to codes, as an external layer of a design has it."""
        if self.low is None or self.high is None:
            raise DesignError("full scale must be given or fitted for codes, not left out")
        return AffineEncoder((self.low + self.high) / 2, 2 / (self.high - self.low))

    def observe(self, readings: Values, interval: float, filters: Values, first: int) -> Observed:
        """Turn readings into states.

        Parameters
        ----------
        readings : float64 array (T, N)
            One device after the other, each with its virtual nodes in the order of time.
        interval : float
            Seconds between two readings of a device.
        filters : float64 array (devices,)
            What the detectors hold before the first sample; at rest that is 0.
        first : int
            Number of the first sample.
        """
        values = np.asarray(readings, dtype=np.float64)
        if self.bandwidth is not None:
            values, filters = _low_pass(values, 2 * math.pi * self.bandwidth * interval, filters)
        if self.noise_absolute or self.noise_relative:
            deviation = np.hypot(self.noise_absolute, self.noise_relative * values)
            white = normals(len(values), values.shape[1], first, self.seed, stream=0)
            values = values + deviation * white
        if self.bits is None:
            return Observed(values, None, filters, 0)
        encoder, to = self.encoder, self.format
        codes = encoder.encode(values, to)
        scaled = (values - encoder.offset) * encoder.gain
        clipped = int(np.count_nonzero(np.abs(scaled) > 1))
        seen: Values = np.asarray(
            encoder.offset + codes * (to.resolution / encoder.gain), np.float64
        )
        return Observed(seen, codes, filters, clipped)


def _low_pass(values: Values, rate: float, filters: Values) -> tuple[Values, Values]:
    """First order, exact for readings that are held; (T, N), (devices,) -> the same."""
    from scipy.signal import lfilter

    if not values.size:
        return values, filters
    devices, keep = filters.size, math.exp(-rate)
    in_time = values.reshape(len(values), devices, -1).transpose(1, 0, 2).reshape(devices, -1)
    slow, _ = lfilter([1 - keep], [1, -keep], in_time, axis=1, zi=keep * filters[:, None])
    back = slow.reshape(devices, len(values), -1).transpose(1, 0, 2).reshape(values.shape)
    return np.asarray(back), np.asarray(slow[:, -1])
