"""Networks at one frequency against the package sax, which solves circuits of S-matrices.

It is not in the environment of the other tests; `pip install sax`, then `pytest -m oracle`.
"""

import importlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.nodes.photonic import (
    Microring,
    MicroringParameters,
    MziMesh,
    Swirl,
    SwirlParameters,
    rectangle,
)

pytestmark = pytest.mark.oracle
_LIGHT = 299_792_458.0


@pytest.fixture(scope="module")
def sax() -> Any:
    """The package, in double precision, with ports in0, in1, out0, out1."""
    importlib.import_module("jax").config.update("jax_enable_x64", True)
    package = importlib.import_module("sax")
    package.set_port_naming_strategy("inout")
    return package


def through(amplitude: complex) -> Any:
    """A model of two ports: a waveguide with loss and phase."""

    def model(wl: float = 1.55) -> dict[tuple[str, str], Any]:
        del wl
        value = importlib.import_module("jax").numpy.asarray(amplitude)
        return {("in0", "out0"): value, ("out0", "in0"): value}

    return model


def solved(
    sax: Any, parts: dict[str, Any], links: dict[str, str], ports: dict[str, str]
) -> dict[tuple[str, str], complex]:
    """S-matrix of a circuit; each part is a model of its own, or a power to couple."""
    models = {f"model_{name}": part for name, part in parts.items() if callable(part)}
    models["coupler"] = sax.models.coupler_ideal
    instances = {
        name: f"model_{name}"
        if callable(part)
        else {"component": "coupler", "settings": {"coupling": part}}
        for name, part in parts.items()
    }
    netlist = {"instances": instances, "connections": links, "ports": ports}
    circuit, _ = sax.circuit(netlist, models)
    return {pair: complex(np.asarray(value)) for pair, value in sax.sdict(circuit()).items()}


def read(found: dict[tuple[str, str], complex], size: int) -> NDArray[np.complex128]:
    """Matrix from in0, in1, ... to out0, out1, ..."""
    rows = [[found.get((f"in{i}", f"out{o}"), 0) for i in range(size)] for o in range(size)]
    return np.array(rows, np.complex128)


def test_one_interferometer_is_that_of_sax(sax: Any) -> None:
    mesh = MziMesh(2, (0,), (0.9,), (0.4,), (0.3, -0.8), ((0.03, -0.05),), loss=0.7)
    amplitude = 10 ** (-0.7 / 20)
    parts = {
        "outer": through(np.exp(0.4j)),
        "first": np.sin(np.pi / 4 + 0.03) ** 2,
        "inner": through(np.exp(0.9j)),
        "other": through(1.0),
        "last": np.sin(np.pi / 4 - 0.05) ** 2,
        "upper": through(amplitude * np.exp(0.3j)),
        "lower": through(amplitude * np.exp(-0.8j)),
    }
    links = {
        "outer,out0": "first,in0",
        "first,out0": "inner,in0",
        "first,out1": "other,in0",
        "inner,out0": "last,in0",
        "other,out0": "last,in1",
        "last,out0": "upper,in0",
        "last,out1": "lower,in0",
    }
    ports = {"in0": "outer,in0", "in1": "first,in1", "out0": "upper,out0", "out1": "lower,out0"}
    found = read(solved(sax, parts, links, ports), 2)
    np.testing.assert_allclose(mesh.matrix(), found, rtol=0, atol=1e-12)


def test_a_mesh_is_that_of_sax(sax: Any) -> None:
    """A rectangle of four, interferometer after interferometer."""
    rng = np.random.default_rng(3)
    q, _ = np.linalg.qr(rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4)))
    mesh = rectangle(q)
    parts: dict[str, Any] = {
        f"end{port}": through(np.exp(1j * mesh.output[port])) for port in range(4)
    }
    open_ends: list[str] = []
    links: dict[str, str] = {}
    ports = {f"out{port}": f"end{port},out0" for port in range(4)}
    for port in range(4):
        parts[f"start{port}"] = through(1.0)
        ports[f"in{port}"] = f"start{port},in0"
        open_ends.append(f"start{port},out0")
    for number, (port, inner, outer) in enumerate(
        zip(mesh.upper, mesh.inner, mesh.outer, strict=True)
    ):
        a, b, c, d = (f"{name}{number}" for name in ("turn", "split", "arm", "join"))
        parts |= {a: through(np.exp(1j * outer)), b: 0.5, c: through(np.exp(1j * inner)), d: 0.5}
        links |= {
            open_ends[port]: f"{a},in0",
            f"{a},out0": f"{b},in0",
            open_ends[port + 1]: f"{b},in1",
            f"{b},out0": f"{c},in0",
            f"{c},out0": f"{d},in0",
            f"{b},out1": f"{d},in1",
        }
        open_ends[port : port + 2] = [f"{d},out0", f"{d},out1"]
    links |= {open_ends[port]: f"end{port},in0" for port in range(4)}
    found = read(solved(sax, parts, links, ports), 4)
    np.testing.assert_allclose(mesh.matrix(), found, rtol=0, atol=1e-12)


