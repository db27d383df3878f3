"""Spikes of a culture, neuron by neuron, against brian2 with the equations as published."""

import importlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.nodes.biological import Culture, NeuronParameters, Wiring

Values = NDArray[np.float64]
STEPS = 800  # of 0.5 ms


class _Array(np.ndarray[Any, Any]):
    """With the method that brian2 2.9, the last one for Python 3.11, takes when it is loaded."""

    def ptp(self, *arguments: Any, **more: Any) -> Any:
        """Range of values, which numpy 2.4 has as a function alone."""
        return np.ptp(self, *arguments, **more)


@pytest.fixture(scope="module")
def brian() -> Any:
    """The package brian2, which runs numpy code."""
    for name in ("numpy.random", "numpy.testing", "scipy.special", "scipy.stats", "sympy"):
        importlib.import_module(name)  # these must not see the array of the next lines
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "ndarray", _Array)
        package: Any = importlib.import_module("brian2")
    package.prefs.codegen.target = "numpy"
    return package


def network() -> Culture:
    """Thirty neurons, some of which fire by themselves; a sample is one step."""
    rng = np.random.default_rng(1)
    excitatory = NeuronParameters(
        noise=0.0, weight=18.0, bias=tuple(float(value) for value in rng.uniform(0, 6, 24))
    )
    inhibitory = replace(NeuronParameters.fast(), noise=0.0, weight=8.0)
    wiring = Wiring(30, rows=2, radius=1.0, peak=0.5, seed=1)
    return Culture(wiring, excitatory, inhibitory, steps=1)


def ours(culture: Culture, pulses: Values) -> list[tuple[int, int]]:
    """Step and neuron of each spike."""
    state, found = culture.start(), []
    for step, row in enumerate(pulses):
        counts, state = culture.run(row[None], state)
        fired = state[:30] == -0.065  # a membrane is exactly at its reset after a spike alone
        assert counts.sum() == fired.sum()
        found += [(step, int(i)) for i in np.flatnonzero(fired)]
    return found


def theirs(brian: Any, culture: Culture, pulses: Values) -> list[tuple[int, int]]:
    """The same by brian2, in millivolts and milliseconds as the model was published."""
    step = 0.5 * brian.ms
    brian.start_scope()
    brian.defaultclock.dt = step
    # Their step of Euler decays a current by 1 - step / tau; this tau makes that exact.
    effective = [0.5 / -np.expm1(-0.5 / tau) for tau in (5.0, 10.0)]
    group = brian.NeuronGroup(
        30,
        """
        dv/dt = (0.04*v**2 + 5*v + 140 - u + ge - gi + bias) / ms : 1
        du/dt = a * (0.2*v - u) / ms : 1
        dge/dt = -ge / (tau_e*ms) : 1
        dgi/dt = -gi / (tau_i*ms) : 1
        bias : 1
        a : 1
        jump : 1
        electrode : integer
        """,
        threshold="v >= 30",
        reset="v = -65; u += jump",
        method="euler",
        namespace={"tau_e": effective[0], "tau_i": effective[1]},
    )
    group.bias[:24] = culture.excitatory.bias
    group.a = np.repeat([0.02, 0.1], [24, 6])
    group.jump = np.repeat([8.0, 2.0], [24, 6])
    group.electrode = culture.wiring.heard()
    start = culture.start()
    group.v, group.u = start[:30] * 1e3, start[30:60]
    played = brian.TimedArray(pulses * 1e3, dt=step)
    group.namespace["played"] = played
    lift = group.run_regularly("v += 0.05 * played(t, electrode)", dt=step, when="start")
    first, targets = culture.wiring.synapses()
    sources = np.repeat(np.arange(30), np.diff(first))
    parts: list[Any] = [group, lift]
    for current, kind, weight in (("ge", sources < 24, 18.0), ("gi", sources >= 24, 8.0)):
        synapses = brian.Synapses(
            group,
            group,
            "dx/dt = (1 - x) / (800*ms) : 1 (event-driven)",
            on_pre=f"{current}_post += weight * 0.5 * x; x -= 0.5 * x",
            namespace={"weight": weight},
        )
        synapses.connect(i=sources[kind], j=targets[kind])
        synapses.x = 1
        parts.append(synapses)
    monitor = brian.SpikeMonitor(group)
    brian.Network(*parts, monitor).run(len(pulses) * step, namespace={})
    steps = np.round(np.asarray(monitor.t / step)).astype(int)
    return sorted(zip(steps.tolist(), np.asarray(monitor.i).tolist(), strict=True))


@pytest.mark.filterwarnings("ignore:.* deprecated(,| -) use:DeprecationWarning")  # of pyparsing
def test_every_spike_is_that_of_brian(brian: Any) -> None:
    """400 ms of a network without noise, with pulses: each spike at the same step."""
    culture = network()
    pulses = np.zeros((STEPS, 4))
    pulses[100::160, 1] = 0.8
    pulses[300::160, 3] = 0.5
    found, expected = ours(culture, pulses), theirs(brian, culture, pulses)
    assert len(expected) > 200
    assert len({i for _, i in expected}) == 30
    assert found == expected
    # The comparison sees depression: where it lasts half as long, the spikes differ.
    other = replace(culture, excitatory=replace(culture.excitatory, renewal=0.4))
    assert ours(other, pulses) != expected
