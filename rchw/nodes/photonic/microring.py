"""A silicon microring between two waveguides: field, free carriers and heat.

With U = |a|^2 the energy in the ring, N the density of free carriers, Th the rise of temperature, P
the power at the input, constant in each interval, and w = 2 pi f the frequency of the light::

    da/dt  = (2 pi i df - i D - (g_0 + g_i + g_d + g_2 U + g_N N) / 2) a + i sqrt(g_i P)
    D      = w / n_g (n_2 c U / (n_g A_2 L) + k Th - r_1 N - r_2 N^0.8)
    dN/dt  = -N / t_N + G U^2
    dTh/dt = -Th / t_Th + (h g_0 + g_2 U + g_N N) U / (rho c_p A L)

    g_0 = c alpha / n_g           loss                 g_i, g_d = c K / (n_g L)   couplers
    g_2 = beta c^2 / (n_g^2 A_2 L)  two-photon absorption    g_N = sigma c / n_g  of carriers
    G = beta c^2 / (2 hbar w n_g^2 (A_N L)^2),     L = 2 pi R

The power at the drop port, g_d U, is read. Each linear part is carried exactly by an exponential,
what is left by a method of Runge and Kutta's kind of order 4 (S. M. Cox and P. C. Matthews, J.
Comput. Phys. 176, 430, 2002, after public descriptions). The root-like N^0.8 costs order where the
ring was dark.

Source: terms and most default parameters after public code (blackline0911/couple-mode-theory-in-
time, cmt_test.py), which models a ring of low quality; loss and couplers are chosen here for a
quality near 1e5. The fast carriers' N^0.8 is in the units of that code, cm^-3.
"""

import math
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.kernel import Kernel
from rchw.nodes.node import check_counts, checked_drives, checked_state
from rchw.nodes.parameters import Parameters, Quantity, quantity

__all__ = ["Microring", "MicroringParameters"]

Values = NDArray[np.float64]
Complexes = NDArray[np.complex128]
_CODE = "public code of blackline0911/couple-mode-theory-in-time"
_LIGHT = 299_792_458.0  # m/s
_PLANCK = 6.62607015e-34  # J s
_UNITS = (1e-13, 1e22, 1.0)  # of energy, carriers and temperature, for the tolerances of scipy


@dataclass(frozen=True)
class MicroringParameters(Parameters):
    """Of the ring; each one value, or one per device."""

    radius: Quantity = quantity(50e-6, "m", _CODE, above=0)
    group_index: Quantity = quantity(4.08, "1", _CODE, above=0)
    wavelength: Quantity = quantity(1.55e-6, "m", "chosen", above=0)
    loss: Quantity = quantity(46.0, "1/m", "chosen: 2 dB/cm", loose=True, least=0)
    input_coupling: Quantity = quantity(0.02, "1", "chosen", loose=True, above=0, most=1)
    drop_coupling: Quantity = quantity(0.02, "1", "chosen", loose=True, above=0, most=1)
    detuning: Quantity = quantity(0.0, "Hz", "chosen: light minus cold resonance", loose=True)
    kerr: Quantity = quantity(4.5e-18, "m^2/W", _CODE, least=0)
    two_photon: Quantity = quantity(0.75e-11, "m/W", _CODE, least=0)
    carrier_loss: Quantity = quantity(14.5e-22, "m^2", _CODE, least=0)
    carrier_shift: Quantity = quantity(8.8e-22, "cm^3", _CODE, least=0)
    carrier_root_shift: Quantity = quantity(8.5e-18, "cm^2.4", _CODE, least=0)
    mode_area: Quantity = quantity(0.204e-12, "m^2", _CODE, above=0)
    two_photon_area: Quantity = quantity(0.1289e-12, "m^2", _CODE, above=0)
    carrier_area: Quantity = quantity(0.116e-12, "m^2", _CODE, above=0)
    heat_capacity: Quantity = quantity(2.329e6 * 0.713, "J/(K m^3)", _CODE, above=0)
    thermo_optic: Quantity = quantity(1.86e-4, "1/K", _CODE, least=0)
    absorbed: Quantity = quantity(0.5, "1", _CODE, loose=True, least=0, most=1)
    carrier_lifetime: Quantity = quantity(10e-9, "s", _CODE, above=0)
    heat_lifetime: Quantity = quantity(100e-9, "s", _CODE, above=0)


