"""What becomes of a conductance that is programmed: error, drift and noise of two kinds of cells.

With x = g / high the share of the highest conductance, and sigma in microsiemens for the `high` of
the fit, scaled to another::

    pcm   error  sigma = 0.26348 + 1.9650 x - 1.1731 x^2                  (high 25 uS)
          drift  g (t / t0)^-nu,  nu = |mean + deviation * normal|
                 mean      = -0.0155 ln x + 0.0244, limited to 0.049 to 0.1
                 deviation = -0.0125 ln x - 0.0059, limited to 0.008 to 0.045
          noise  sigma = g min(0.0088 / x^0.65, 0.2) sqrt(ln((t + tr) / (2 tr)))
    rram  error  a polynomial of fourth degree in x, one for 1 s, one day, two days (high 40 uS)

A conductance that would become negative is 0: the fits have tails that no device has.

Source: the inference noise models of IBM's aihwkit (`pcm.py`, after Nandakumar et al., ICECS 2019;
`reram.py`, after Wan et al., Nature 2022), whose code was read; the papers were not.
"""

import math

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["KINDS", "RRAM_TIMES", "drift", "flicker_deviation", "program", "quantize"]

KINDS = ("ideal", "pcm", "rram")
RRAM_TIMES = (1.0, 86_400.0, 172_800.0)
Values = NDArray[np.float64]
_PCM_HIGH, _RRAM_HIGH = 25.0, 40.0  # uS, of the fits
_PCM = (0.26348, 1.9650, -1.1731)
_RRAM = {
    1.0: (0.348, 16.030, -43.853, 45.393, -16.815),
    86_400.0: (0.701, 22.086, -50.773, 47.095, -16.458),
    172_800.0: (0.782, 20.274, -43.507, 37.062, -11.934),
}
_LEAST_SHARE = 1e-7  # of x in the laws that have no value at 0


def quantize(targets: Values, low: float, high: float, bits: int | None) -> Values:
    """Nearest of ``2**bits`` conductances from `low` to `high`, both included; None is exact."""
    if bits is None:
        return targets.copy()
    steps = 2**bits - 1
    return np.asarray(
        low + np.floor((targets - low) / (high - low) * steps + 0.5) * (high - low) / steps
    )


def program(targets: Values, high: float, kind: str, normals: Values) -> Values:
    """Conductances right after programming.

    Parameters
    ----------
    targets : float64 array
        In siemens.
    high : float
        Highest conductance of the device, in siemens.
    kind : str
        One of `KINDS`.
    normals : float64 array
        One standard normal number per device.
    """
    return _with_error(targets, high, kind, RRAM_TIMES[0], normals)


def drift(
    targets: Values, high: float, kind: str, time: float, first: float, normals: Values
) -> Values:
    """Conductances a time after programming; arguments as for `program`.

    Parameters
    ----------
    time : float
        Seconds since programming.
    first : float
        Seconds from programming to the first reading, t0, of the drift of ``pcm``.

    Raises
    ------
    DesignError
        If there is no law for that time.
    """
    if kind == "rram":
        if time not in RRAM_TIMES:
            known = ", ".join(f"{each:g}" for each in RRAM_TIMES)
            raise DesignError(f"time of rram must be one of {known} s, not {time:g}")
        return _with_error(targets, high, kind, time, normals)
    if kind == "ideal":
        return targets.copy()
    if not time >= first:
        raise DesignError(f"time of pcm must be 0 or at least {first:g} s, not {time:g}")
    logs = np.log(np.maximum(targets / high, _LEAST_SHARE))
    mean = np.clip(-0.0155 * logs + 0.0244, 0.049, 0.1)
    deviation = np.clip(-0.0125 * logs - 0.0059, 0.008, 0.045)
    return np.asarray(targets * (time / first) ** -np.abs(mean + deviation * normals))


def flicker_deviation(conductances: Values, high: float, time: float, reading: float) -> Values:
    """Standard deviation of the 1/f noise of ``pcm``, in siemens.

    Parameters
    ----------
    conductances : float64 array
        In siemens.
    high : float
    time : float
        Seconds since programming.
    reading : float
        Seconds that a reading takes.
    """
    share = np.maximum(conductances / high, _LEAST_SHARE)
    relative = np.minimum(0.0088 / share**0.65, 0.2)
    return np.asarray(
        conductances * relative * math.sqrt(math.log((time + reading) / (2 * reading)))
    )


def _with_error(targets: Values, high: float, kind: str, time: float, normals: Values) -> Values:
    """Targets with the error of their kind, none below 0."""
    if kind == "ideal":
        return targets.copy()
    coefficients, reference = (_PCM, _PCM_HIGH) if kind == "pcm" else (_RRAM[time], _RRAM_HIGH)
    sigma = np.polynomial.polynomial.polyval(targets / high, coefficients) * high / reference
    return np.asarray(np.maximum(targets + sigma * normals, 0.0))
