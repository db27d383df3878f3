"""A cultured network of neurons on an array of electrodes that stimulate it and hear its spikes.

Neuron i has a membrane potential v, a recovery u, currents e and h of its excitatory and inhibitory
synapses, and a store x of transmitter for the synapses that it makes::

    dv/dt = k v^2 + p v + q - u + e - h + bias + noise xi(t)
    du/dt = a (b v - u)
    de/dt = -e / decay_e,  dh/dt = -h / decay_h,  dx/dt = (1 - x) / renewal
    where v reaches 30 mV:  e or h of each target += weight use x,  x -= use x,  v = c,  u += d

The step, 0.5 ms, is part of the model: v and u take Euler's step (and Maruyama's, of the white
noise xi, in uniform steps of the same variance), the currents and x decay exactly. A spike acts at
the next step, wherever it goes: there are no delays of axons. So the model is a map, and a chaotic
one, where an error of rounding changes later spikes: the reference is the same map, over all
neurons at once and without a compiler. That the map approaches the equations is tested below
threshold. A pulse at an electrode comes in the first step of a sample and lifts v of each neuron
that it hears by ``coupling`` volts per volt; its two phases, which balance their charge within less
than a step, are not resolved.

Sources: E. M. Izhikevich, IEEE Trans. Neural Netw. 14, 1569 (2003), for k, p, q and the constants
of regular spiking and fast spiking neurons, as quoted in public code, here in volts and seconds;
depression after M. Tsodyks and H. Markram, PNAS 94, 719 (1997), with constants quoted from memory.
Burst rates depend on noise, weights and the number of synapses together; they are not calibrated.
Every spike is counted: detection on a noisy trace is not part of the model.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.biological.neurons import NeuronParameters
from rchw.nodes.biological.spiking import BITS, CONSTANT, LINEAR, MIDDLE, PEAK, SQUARE, spiking
from rchw.nodes.biological.wiring import Wiring
from rchw.nodes.node import checked_drives, checked_state
from rchw.nodes.noise import codes

__all__ = ["Culture"]

Values = NDArray[np.float64]
_LONGEST = 1e-3  # s, as long as a spike
_BLOCK = 2**19  # numbers of noise that are drawn at once


@dataclass(frozen=True)
class Culture:
    """A culture, whose electrodes each give the number of spikes they heard during a sample.

    Its state is v, u, e, h and x of all neurons, one quantity after the other, then the number of
    the next sample, which the noise depends on.

    Parameters
    ----------
    wiring : Wiring
    excitatory, inhibitory : NeuronParameters
        Each one value, or one per neuron of the kind.
    sites : tuple of int
        Electrodes that stimulate, in the order of the drives; all where it is empty.
    steps : int
        Per sample.
    step : float
        Seconds, at most 1 ms.
    coupling : float
        Volts at a membrane per volt at the electrode.
    limit : float
        Highest voltage of a pulse.
    seed : int
        Of the noise.
    """

    wiring: Wiring
    excitatory: NeuronParameters = field(default_factory=NeuronParameters)
    inhibitory: NeuronParameters = field(default_factory=NeuronParameters.fast)
    sites: tuple[int, ...] = ()
    steps: int = 20
    step: float = 0.5e-3
    coupling: float = 0.05
    limit: float = 1.0
    seed: int = 0
    drive_unit: str = field(default="V", init=False)
    reading_unit: str = field(default="1", init=False)

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise DesignError(f"steps must be at least 1, not {self.steps}")
        if not 0 < self.step <= _LONGEST:
            raise DesignError(f"step must be above 0 s and at most {_LONGEST:g} s, not {self.step}")
        if self.seed < 0:
            raise DesignError(f"seed of the noise must be at least 0, not {self.seed}")
        if not 0 <= self.coupling < math.inf:
            raise DesignError(f"coupling must be finite and at least 0, not {self.coupling}")
        electrodes = self.wiring.n_electrodes
        wrong = [site for site in self.sites if not 0 <= site < electrodes]
        if wrong or len(set(self.sites)) != len(self.sites):
            raise DesignError(
                f"sites must be distinct electrodes from 0 to {electrodes - 1}, not {self.sites}"
            )
        recovery = float(self._constants["recovery"].max(initial=0.0))
        if not recovery * self.step < 1:
            raise DesignError(f"recovery times step must be below 1, not {recovery * self.step:g}")

    @property
    def n_devices(self) -> int:
        """Electrodes."""
        return self.wiring.n_electrodes

    @property
    def parts(self) -> dict[str, int]:
        """Neurons of both kinds, which have the parameters."""
        split = self.wiring.n_excitatory
        return {"excitatory": split, "inhibitory": self.wiring.n_neurons - split}

    @property
    def n_virtual(self) -> int:
        """One count per electrode and sample."""
        return 1

    @property
    def n_drives(self) -> int:
        """Electrodes that stimulate."""
        return len(self.sites) or self.n_devices

    @property
    def n_state(self) -> int:
        """Five numbers per neuron, and the number of the next sample."""
        return 5 * self.wiring.n_neurons + 1

    @property
    def interval(self) -> float:
        """Seconds per sample."""
        return self.steps * self.step

    @cached_property
    def _constants(self) -> dict[str, Values]:
        """Every parameter of all neurons, (neurons,) each."""
        one = self.excitatory.of_devices(self.parts["excitatory"])
        other = self.inhibitory.of_devices(self.parts["inhibitory"])
        return {name: np.concatenate([one[name], other[name]]) for name in one}

    @cached_property
    def _synapses(self) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        first, targets = self.wiring.synapses()
        return first, targets.astype(np.uint32)  # half as much to read, and none is negative

    @cached_property
    def _heard(self) -> NDArray[np.int64]:
        return self.wiring.heard()

    @property
    def _lowest(self) -> float:
        """Volts below which a step of Euler grows: ``1 + step (2 SQUARE v + LINEAR)`` is -1."""
        return -(2 / self.step + LINEAR) / (2 * SQUARE)

    def start(self) -> Values:
        """All membranes at rest, or where they come nearest to it, and full stores; (S,)."""
        p, n = self._constants, self.wiring.n_neurons
        slope = LINEAR - p["sensitivity"]
        root = np.sqrt(np.maximum(slope**2 - 4 * SQUARE * (CONSTANT + p["bias"]), 0.0))
        v = -(slope + root) / (2 * SQUARE)
        return np.concatenate([v, p["sensitivity"] * v, np.zeros(2 * n), np.ones(n), [0.0]])

    def _lifts(self, pulses: Values) -> Values:
        """Volts by which pulses (T, D) lift each membrane, (T, neurons)."""
        played = np.zeros((len(pulses), self.n_devices + 1))  # the last is heard by none: -1
        played[:, list(self.sites) or slice(self.n_devices)] = pulses
        return np.asarray(self.coupling * played[:, self._heard])

    def _noise(self, samples: int, first: int) -> tuple[NDArray[np.unsignedinteger], Values]:
        """Steps of noise as codes (T, steps neurons), and volts (neurons,): see `_spiking`."""
        n, size = self.wiring.n_neurons, self._constants["noise"] * math.sqrt(self.step)
        # Uniform, of the same variance: a membrane adds up so many steps that it cannot tell.
        volts = math.sqrt(12) * size * 2.0**-BITS
        if not size.any():
            return np.zeros((samples, self.steps * n), dtype=f"<u{BITS // 8}"), volts
        drawn = codes(samples, self.steps * n, first, self.seed, bits=BITS)
        return np.ascontiguousarray(drawn), volts

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Spikes at each electrode per sample; pulses (T, D) in volts, (S,) -> (T, N), (S,).

        Raises
        ------
        DesignError
            If a shape is wrong, a pulse out of range, or a membrane so low that Euler's step is
            not stable.
        """
        pulses = checked_drives(drives, self, 0.0, self.limit)
        now, p, n = checked_state(state, self), self._constants, self.wiring.n_neurons
        counts, decays = np.zeros((len(pulses), self.n_devices)), self._decays()
        for begin in range(0, len(pulses), block := max(1, _BLOCK // (self.steps * n))):
            some = slice(begin, begin + block)
            lifts, heard = self._lifts(pulses[some]), counts[some]
            stopped = spiking(
                lifts, *self._noise(len(lifts), int(now[-1])), heard, now[:-1].reshape(5, n),
                *self._synapses, self._heard, self.wiring.n_excitatory,
                p["recovery"], p["sensitivity"], p["reset"], p["jump"], p["bias"],
                p["weight"], p["use"], *decays, self.step, self._lowest,
            )  # fmt: skip
            if stopped >= 0:
                raise DesignError(
                    f"membranes must stay above {self._lowest:g} V for a stable step, not fall "
                    f"below it at sample {begin + stopped}"
                )
            now[-1] += len(lifts)
        return counts, now

    def _decays(self) -> Values:
        """Shares that a step leaves of e, of h, and of what is missing in x; (3, neurons)."""
        p = self._constants
        return np.exp(-self.step / np.stack([p["decay"], p["decay_inhibitory"], p["renewal"]]))

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same in numpy, all neurons at once."""
        pulses = checked_drives(drives, self, 0.0, self.limit)
        now, p, n = checked_state(state, self), self._constants, self.wiring.n_neurons
        first, targets = self._synapses
        v, u, e, h, x = now[:-1].reshape(5, n)
        keep_e, keep_h, missing = self._decays()
        counts = np.zeros((len(pulses), self.n_devices + 1))
        for t, lift in enumerate(self._lifts(pulses)):
            v += lift
            drawn, volts = self._noise(1, int(now[-1]))
            for noise in (drawn.reshape(self.steps, n) - MIDDLE) * volts:
                slope = (SQUARE * v + LINEAR) * v + CONSTANT - u + e - h + p["bias"]
                u += self.step * (p["recovery"] * (p["sensitivity"] * v - u))
                v += self.step * slope + noise
                e *= keep_e
                h *= keep_h
                x[:] = 1 - (1 - x) * missing
                fired = np.flatnonzero(v >= PEAK)
                np.add.at(counts[t], self._heard[fired], 1.0)
                for i in fired:
                    current = e if i < self.wiring.n_excitatory else h
                    current[targets[first[i] : first[i + 1]]] += p["weight"][i] * p["use"][i] * x[i]
                x[fired] -= p["use"][fired] * x[fired]
                v[fired] = p["reset"][fired]
                u[fired] += p["jump"][fired]
            now[-1] += 1
        return counts[:, :-1], now