@dataclass(frozen=True)
class Microring:
    """Rings, each with the input powers of its virtual nodes.

    Parameters
    ----------
    n_virtual : int
        Readings of each ring per sample.
    n_devices : int
    parameters : MicroringParameters
    interval : float
        Seconds between readings: a multiple of `step`.
    step : float
        Of the integrator, in seconds: at most a fifth of the photon lifetime.
    limit : float
        Largest drive, the power at the input; the least is 0.
    """

    n_virtual: int
    n_devices: int = 1
    parameters: MicroringParameters = field(default_factory=MicroringParameters)
    interval: float = 40e-12
    step: float = 10e-12
    limit: float = 10e-3
    drive_unit: str = field(default="W", init=False)
    reading_unit: str = field(default="W", init=False)

    def __post_init__(self) -> None:
        check_counts(self.n_devices, self.n_virtual)
        if not 0 < self.limit < np.inf:
            raise DesignError(f"limit must be finite and above 0, not {self.limit}")
        longest = float(self.photon_lifetime.min()) / 5
        if not 0 < self.step <= longest:
            raise DesignError(
                f"step must be above 0 and at most {longest:.3g} s, a fifth of the photon "
                f"lifetime, not {self.step:g}"
            )
        count = round(self.interval / self.step) if 0 < self.interval < np.inf else 0
        if count < 1 or not math.isclose(count * self.step, self.interval, rel_tol=1e-6):
            raise DesignError(
                f"interval must be a multiple of the step of {self.step:g} s, "
                f"not {self.interval:g} s"
            )

    @property
    def n_drives(self) -> int:
        """One power per device and virtual node."""
        return self.n_devices * self.n_virtual

    @property
    def n_state(self) -> int:
        """Real and imaginary part of a, N and Th of each device."""
        return 4 * self.n_devices

    @property
    def photon_lifetime(self) -> Values:
        """Of the energy in the cold ring, in seconds, (devices,)."""
        rates = self._rates()
        return 1 / (rates["loss"] + rates["input"] + rates["drop"])

    @property
    def quality(self) -> Values:
        """Of the cold ring, (devices,)."""
        p = self.parameters.of_devices(self.n_devices)
        return 2 * math.pi * _LIGHT / p["wavelength"] * self.photon_lifetime

    def start(self) -> Values:
        """Dark and cold, (4 devices,)."""
        return np.zeros(self.n_state)

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Powers at the drop port after each interval; (T, D), (S,) -> (T, D), (S,).

        Raises
        ------
        DesignError
            If a shape is wrong, a power outside 0 to the limit, or the steps are too long to stay
            finite.
        """
        powers, now = self._checked(drives, state)
        rates, readings = self._rates(), np.empty_like(powers)
        linear = np.stack([self._linear(rates), -rates["recombines"], -rates["cools"]], axis=1)
        fraction = _exponential_weights(linear * self.step)
        weights = np.stack([fraction.real, fraction.imag], axis=-1)
        _STEPS(
            powers, readings, now, self.step, round(self.interval / self.step), weights,
            rates["input"], rates["drop"], rates["loss"], rates["two"], rates["carrier"],
            rates["kerr"], rates["warm"], rates["shift"], rates["root"],
            rates["make"], rates["heat"], rates["absorbed"],
        )  # fmt: skip
        if not np.isfinite(now).all():
            raise DesignError(f"step must be short enough to stay finite, not {self.step:g} s")
        return readings.reshape(-1, self.n_drives), now.ravel()

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by scipy's method of order 8, interval by interval."""
        from scipy.integrate import solve_ivp

        powers, now = self._checked(drives, state)
        rates, readings = self._rates(), np.empty_like(powers)
        linear = self._linear(rates)
        root, crowd, heat = math.sqrt(_UNITS[0]), _UNITS[1], _UNITS[2]
        scale = np.array([root, root, crowd, heat])

        def slopes(d: int, power: float, _: float, y: Values) -> Values:
            own = {name: float(values[d]) for name, values in rates.items()}
            a, carriers, warm = complex(y[0], y[1]) * root, max(y[2] * crowd, 0.0), y[3] * heat
            u = abs(a) ** 2
            shift = own["kerr"] * u + own["warm"] * warm
            shift -= own["shift"] * carriers + own["root"] * carriers**0.8
            more = own["two"] * u + own["carrier"] * carriers
            slope = (linear[d] - 1j * shift - more / 2) * a + 1j * math.sqrt(own["input"] * power)
            born = own["make"] * u**2 - own["recombines"] * y[2] * crowd
            heating = own["heat"] * (own["absorbed"] * own["loss"] + more) * u
            heating -= own["cools"] * warm
            return np.asarray(np.array([slope.real, slope.imag, born, heating]) / scale)

        for d in range(self.n_devices):
            y = now[d] / scale
            for t in range(len(powers)):
                for k in range(self.n_virtual):
                    done = solve_ivp(
                        partial(slopes, d, float(powers[t, d, k])), [0.0, self.interval], y,
                        method="DOP853", rtol=1e-11, atol=1e-13, first_step=self.step / 10,
                    )  # fmt: skip
                    y = done.y[:, -1]
                    readings[t, d, k] = rates["drop"][d] * (y[0] ** 2 + y[1] ** 2) * _UNITS[0]
            now[d] = y * scale
        return readings.reshape(-1, self.n_drives), now.ravel()

    def _checked(self, drives: Values, state: Values) -> tuple[Values, Values]:
        powers = checked_drives(drives, self, 0.0, self.limit)
        shape = (len(powers), self.n_devices, self.n_virtual)
        return powers.reshape(shape), checked_state(state, self).reshape(self.n_devices, 4)

    def _linear(self, rates: dict[str, Values]) -> Complexes:
        total = rates["loss"] + rates["input"] + rates["drop"]
        return np.asarray(1j * rates["detuning"] - total / 2)

    def _rates(self) -> dict[str, Values]:
        """The constants of the equations, each (devices,), in SI units."""
        p = self.parameters.of_devices(self.n_devices)
        w, n = 2 * math.pi * _LIGHT / p["wavelength"], p["group_index"]
        length = 2 * math.pi * p["radius"]
        light = _LIGHT / n
        volume = p["two_photon_area"] * length
        pairs = 2 * _PLANCK / (2 * math.pi) * w * (p["carrier_area"] * length) ** 2
        return {
            "loss": light * p["loss"],
            "input": light * p["input_coupling"] / length,
            "drop": light * p["drop_coupling"] / length,
            "detuning": 2 * math.pi * p["detuning"],
            "two": p["two_photon"] * light**2 / volume,
            "carrier": p["carrier_loss"] * light,
            "kerr": w / n * p["kerr"] * light / volume,
            "warm": w / n * p["thermo_optic"],
            "shift": w / n * p["carrier_shift"] * 1e-6,  # N per cubic metre
            "root": w / n * p["carrier_root_shift"] * 1e-6**0.8,
            "make": p["two_photon"] * light**2 / pairs,
            "recombines": 1 / p["carrier_lifetime"],
            "cools": 1 / p["heat_lifetime"],
            "heat": 1 / (p["heat_capacity"] * p["mode_area"] * length),
            "absorbed": p["absorbed"],
        }


