"""Figures of chips: the network at any bit period, regimes of the ring, the laser's ringing."""

import json
from fractions import Fraction

import numpy as np
import pytest

from rchw.lab.figures import chips
from rchw.lab.figures.figure import Band, Measured
from rchw.nodes.photonic import LaserParameters, Microring, MicroringParameters, Swirl
from rchw.nodes.presets import Size
from rchw.tasks import load_task


def silent(words: str) -> None:
    """Forget what a figure tells."""


def check_record(measured: Measured) -> None:
    """Details survive JSON as they are, and checks are of Python."""
    assert json.loads(json.dumps(measured.details, allow_nan=False)) == measured.details
    assert all(type(held) is bool for held in measured.checks.values())
    assert all(type(value) is float for value in (measured.score, measured.noisy))


def test_bands_are_those_that_were_set_beforehand() -> None:
    assert {figure.name: figure.band for figure in chips.FIGURES} == {
        "vandoorne-xor": Band(high=1e-3),
        "mrr-regimes": Band(high=1.0),
        "lk-relaxation": Band(high=0.01),
    }


# --- The network ---------------------------------------------------------------------------------


@pytest.mark.parametrize("hops", [1, 2, 5])
def test_whole_periods_are_hops_of_the_node(hops: int) -> None:
    fields = np.random.default_rng(1).uniform(0, 1, 30)
    node = Swirl(seed=3, hops=hops)
    wanted = node.run(np.repeat(fields[:, None], 2, axis=1), node.start())[0]
    np.testing.assert_array_equal(chips._powers(Swirl(seed=3), fields, Fraction(hops)), wanted)


@pytest.mark.parametrize("period", ["1/2", "3/4", "3/2", "7/4"])
def test_broken_periods_are_the_equation(period: str) -> None:
    """On a fine grid, with a field of one delay ago that is looked up."""
    p, q = Fraction(period).as_integer_ratio()
    fields, network = np.random.default_rng(1).uniform(0, 1, 12), Swirl(seed=3)
    across, into = network.matrices
    past = [np.zeros(16, dtype=complex)] * q
    powers = []
    for bit in fields:
        for _ in range(p):
            past.append(across @ past[-q] + into @ np.full(2, bit))
        powers.append(np.abs(past[-1]) ** 2)
    found = chips._powers(network, fields, Fraction(period))
    np.testing.assert_allclose(found, powers, rtol=1e-10, atol=1e-18)


def test_a_bit_of_half_a_delay_never_meets_the_one_before() -> None:
    task = chips._xor_task(0, (600, 200, 2000))
    for error in chips._xor_errors(task, Swirl(), Fraction(1, 2), 0):
        assert error == pytest.approx(0.5, abs=0.05)


def test_the_task_is_xor() -> None:
    task = chips._xor_task(4, (60, 20, 20))
    now = task.inputs[:, 0].astype(int)
    assert set(now) == {0, 1}
    np.testing.assert_array_equal(task.targets[1:, 0], now[1:] ^ now[:-1])
    assert (task.metric, task.symbols, task.horizon) == ("ser", (0.0, 1.0), 0)


@pytest.mark.parametrize(
    ("rates", "found"),
    [([0.5, 1e-3, 0.0, 0.5], True), ([0.0, 0.5, 0.0], False), ([0.0, 1.1e-3], False), ([], False)],
)
def test_what_neighbours_are(rates: list[float], found: bool) -> None:
    assert chips._neighbours(rates) is found


def test_xor_on_the_network() -> None:
    split, periods = (600, 300, 2000), [Fraction(each) for each in ("1/2", "3/2", "2", "8")]
    measured = chips._vandoorne_xor(silent, seeds=2, split=split, periods=periods)
    check_record(measured)
    assert all(measured.checks.values())
    rates, recalled = (measured.details[name] for name in ("rates", "rates_at_recalled_delay"))
    assert measured.score == min(rates["quiet"]) == 0 and measured.noisy == min(rates["noisy"])
    assert rates["periods"] == recalled["periods"] == [0.5, 1.5, 2.0, 8.0]
    assert rates["gigabits_per_second"][2] == pytest.approx(80)
    assert min(recalled["noisy"]) > 0.1  # so much light is lost in long waveguides
    assert measured.details["splits"] == [chips._xor_task(s, split).hashes() for s in (0, 1)]
    baselines = dict(measured.baselines)
    assert baselines.pop("NVAR") == 0, "the exclusive or of two bits is a product of them"
    assert min(baselines.values()) > 0.4


# --- The ring ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("high", "detuning", "regime"),
    [
        (1e-6, 0.0, "linear"),
        (3e-4, -1e9, "bent"),
        (1e-3, 1e9, "bent"),  # drops its first share again, after more at less power
        (1e-2, -1e9, "pulsing"),
    ],
)
def test_regimes(high: float, detuning: float, regime: str) -> None:
    assert chips._regime(high, detuning) == regime


def test_places_of_a_regime() -> None:
    preset = chips._regime_preset([(1e-4, 0.0), (2e-3, -1e9)])
    assert [point["place"] for point in preset.points()] == [0.0, 1.0]
    made = preset.reservoir(Size(10, 1, 3), {"place": 1.0})
    assert (made.drive.low, made.drive.high, made.n_units) == (0.0, 2e-3, 10)
    assert made.node == Microring(10, parameters=MicroringParameters(detuning=-1e9))


def test_a_ring_errs_least_between_linear_and_pulsing() -> None:
    split = (700, 300, 300)
    measured = chips._mrr_regimes(
        silent, seeds=1, units=30, split=split, powers=(1e-6, 1e-3, 1e-2), detunings=(-1e9,)
    )
    check_record(measured)
    (run,), nmse = measured.details["runs"], measured.details["nmse"]
    assert measured.score == nmse["bent"] / min(nmse["linear"], nmse["pulsing"]) < 1
    assert run["splits"] == load_task("narma10", split=split, seed=0).hashes()
    assert [run[f"{name}_place"] for name in chips._REGIMES] == [
        [1e-6, -1e9],
        [1e-3, -1e9],
        [1e-2, -1e9],
    ]
    linear = measured.baselines["linear, 60 taps"]
    assert linear < 1 < measured.baselines["memoryless cubic"]


# --- The laser -----------------------------------------------------------------------------------


def test_the_peak_is_where_it_is() -> None:
    times = 20e-12 * np.arange(600)
    for frequency in (1.2e9, 1.7e9):
        ringing = np.exp(-3e8 * times) * np.cos(2 * np.pi * frequency * times + 1)
        assert chips._peak(5 + ringing) == pytest.approx(frequency, rel=1e-3)


def test_ringing_goes_with_the_root_of_the_pump() -> None:
    """Above threshold, and without the light that a mirror sends back."""
    first, second = (
        chips._peak(chips._rung(LaserParameters(pump=1 + excess), 600)[0]) for excess in (0.05, 0.2)
    )
    assert second / first == pytest.approx(2, rel=5e-3)


def test_the_laser_rings_as_its_constants_say() -> None:
    measured = chips._lk_relaxation(silent)
    check_record(measured)
    assert all(measured.checks.values()) and measured.score < 1e-3
    assert measured.details["carriers_in_the_end"] == pytest.approx(2.0178e24, rel=1e-4)
    assert len(measured.checks) == 5
