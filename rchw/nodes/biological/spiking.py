"""The steps of a culture of neurons: the loop of `rchw.nodes.biological.culture`."""

import numpy as np
from numpy.typing import NDArray

from rchw.nodes.kernel import Kernel

__all__ = ["BITS", "CONSTANT", "LINEAR", "MIDDLE", "PEAK", "SQUARE", "spiking"]

Values = NDArray[np.float64]
Indices = NDArray[np.int64]
# Here, not with the other constants: a compiled loop is kept until the file that it is in changes.
SQUARE, LINEAR, CONSTANT = 4e4, 5e3, 140.0  # 1/(V s), 1/s, V/s: 0.04, 5 and 140 in mV and ms
PEAK = 0.03  # V, where a spike ends
BITS = 16  # of a number of noise
MIDDLE = 2.0 ** (BITS - 1) - 0.5  # of its codes


def _spiking(
    lifts: Values,
    drawn: NDArray[np.unsignedinteger],
    volts: Values,
    counts: Values,
    state: Values,
    first: Indices,
    targets: NDArray[np.uint32],
    heard: Indices,
    split: int,
    recovery: Values,
    sensitivity: Values,
    reset: Values,
    jump: Values,
    bias: Values,
    weight: Values,
    use: Values,
    keep_e: Values,
    keep_h: Values,
    missing: Values,
    step: float,
    lowest: float,
) -> int:
    """Shapes (T, n), (T, steps n), (n,), (T, electrodes), (5, n); the last two are changed.

    A step of noise is a code, less the middle one, times the volts of its neuron. The number of the
    sample at which a membrane falls too low is given back, or -1.
    """
    samples, n = lifts.shape
    steps = drawn.shape[1] // n
    v, u, e, h, x = state[0], state[1], state[2], state[3], state[4]
    fired = np.zeros(n, dtype=np.int64)
    for t in range(samples):
        for i in range(n):
            v[i] += lifts[t, i]
        for s in range(steps):
            noise = drawn[t, s * n : (s + 1) * n]
            # Without a branch, so that a compiler takes several at a time, and in two loops, for
            # which it can tell sooner that no array lies in another.
            for i in range(n):
                slope = (SQUARE * v[i] + LINEAR) * v[i] + CONSTANT - u[i] + e[i] - h[i] + bias[i]
                u[i] += step * (recovery[i] * (sensitivity[i] * v[i] - u[i]))
                v[i] += step * slope + (noise[i] - MIDDLE) * volts[i]
            for i in range(n):
                e[i] *= keep_e[i]
                h[i] *= keep_h[i]
                x[i] = 1.0 - (1.0 - x[i]) * missing[i]
            count = 0
            for i in range(n):
                if v[i] >= PEAK:
                    fired[count] = i
                    count += 1
                elif not v[i] > lowest:
                    return t
            for k in range(count):
                i = fired[k]
                amount = weight[i] * use[i] * x[i]
                current = e if i < split else h
                for j in range(first[i], first[i + 1]):
                    current[targets[j]] += amount
                x[i] -= use[i] * x[i]
                v[i] = reset[i]
                u[i] += jump[i]
                if heard[i] >= 0:
                    counts[t, heard[i]] += 1.0
    return -1


spiking = Kernel(_spiking)