def _exponential_weights(z: NDArray[Any]) -> Complexes:
    """What a step takes of each stage, (..., 6), for a linear part times step z.

    Each weight is a mean over a circle around z, where its formula has no cancellation.
    """
    circle = z[..., None] + np.exp(2j * math.pi * (np.arange(64) + 0.5) / 64)
    whole = np.exp(circle)
    cube = circle**3
    means = [
        (np.exp(circle / 2) - 1) / circle,
        (-4 - circle + whole * (4 - 3 * circle + circle**2)) / cube,
        (2 + circle + whole * (-2 + circle)) / cube,
        (-4 - 3 * circle - circle**2 + whole * (4 - circle)) / cube,
    ]
    exact = [np.exp(z), np.exp(z / 2)]
    return np.stack([*exact, *(mean.mean(axis=-1) for mean in means)], axis=-1)


def _steps(
    powers: Values,
    readings: Values,
    state: Values,
    h: float,
    steps: int,
    weights: Values,
    rate_in: Values,
    rate_drop: Values,
    rate_loss: Values,
    two: Values,
    carrier: Values,
    kerr: Values,
    warm: Values,
    shift: Values,
    root: Values,
    make: Values,
    heat: Values,
    absorbed: Values,
) -> None:
    """Shapes (T, devices, M) twice, (devices, 4), (devices, 3, 6, 2), then (devices,).

    Fills readings and state.
    """
    samples, devices, nodes = powers.shape
    for d in range(devices):
        a, n, c = complex(state[d, 0], state[d, 1]), state[d, 2], state[d, 3]
        ea = complex(weights[d, 0, 0, 0], weights[d, 0, 0, 1])
        ha = complex(weights[d, 0, 1, 0], weights[d, 0, 1, 1])
        qa = h * complex(weights[d, 0, 2, 0], weights[d, 0, 2, 1])
        fa = h * complex(weights[d, 0, 3, 0], weights[d, 0, 3, 1])
        ga = h * complex(weights[d, 0, 4, 0], weights[d, 0, 4, 1])
        la = h * complex(weights[d, 0, 5, 0], weights[d, 0, 5, 1])
        en, hn, qn = weights[d, 1, 0, 0], weights[d, 1, 1, 0], h * weights[d, 1, 2, 0]
        fn, gn, ln = h * weights[d, 1, 3, 0], h * weights[d, 1, 4, 0], h * weights[d, 1, 5, 0]
        ec, hc, qc = weights[d, 2, 0, 0], weights[d, 2, 1, 0], h * weights[d, 2, 2, 0]
        fc, gc, lc = h * weights[d, 2, 3, 0], h * weights[d, 2, 4, 0], h * weights[d, 2, 5, 0]
        for t in range(samples):
            for i in range(nodes):
                pushed = 1j * math.sqrt(rate_in[d] * powers[t, d, i])
                for _ in range(steps):
                    xa, xn, xc = a, n, c
                    first_a, first_n, first_c = pushed, 0.0, 0.0
                    half_a, half_n, half_c = a, n, c
                    sum_a, sum_n, sum_c = ea * a, en * n, ec * c
                    for stage in range(4):
                        u = xa.real * xa.real + xa.imag * xa.imag
                        crowd = max(xn, 0.0)
                        more = two[d] * u + carrier[d] * crowd
                        moved = kerr[d] * u + warm[d] * xc - shift[d] * crowd
                        moved -= root[d] * crowd**0.8
                        ka = pushed - (0.5 * more + 1j * moved) * xa
                        kn = make[d] * u * u
                        kc = heat[d] * (absorbed[d] * rate_loss[d] + more) * u
                        if stage == 0:
                            first_a, first_n, first_c = ka, kn, kc
                            sum_a, sum_n, sum_c = sum_a + fa * ka, sum_n + fn * kn, sum_c + fc * kc
                            xa, xn, xc = ha * a + qa * ka, hn * n + qn * kn, hc * c + qc * kc
                            half_a, half_n, half_c = xa, xn, xc
                        elif stage < 3:
                            sum_a += 2.0 * ga * ka
                            sum_n += 2.0 * gn * kn
                            sum_c += 2.0 * gc * kc
                            if stage == 1:
                                xa, xn, xc = ha * a + qa * ka, hn * n + qn * kn, hc * c + qc * kc
                            else:
                                xa = ha * half_a + qa * (2.0 * ka - first_a)
                                xn = hn * half_n + qn * (2.0 * kn - first_n)
                                xc = hc * half_c + qc * (2.0 * kc - first_c)
                        else:
                            sum_a, sum_n, sum_c = sum_a + la * ka, sum_n + ln * kn, sum_c + lc * kc
                    a, n, c = sum_a, sum_n, sum_c
                readings[t, d, i] = rate_drop[d] * (a.real * a.real + a.imag * a.imag)
        state[d, 0], state[d, 1], state[d, 2], state[d, 3] = a.real, a.imag, n, c


_STEPS = Kernel(_steps)
