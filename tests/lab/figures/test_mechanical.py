"""The Volterra operator against a double sum and its laws, and a short run of the figure."""

import json
import math

import numpy as np

from rchw.lab.figures.mechanical import (
    FIGURES,
    _hauser_volterra,
    _network,
    _sines,
    _volterra,
    _volterra_task,
)


def test_operator_is_the_double_sum() -> None:
    u = np.random.default_rng(0).normal(size=220)
    lags = np.arange(201) * 1e-3
    square = (lags[:, None] - 0.1) ** 2 + (lags - 0.1) ** 2
    kernel = np.exp(-square / (2 * 0.05**2))
    wanted = []
    for t in range(200, 220):
        past = u[t - 200 : t + 1][::-1]
        wanted.append(1e-6 * float((kernel * np.outer(past, past)).sum()))
    assert np.allclose(_volterra(u), wanted, rtol=1e-10, atol=0)


def test_operator_is_of_second_order_and_does_not_depend_on_time() -> None:
    u = np.random.default_rng(1).normal(size=400)
    assert np.allclose(_volterra(-3 * u), 9 * _volterra(u), rtol=1e-12, atol=0)
    assert np.allclose(_volterra(u)[50:], _volterra(u[50:]), rtol=1e-10, atol=1e-18)


def test_constant_input_gives_the_square_of_the_integral() -> None:
    """Of the Gaussian over two deviations on both sides; the sum has half an interval more each."""
    integral = 0.05 * math.sqrt(2 * math.pi) * math.erf(math.sqrt(2))
    ends = 1e-3 * math.exp(-2)
    assert math.isclose(_volterra(np.ones(201))[0], (integral + ends) ** 2, rel_tol=1e-4)


def test_input_repeats_itself_after_a_hundred_seconds() -> None:
    u = _sines(150_000)
    assert np.allclose(u[100_000:], u[:50_000], atol=1e-9)
    assert math.isclose(u.var(), 1 / 8, rel_tol=0.01)


def test_input_holds_the_sums_and_differences_of_its_sines() -> None:
    """In steps of 0.01 Hz, four lines of equal height: 211 + 373 - 433 and so on."""
    lines = np.abs(np.fft.rfft(_sines(100_000))) / 100_000
    assert np.flatnonzero(lines > 1e-6).tolist() == [151, 271, 595, 1017]
    assert np.allclose(lines[[151, 271, 595, 1017]], 1 / 8, rtol=1e-6)


def test_targets_belong_to_the_latest_inputs() -> None:
    task = _volterra_task(300, (400, 100, 100))
    assert task.train == slice(0, 700) and task.washout == 300 and len(task.inputs) == 900
    for t in (200, 700, 899):
        past = task.inputs[t - 200 : t + 1, 0]
        assert math.isclose(task.targets[t, 0], _volterra(past)[0], rel_tol=1e-10)


def test_short_run() -> None:
    said: list[str] = []
    found = _hauser_volterra(
        said.append, seeds=1, masses=8, split=(3000, 1000, 1000), forces=(5.0,)
    )
    (run,) = json.loads(json.dumps(found.details))["runs"]
    assert len(said) == 1 and found.score == run["nmse"] and found.noisy == run["noisy"]
    assert found.noisy is not None and found.score < found.noisy, (
        "noise of 40 dB hides what is read"
    )
    assert found.baselines["NVAR"] == run["nvar"] < run["cubic"]
    assert run["point"] == {"force": 5.0} and run["refused"] == 0
    # The rule asks for five of the slowest times; the figure takes ten.
    assert run["washout"] == 2 * _network(0, 8).washout
    assert run["washout"] * 1e-3 >= 10 * run["slowest_in_seconds"]
    assert run["splits"] == _volterra_task(run["washout"], (3000, 1000, 1000)).hashes()


def test_band_is_that_set_beforehand() -> None:
    (figure,) = FIGURES
    assert figure.name == "hauser-volterra" and str(figure.band) == "at most 0.01"
