"""The equations of Lang and Kobayashi: their parameters, and a slow integrator of them.

The equations are in `rchw.nodes.photonic.laser`, whose fast steps share no code with what is here.

Source: R. Lang and K. Kobayashi, IEEE J. Quantum Electron. 16, 347 (1980), which was not read. The
rate equations, the feedback and the default parameters are those of public code
(github.com/Kentoooooooo/RC_backup, zero-one_ratio_chg_threshold.c); the saturation of the gain and
the injected field are the usual terms, from no source that was read.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.nodes.parameters import Parameters, Quantity, quantity

__all__ = ["LIGHT", "LaserParameters", "solved"]

Values = NDArray[np.float64]
LIGHT = 299_792_458.0
"""Speed of light in vacuum, in metres per second."""
_CODE = "public code of Kentoooooooo/RC_backup"
_FIELD, _CROWD = 1e10, 1e24  # units of E and N, so that the tolerances mean something


@dataclass(frozen=True)
class LaserParameters(Parameters):
    """Of the laser; each one value, or one per device."""

    gain: Quantity = quantity(8.4e-13, "m^3/s", _CODE, above=0)
    transparency: Quantity = quantity(1.4e24, "m^-3", _CODE, above=0)
    photon_lifetime: Quantity = quantity(1.927e-12, "s", _CODE, above=0)
    carrier_lifetime: Quantity = quantity(2.04e-9, "s", _CODE, above=0)
    linewidth_factor: Quantity = quantity(3.0, "1", _CODE)
    saturation: Quantity = quantity(0.0, "m^3", _CODE, least=0)
    facet: Quantity = quantity(0.556, "1", _CODE, above=0, below=1)
    mirror: Quantity = quantity(0.01, "1", _CODE, least=0, most=1)
    round_trip: Quantity = quantity(8e-12, "s", _CODE, above=0)
    wavelength: Quantity = quantity(1.537e-6, "m", _CODE, above=0)
    pump: Quantity = quantity(1.11, "1", _CODE, above=0)
    injection: Quantity = quantity(1e10, "1/s", "chosen", loose=True, least=0)
    detuning: Quantity = quantity(0.0, "Hz", "chosen", loose=True)


def solved(
    p: dict[str, float],
    injected: Values,
    state: Values,
    step: float,
    interval: float,
    delay: float,
    origin: float,
) -> tuple[Values, Values]:
    """Integrate one laser by scipy's method of order 8, from interval to interval.

    What the mirror sends back is the dense output of the intervals before. Within the first delay
    it is the parabola through the three values that the state holds of each step.

    Parameters
    ----------
    p : dict of float
        Each parameter of the laser.
    injected : float64 array (T, M)
        Fields, constant in each interval.
    state : float64 array (3 + 4 K,)
        N, E, and E at the beginning and in the middle of each of the K steps of the delay.
    step, interval, delay : float
        In seconds.
    origin : float
        Time of the beginning in seconds, by which detuned light has turned.

    Returns
    -------
    readings : float64 array (T, M)
    state : float64 array (3 + 4 K,)
    """
    from scipy.integrate import solve_ivp

    length = (len(state) - 3) // 4
    line = state[3:].reshape(length, 2, 2) @ np.array([1, 1j])
    begins = np.append(line[:, 0], state[1] + 1j * state[2]) / _FIELD
    middles = line[:, 1] / _FIELD
    loss, threshold = 1 / p["photon_lifetime"], p["transparency"]
    threshold += loss / p["gain"]
    pump = p["pump"] * threshold / p["carrier_lifetime"]
    mirror = (1 - p["facet"] ** 2) / p["facet"] * p["mirror"] / p["round_trip"]
    mirrored = mirror * np.exp(-2j * math.pi * math.fmod(LIGHT / p["wavelength"] * delay, 1.0))
    ends: list[float] = []
    pieces: list[Any] = []

    def past(time: float) -> complex:
        if time > 0:
            re, im, _ = pieces[min(bisect_right(ends, time), len(pieces) - 1)](time)
            return complex(re, im)
        place = time / step + length
        at = min(max(int(place), 0), length - 1)
        x = 2 * (place - at) - 1
        first, middle, last = begins[at], middles[at], begins[at + 1]
        return complex(middle + x * (last - first) / 2 + x * x * ((first + last) / 2 - middle))

    def slopes(light: float, time: float, y: Values) -> Values:
        e, n = complex(y[0], y[1]), y[2] * _CROWD
        photons = abs(e * _FIELD) ** 2
        gain = p["gain"] * (n - p["transparency"]) / (1 + p["saturation"] * photons)
        turn = math.fmod(p["detuning"] * (time + origin), 1.0)
        slope = (1 + 1j * p["linewidth_factor"]) / 2 * (gain - loss) * e
        slope += mirrored * past(time - delay)
        slope += p["injection"] * light / _FIELD * np.exp(-2j * math.pi * turn)
        flow = pump - n / p["carrier_lifetime"] - gain * photons
        return np.array([slope.real, slope.imag, flow / _CROWD])

    y = np.array([begins[-1].real, begins[-1].imag, state[0] / _CROWD])
    parts = math.ceil(interval / delay)  # so that no part needs what it is about to give
    readings = np.empty_like(injected)
    for number, light in enumerate(injected.ravel()):
        for part in range(parts):
            span = [interval * (number + each / parts) for each in (part, part + 1)]
            done = solve_ivp(
                partial(slopes, float(light)), span, y, method="DOP853",
                rtol=1e-11, atol=1e-12, dense_output=True, max_step=10 * step,
            )  # fmt: skip
            pieces.append(done.sol)
            ends.append(span[1])
            y = done.y[:, -1]
        readings.flat[number] = abs(complex(y[0], y[1]) * _FIELD) ** 2
    times = interval * injected.size + step * (np.arange(2 * length) / 2 - length)
    found = _FIELD * np.array([past(float(time)) for time in times])
    held = np.stack([found.real, found.imag], axis=1).ravel()
    return readings, np.concatenate([[y[2] * _CROWD, y[0] * _FIELD, y[1] * _FIELD], held])
