"""Energy: every item by hand."""

import numpy as np
import pytest

from rchw.lab.energy import energy, ring_energy, total
from rchw.nodes import Drive, Mask, Observation, PhysicalReservoir
from rchw.nodes.memristive import DynamicMemristor, DynamicParameters
from rchw.nodes.presets import NODES, Size, node

PRODUCT = 14 * (0.2e-12 + 1.25e-12)


def test_a_memristor_takes_voltage_times_current() -> None:
    device = DynamicMemristor(5, 2, DynamicParameters(pulse=1e-3))
    made = PhysicalReservoir(
        device, Drive(-1.0, 1.0, bits=4), Mask(), Observation(bits=6, low=-1.0, high=1.0)
    )
    drives, readings = np.full((10, 10), -0.5), np.full((10, 10), -2e-6)
    items = {item.name: item.joules for item in energy("memristive", made, drives, readings, 3)}
    assert items["device"] == pytest.approx(0.5 * 2e-6 * 5 * 2e-3)
    assert items["DAC"] == pytest.approx(10 * 50e-15 * 16)
    assert items["ADC"] == pytest.approx(10 * 50e-15 * 64)
    assert items["readout"] == pytest.approx(30 * PRODUCT)


def test_a_figure_that_is_not_known_makes_no_sum() -> None:
    made = node("mechanical").preset().reservoir(Size(30))
    rest = np.zeros((4, made.node.n_drives)), np.zeros((4, made.n_units))
    items = energy("mechanical", made, *rest, 1)
    assert items[0].joules is None and total(items) is None
    assert "no figure known" in items[0].facts()["source"]
    assert total(items[1:]) == pytest.approx(sum(item.joules or 0 for item in items[1:]))


def test_a_ring_has_no_converters() -> None:
    made = node("cycle").preset().reservoir(Size(40, 2))
    items = energy("cycle", made, np.zeros((4, 2)), np.zeros((4, 40)), 1)
    assert items == ring_energy(40, 2, 1)
    assert total(items) == pytest.approx((40 * 3 + 40) * PRODUCT)


@pytest.mark.parametrize("name", NODES)
def test_every_item_says_where_it_is_from(name: str) -> None:
    made = NODES[name].preset().reservoir(Size(16))
    rest = np.zeros((4, made.node.n_drives)), np.zeros((4, made.n_units))
    items = energy(name, made, *rest, 1)
    assert all(item.source for item in items)
    assert {item.name for item in items} >= {"readout"}
