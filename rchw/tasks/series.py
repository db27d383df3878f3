"""Benchmark series by their recurrences, drawn from a generator that the caller seeds.

Constants carry the definition they come from. Where sources differ, the docstring says which was
taken. Every function returns float64 arrays with time on axis 0.
"""

import math

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["SYMBOLS", "TAPS", "channel", "henon", "mackey_glass", "narma", "received_power"]

Values = NDArray[np.float64]

SYMBOLS = (-3.0, -1.0, 1.0, 3.0)
# Weight of symbol d(n + 2 - k) in the received signal; Jaeger and Haas, Science 304 (2004) 78.
TAPS = (0.08, -0.12, 1.0, 0.18, -0.1, 0.091, -0.05, 0.04, 0.03, 0.01)

_NARMA_DROPPED = 100  # steps from the zero state
_NARMA_DIVERGED = 10.0  # beyond, the quadratic term outgrows every input
_MACKEY_GLASS_DROPPED = 1000  # time units
_HENON_DROPPED = 100  # steps
_HENON_LOOKAHEAD = 60  # steps without noise that tell a state inside the basin from one outside


def narma(order: int, length: int, rng: np.random.Generator) -> tuple[Values, Values, int]:
    """Nonlinear autoregressive moving average of order 10 or 20.

    ``v(t+1) = 0.3 y(t) + 0.05 y(t) sum_{i<order} y(t-i) + 1.5 s(t-order+1) s(t)`` with
    ``s ~ U[0, 0.5]``; order 10: ``y = v + 0.1``; order 20: ``y = tanh(v + 0.01) + 0.2``
    (Rodan and Tino, IEEE Transactions on Neural Networks 22 (2011) 131). It starts from zeros and
    the first 100 steps are dropped. Order 10 may diverge; such a draw is thrown away whole and the
    next one taken from the same generator. Order 20 cannot, and settles near 1.1, on the upper
    branch of its tanh.

    Parameters
    ----------
    order : int
        10 or 20.
    length : int
        At least 1.
    rng : numpy.random.Generator

    Returns
    -------
    inputs, outputs : float64 arrays (length,)
        ``outputs[t + 1]`` follows from ``inputs[: t + 1]``.
    rejected : int
        Draws that diverged.

    Raises
    ------
    DesignError
        If order or length is out of range.
    """
    if order not in (10, 20):
        raise DesignError(f"order must be 10 or 20, not {order}")
    _check_length(length)
    rejected = 0
    while True:
        drawn = rng.uniform(0.0, 0.5, length + _NARMA_DROPPED)
        outputs = _narma_outputs(order, drawn.tolist())
        if outputs is not None:
            return drawn[_NARMA_DROPPED:], np.array(outputs[_NARMA_DROPPED:]), rejected
        rejected += 1


def _narma_outputs(order: int, drawn: list[float]) -> list[float] | None:
    """``y(0) .. y(T-1)`` from zeros, or None if it diverges."""
    s = [0.0] * (order - 1) + drawn  # s[t + order - 1] is s(t)
    y = [0.0] * order  # y[t + order - 1] is y(t)
    for t in range(len(drawn) - 1):
        recent = math.fsum(y[-order:])  # the built-in sum rounds by Python version
        value = 0.3 * y[-1] + 0.05 * y[-1] * recent + 1.5 * s[t] * s[t + order - 1]
        y.append(value + 0.1 if order == 10 else math.tanh(value + 0.01) + 0.2)
        if abs(y[-1]) > _NARMA_DIVERGED:
            return None
    return y[order - 1 :]


def mackey_glass(
    length: int, rng: np.random.Generator, *, tau: float = 17.0, steps: int = 10
) -> Values:
    """Mackey-Glass series sampled at 1 and squashed, ``tanh(x - 1)``.

    ``dx/dt = 0.2 x(t - tau) / (1 + x(t - tau)**10) - 0.1 x(t)`` by fourth-order Runge-Kutta with
    step ``h = 1 / steps``; the delayed value at half steps is the cubic Hermite interpolant of the
    stored values and slopes, of the same order. The past before 0 is one constant drawn from
    U[1.1, 1.3]; the first 1000 time units are dropped. Chaotic from tau = 16.8 (Mackey and Glass,
    Science 197 (1977) 287); squashing as in Jaeger and Haas, Science 304 (2004) 78.

    Parameters
    ----------
    length : int
        At least 1.
    rng : numpy.random.Generator
    tau : float
        Delay in time units; a multiple of the step.
    steps : int
        Runge-Kutta steps per sample.

    Returns
    -------
    float64 array (length,)
        Within (-1, 1).

    Raises
    ------
    DesignError
        If length, steps or tau is out of range.
    """
    _check_length(length)
    if steps < 1:
        raise DesignError(f"steps must be at least 1, not {steps}")
    delay = round(tau * steps)
    if delay < 1 or not math.isclose(delay, tau * steps):
        raise DesignError(f"tau must be a positive multiple of the step 1/{steps}, not {tau}")
    start = float(rng.uniform(1.1, 1.3))
    x = _mackey_glass_steps(start, (length + _MACKEY_GLASS_DROPPED) * steps, delay, 1.0 / steps)
    samples = np.array(x[(_MACKEY_GLASS_DROPPED + 1) * steps :: steps])
    return np.tanh(samples - 1.0)


