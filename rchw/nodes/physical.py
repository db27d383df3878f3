"""A physical reservoir: drive, mask, node and observation, as one `rchw.reservoir.Reservoir`."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.nodes.drive import Drive
from rchw.nodes.mask import Mask
from rchw.nodes.node import Node
from rchw.nodes.observe import Observation, Observed

__all__ = ["PhysicalReservoir"]

Values = NDArray[np.float64]


@dataclass(frozen=True)
class PhysicalReservoir:
    """Inputs go through the drive and the mask into the node, whose readings are observed.

    What it remembers is more than its readings, so its state is the node's state, then one number
    per detector, then the number of the next sample, which the noise depends on.

    Parameters
    ----------
    node : Node
    drive : Drive
    mask : Mask
    observation : Observation
    n_inputs : int
        K.
    """

    node: Node
    drive: Drive
    mask: Mask = field(default_factory=Mask)
    observation: Observation = field(default_factory=Observation)
    n_inputs: int = 1

    def __post_init__(self) -> None:
        if self.n_inputs < 1:
            raise DesignError(f"input channels must be at least 1, not {self.n_inputs}")

    @property
    def n_units(self) -> int:
        """Number of states N."""
        return self.node.n_devices * self.node.n_virtual

    @property
    def n_state(self) -> int:
        """Numbers in what `advance` takes and gives."""
        return self.node.n_state + self.node.n_devices + 1

    @cached_property
    def _weights(self) -> Values:
        return self.mask.weights(self.node.n_drives, self.n_inputs)

    def drives(self, inputs: ArrayLike) -> Values:
        """What the node is driven with; (T, K) -> (T, D).

        Raises
        ------
        DesignError
            If the shape is wrong or an input is not finite.
        """
        values = np.asarray(inputs, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != self.n_inputs:
            raise DesignError(f"inputs must have shape (T, {self.n_inputs}), not {values.shape}")
        if not np.isfinite(values).all():
            raise DesignError("inputs must be finite, not NaN or infinite")
        scaled = self.drive.scaled(values)
        # Channel by channel (no BLAS): a chunk gives the same bits as the whole.
        masked = np.zeros((len(values), self.node.n_drives))
        for channel in range(self.n_inputs):
            masked += scaled[:, channel, None] * self._weights[:, channel]
        return self.drive.played(masked)

    def readings(self, inputs: ArrayLike) -> Values:
        """Readings without bandwidth, noise or converter, from rest; (T, K) -> (T, N)."""
        return self.node.run(self.drives(inputs), self.node.start())[0]

    def start(self) -> Values:
        """State at rest, before sample 0; float64 array (`n_state`,)."""
        return np.concatenate([self.node.start(), np.zeros(self.node.n_devices + 1)])

    def observe(self, inputs: ArrayLike, state: ArrayLike | None = None) -> tuple[Observed, Values]:
        """Run, with the codes and what was clipped, and the state afterwards.

        Parameters
        ----------
        inputs : array (T, K)
        state : array (`n_state`,), optional
            At rest by default.
        """
        now = self.start() if state is None else np.array(state, dtype=np.float64)
        if now.shape != (self.n_state,):
            raise DesignError(f"state must have shape ({self.n_state},), not {now.shape}")
        if not np.isfinite(now).all() or now[-1] < 0 or now[-1] % 1:
            raise DesignError(
                f"state must be finite and end with the number of a sample, not {now[-1]:g}"
            )
        inner, filters = now[: self.node.n_state], now[self.node.n_state : -1]
        first = int(now[-1])
        readings, inner = self.node.run(self.drives(inputs), inner)
        seen = self.observation.observe(readings, self.node.interval, filters, first)
        return seen, np.concatenate([inner, seen.filters, [first + len(readings)]])

    def advance(self, inputs: ArrayLike, state: ArrayLike | None = None) -> tuple[Values, Values]:
        """States and the state afterwards, see `rchw.reservoir.Reservoir`."""
        seen, after = self.observe(inputs, state)
        return seen.values, after

    def run(self, inputs: ArrayLike, state: ArrayLike | None = None) -> Values:
        """States in the unit of the readings; (T, K) -> (T, N)."""
        return self.advance(inputs, state)[0]

    def fitted(
        self,
        inputs: ArrayLike,
        *,
        snr_decibels: float | None = None,
        adc_bits: int | None = None,
    ) -> "PhysicalReservoir":
        """Scale drive, noise and converter by training samples.

        Parameters
        ----------
        inputs : array (T, K)
            Of the training samples.
        snr_decibels : float, optional
            See `rchw.nodes.observe.Observation.at_snr`.
        adc_bits : int, optional
            Of the converter, whose full scale is that of the readings, noise included, and 5 %.
        """
        scaled = replace(self, drive=self.drive.fitted(inputs))
        seen = self.observation.matched(
            scaled.readings(inputs),
            self.node.interval,
            self.node.n_devices,
            snr_decibels=snr_decibels,
            adc_bits=adc_bits,
        )
        return replace(scaled, observation=seen)