@pytest.mark.parametrize("frequency", [0.0, 13e9, -58e9])
def test_the_smallest_swirl_is_the_ring_of_sax(sax: Any, frequency: float) -> None:
    """Four waveguides in a ring; a coupler after each takes 3/4, one joins the source."""
    node = Swirl(2, 2, SwirlParameters(loss=300.0), sources=(0,), seed=4)
    phases = np.random.default_rng(4).uniform(0, 2 * np.pi, 4)
    amplitude = 10 ** (-300.0 * _LIGHT / 4 * node.delay / 20)
    turn = np.exp(-2j * np.pi * frequency * node.delay)
    # Light goes 0, 1, 3, 2 and back. The cross port of a coupler turns by i, which is undone. A tap
    # after each waveguide shows what is in it; it takes 3/4, so that 1/4 of the power goes on.
    parts: dict[str, Any] = {"join": 0.5, "undo": through(-1j)}
    links = {"join,out0": "guide0,in0", "undo,out0": "join,in1"}
    ports = {"in0": "undo,in0"}
    order = (0, 1, 3, 2)
    for here, after in zip(order, (1, 3, 2, 0), strict=True):
        parts[f"guide{here}"] = through(amplitude * np.exp(1j * phases[here]))
        parts[f"tap{here}"] = 0.75
        parts[f"delay{here}"] = through(turn)
        links |= {
            f"guide{here},out0": f"tap{here},in0",
            f"tap{here},out0": f"delay{here},in0",
            f"delay{here},out0": f"guide{after},in0" if after else "join,in0",
        }
        ports[f"out{here}"] = f"tap{here},out1"
    found = solved(sax, parts, links, ports)
    fields = np.array([found[("in0", f"out{k}")] / (1j * np.sqrt(0.75)) for k in range(4)])
    np.testing.assert_allclose(node.response(frequency)[:, 0], fields, rtol=0, atol=1e-12)


@pytest.mark.parametrize("detuning", [0.0, 1.5e9])
def test_a_weakly_coupled_ring_of_sax_has_the_lorentzian_of_modes(
    sax: Any, detuning: float
) -> None:
    """Coupled modes leave out what is of the order of the couplers: halved, it errs by half."""
    errors = []
    for coupling in (0.02, 0.01, 0.005):
        share = coupling / 0.02
        p = MicroringParameters(
            kerr=0.0, two_photon=0.0, absorbed=0.0, loss=46.0 * share, detuning=detuning * share,
            input_coupling=coupling, drop_coupling=coupling,
        )  # fmt: skip
        node = Microring(100, parameters=p, interval=100e-12)
        dropped = node.run(np.full((3, 100), 1e-3), node.start())[0][-1, -1] / 1e-3
        length = 2 * np.pi * 50e-6
        turn = 2 * np.pi * detuning * share * length * 4.08 / _LIGHT
        half = through(np.exp((-46.0 * share * length / 2 + 1j * turn) / 2))
        parts = {"input": coupling, "drop": coupling, "there": half, "back": half}
        links = {
            "input,out1": "there,in0",
            "there,out0": "drop,in1",
            "drop,out1": "back,in0",
            "back,out0": "input,in1",
        }
        ports = {"in0": "input,in0", "out0": "input,out0", "in1": "drop,in0", "out1": "drop,out0"}
        wanted = abs(solved(sax, parts, links, ports)[("in0", "out1")]) ** 2
        errors.append(abs(dropped / wanted - 1))
    assert errors[0] < 0.03
    np.testing.assert_allclose(np.array(errors[:-1]) / errors[1:], 2, atol=0.1)