def _mackey_glass_steps(start: float, count: int, delay: int, h: float) -> list[float]:
    """``x(0), x(h), .. x(count h)`` after a past of the constant `start`."""
    x = [start]
    whole = [_production(start)] * (delay + 1)  # production by x(n h), from n = -delay
    half = [whole[0]] * delay  # by x((n + 1/2) h)
    for n in range(count):
        now, old, middle, new = x[-1], whole[n], half[n], whole[n + 1]
        k1 = old - 0.1 * now
        k2 = middle - 0.1 * (now + 0.5 * h * k1)
        k3 = middle - 0.1 * (now + 0.5 * h * k2)
        k4 = new - 0.1 * (now + h * k3)
        following = now + h * (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0
        slope = new - 0.1 * following
        half.append(_production(0.5 * (now + following) + 0.125 * h * (k1 - slope)))
        whole.append(_production(following))
        x.append(following)
    return x


def _production(delayed: float) -> float:
    """``0.2 x / (1 + x**10)`` by products, which every machine rounds alike."""
    square = delayed * delayed
    fourth = square * square
    return 0.2 * delayed / (1.0 + fourth * fourth * square)


def henon(length: int, rng: np.random.Generator, *, noise: float = 0.05) -> tuple[Values, int]:
    """Henon map with dynamical noise, kept inside its basin.

    ``y(t) = 1 - 1.4 y(t-1)**2 + 0.3 y(t-2) + z(t)`` with ``z ~ N(0, noise)``, `noise` a standard
    deviation (Rodan and Tino, IEEE Transactions on Neural Networks 22 (2011) 131). With 0.05 every
    long orbit leaves the basin of the attractor sooner or later; a ``z(t)`` after which the map
    without noise would run away is therefore drawn again (about 3 of 100). It starts from zeros and
    the first 100 steps are dropped.

    Parameters
    ----------
    length : int
        At least 1.
    rng : numpy.random.Generator
    noise : float
        0 to 0.2.

    Returns
    -------
    series : float64 array (length,)
    redrawn : int
        Noise values that were drawn again.

    Raises
    ------
    DesignError
        If length or noise is out of range.
    """
    _check_length(length)
    if not 0 <= noise <= 0.2:
        raise DesignError(f"noise must be from 0 to 0.2, not {noise}")
    now, before, redrawn = 0.0, 0.0, 0
    series: list[float] = []
    while len(series) < length + _HENON_DROPPED:
        following = 1.0 - 1.4 * now * now + 0.3 * before + noise * float(rng.standard_normal())
        if _runs_away(following, now):
            redrawn += 1
            continue
        now, before = following, now
        series.append(now)
    return np.array(series[_HENON_DROPPED:]), redrawn


def _runs_away(now: float, before: float) -> bool:
    """Whether the map without noise leaves ``|y| <= 3`` within the steps looked ahead."""
    for _ in range(_HENON_LOOKAHEAD):
        now, before = 1.0 - 1.4 * now * now + 0.3 * before, now
        if abs(now) > 3.0:
            return True
    return False


def channel(length: int, rng: np.random.Generator, *, snr: float = 20.0) -> tuple[Values, Values]:
    """Four symbols through a channel with echoes, distortion and noise.

    ``q(n) = sum_k TAPS[k] d(n + 2 - k)`` of symbols d, then
    ``u(n) = q(n) + 0.036 q(n)**2 - 0.011 q(n)**3 + noise`` (Jaeger and Haas, Science 304 (2004)
    78). The noise is normal; its variance is that of the noise-free u over ``10**(snr / 10)``.

    Parameters
    ----------
    length : int
        At least 1.
    rng : numpy.random.Generator
    snr : float
        Signal to noise ratio in decibels; infinity for no noise. The literature goes from 12 to
        32; at 20 a linear filter makes errors enough to be counted in 3000 symbols.

    Returns
    -------
    received, symbols : float64 arrays (length,)
        ``received[n]`` is u(n), ``symbols[n]`` is d(n).

    Raises
    ------
    DesignError
        If length or snr is out of range.
    """
    _check_length(length)
    if not snr >= -20:
        raise DesignError(f"snr must be at least -20 decibels, not {snr}")
    # Two generators, so that a longer series begins like a shorter one.
    of_symbols, of_noise = rng.spawn(2)
    before, after = len(TAPS) - 3, 2
    sent = np.array(SYMBOLS)[of_symbols.integers(0, len(SYMBOLS), before + length + after)]
    q = np.zeros(length)
    for k, tap in enumerate(TAPS):
        first = before + after - k
        q += tap * sent[first : first + length]
    received = q + 0.036 * q**2 - 0.011 * q**3
    spread = math.sqrt(received_power() * 10.0 ** (-snr / 10.0))
    received += spread * of_noise.standard_normal(length)
    return received, sent[before : before + length]


def received_power() -> float:
    """Variance of the noise-free received signal of `channel`, exactly, from moments of q."""
    moments = [1.0] + [0.0] * 6
    for tap in TAPS:
        own = [math.fsum((tap * d) ** n for d in SYMBOLS) / len(SYMBOLS) for n in range(7)]
        moments = [
            math.fsum(math.comb(n, j) * moments[j] * own[n - j] for j in range(n + 1))
            for n in range(7)
        ]
    weights = (0.0, 1.0, 0.036, -0.011)
    mean = math.fsum(w * moments[i] for i, w in enumerate(weights))
    square = math.fsum(
        a * b * moments[i + j] for i, a in enumerate(weights) for j, b in enumerate(weights)
    )
    return square - mean * mean


def _check_length(length: int) -> None:
    if length < 1:
        raise DesignError(f"length must be at least 1, not {length}")
