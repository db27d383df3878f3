"""The swirl: its links by hand, passivity, the response by a direct solution, laws of a node."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes import Node, Variation, vary
from rchw.nodes.photonic import Swirl, SwirlParameters

Values = NDArray[np.float64]
SHAPES = [(1, 1), (1, 2), (2, 2), (3, 5), (4, 4), (8, 8)]
LOSSLESS = SwirlParameters(loss=0.0)


def driven(node: Node, samples: int, seed: int = 1) -> Values:
    """Random fields of the sources."""
    return np.random.default_rng(seed).uniform(-1, 1, (samples, node.n_drives))


def links(node: Swirl) -> set[tuple[int, int]]:
    """Pairs (from, to)."""
    return {(int(source), int(to)) for to, source in np.argwhere(node.couplings)}


def test_the_links_are_a_swirl() -> None:
    """East above, west below, north on the left, south on the right."""
    assert links(Swirl(2, 2)) == {(0, 1), (1, 3), (3, 2), (2, 0)}
    assert links(Swirl(3, 3, sources=(0,))) == {
        (0, 1), (1, 2), (4, 3), (5, 4), (7, 6), (8, 7),
        (3, 0), (6, 3), (1, 4), (4, 7), (2, 5), (5, 8),
    }  # fmt: skip
    for height, width in SHAPES:
        couplings = Swirl(height, width).couplings
        assert np.count_nonzero(couplings) == height * (width - 1) + width * (height - 1)
        assert (np.count_nonzero(couplings, axis=0) <= 2).all()
        assert (np.count_nonzero(couplings, axis=1) <= 2).all()


def test_weights_are_of_power_and_by_direction() -> None:
    node = Swirl(2, 2, weights=(0.1, 0.2, 0.3, 0.4))
    power = node.couplings**2
    assert [power[0, 2], power[1, 0], power[3, 1], power[2, 3]] == pytest.approx(
        [0.1, 0.2, 0.3, 0.4]
    )


def test_loss_and_phase_are_those_of_the_waveguide() -> None:
    """3 dB/cm over c / 4 times 6.25 ps is 0.14 dB of power; phases are drawn once."""
    across, _ = Swirl(2, 2, sources=(3,)).matrices
    ratio = abs(across[1, 0]) ** 2 / 0.25
    assert -10 * np.log10(ratio) == pytest.approx(300 * 299_792_458 / 4 * 6.25e-12)
    wanted = np.random.default_rng(0).uniform(0, 2 * np.pi, 4)
    assert np.angle(across[1, 0]) % (2 * np.pi) == pytest.approx(wanted[1])
    turned = Swirl(2, 2, SwirlParameters(phase_error=0.5), sources=(3,)).matrices[0]
    np.testing.assert_allclose(turned, np.exp(0.5j) * across, atol=1e-15)


@pytest.mark.parametrize(("height", "width"), SHAPES)
def test_it_is_passive(height: int, width: int) -> None:
    """No field gains, also with the sources: [C W]^H [C W] <= 1; spectra are inside the circle."""
    node = Swirl(height, width, LOSSLESS)
    across, into = node.matrices
    whole = np.concatenate([across, into], axis=1)
    assert np.linalg.svd(whole, compute_uv=False)[0] <= 1 + 1e-12
    assert np.linalg.eigvalsh(np.eye(len(across)) - across.conj().T @ across).min() > -1e-12
    assert np.abs(np.linalg.eigvals(across)).max() < 1


@pytest.mark.parametrize(("height", "width"), [(2, 2), (4, 4), (8, 8)])
def test_energy_never_grows(height: int, width: int) -> None:
    """Hop by hop: power out is at most power in, and in darkness it falls to nothing."""
    node = Swirl(height, width, LOSSLESS)
    drives = driven(node, 200)
    drives[100:] = 0
    powers = node.run(drives, node.start())[0].sum(axis=1)
    before = np.append(0.0, powers[:-1]) + (drives**2).sum(axis=1)
    assert (powers <= before + 1e-12).all()
    assert (np.diff(powers[100:]) <= 0).all() and powers[-1] < 1e-9 * powers[99]


def test_one_link_by_hand() -> None:
    """Half of the power of a source is at its node, and a quarter of that at the next."""
    node = Swirl(1, 2, LOSSLESS, sources=(1,))  # the lower half: light goes west
    readings, _ = node.run(np.array([[1.0], [0.0], [0.0]]), node.start())
    np.testing.assert_allclose(readings, [[0.0, 0.5], [0.125, 0.0], [0.0, 0.0]], atol=1e-15)


# --- Response ------------------------------------------------------------------------------------


@pytest.mark.parametrize("hops", [1, 3])
def test_a_constant_field_ends_at_the_direct_solution(hops: int) -> None:
    node = Swirl(4, 4, hops=hops)
    drives = np.broadcast_to([0.7, -0.4], (200, 2))
    readings, after = node.run(drives, node.start())
    wanted = node.response(0.0) @ drives[0]
    np.testing.assert_allclose(after[::2] + 1j * after[1::2], wanted, rtol=0, atol=1e-12)
    np.testing.assert_allclose(readings[-1], np.abs(wanted) ** 2, rtol=0, atol=1e-12)


@pytest.mark.parametrize("frequency", [-31e9, 7e9, 40e9])
def test_one_frequency_ends_at_the_direct_solution(frequency: float) -> None:
    """Cosine and sine are run apart and added: the network is linear in the fields."""
    node = Swirl(4, 4)
    across, into = node.matrices
    moments = node.delay * np.arange(300)
    field = np.exp(2j * np.pi * frequency * moments)
    ends = [
        node.run(np.stack([part, 0.5 * part], axis=1), node.start())[1]
        for part in (field.real, field.imag)
    ]
    found = (ends[0][::2] + 1j * ends[0][1::2]) + 1j * (ends[1][::2] + 1j * ends[1][1::2])
    found = found / field[-1]
    turn = np.exp(-2j * np.pi * frequency * node.delay)
    wanted = np.linalg.solve(np.eye(16) - turn * across, into @ [1.0, 0.5])
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)
    np.testing.assert_allclose(node.response(frequency) @ [1.0, 0.5], wanted, atol=1e-13)


def test_detectors_give_what_a_linear_network_cannot() -> None:
    """Exclusive or of a bit and the one before, by a linear readout: not at one hop a bit."""
    bits = np.random.default_rng(7).integers(0, 2, 2000)
    wanted = bits[1:] ^ bits[:-1]
    errors = {}
    for hops in (1, 2, 4):
        node = Swirl(4, 4, sources=(0, 5), hops=hops)
        seen = node.run(np.stack([bits, bits], axis=1).astype(np.float64), node.start())[0][1:]
        states = np.concatenate([seen, np.ones((len(seen), 1))], axis=1)
        weights = np.linalg.lstsq(states[100:1000], wanted[100:1000], rcond=None)[0]
        errors[hops] = np.mean((states[1000:] @ weights > 0.5) != wanted[1000:])
    assert errors[1] > 0.3
    assert errors[2] == errors[4] == 0


# --- Laws of a node ------------------------------------------------------------------------------


@pytest.mark.parametrize(("height", "width"), SHAPES)
def test_run_agrees_with_the_matrices(height: int, width: int) -> None:
    node = Swirl(height, width, n_virtual=3, hops=2)
    assert isinstance(node, Node)
    drives = driven(node, 30)
    for mine, theirs in zip(
        node.run(drives, node.start()), node.reference(drives, node.start()), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-14)


def test_readings_are_in_the_order_of_nodes() -> None:
    """Three readings of one hop are those of three samples."""
    often, fine = Swirl(2, 2, n_virtual=3), Swirl(2, 2)
    drives = driven(often, 4)
    together = often.run(drives, often.start())[0].reshape(4, 4, 3)
    apart = fine.run(np.repeat(drives, 3, axis=0), fine.start())[0].reshape(4, 3, 4)
    np.testing.assert_array_equal(together, apart.transpose(0, 2, 1))
    assert often.interval == fine.interval == 6.25e-12


def test_chunks_give_the_same_bits() -> None:
    node = Swirl(4, 4, n_virtual=2)
    drives = driven(node, 40)
    whole, end = node.run(drives, node.start())
    for cut in (0, 1, 17):
        first, between = node.run(drives[:cut], node.start())
        second, last = node.run(drives[cut:], between)
        np.testing.assert_array_equal(np.concatenate([first, second]), whole)
        np.testing.assert_array_equal(last, end)


def test_run_changes_no_argument() -> None:
    node = Swirl(2, 2)
    drives, state = driven(node, 5), np.full(8, 0.1)
    node.run(drives, state)
    node.reference(drives, state)
    np.testing.assert_array_equal(drives, driven(node, 5))
    np.testing.assert_array_equal(state, np.full(8, 0.1))


def test_waveguides_may_differ() -> None:
    nominal = SwirlParameters()
    several = vary(nominal, [Variation("loss", 0.3)], 16, seed=2)
    across = Swirl(4, 4, several).matrices[0]
    losses = several.of_devices(16)["loss"]
    for node in (1, 6):
        same = Swirl(4, 4, replace(nominal, loss=losses[node])).matrices[0]
        np.testing.assert_array_equal(across[node], same[node])
    assert np.ptp(losses) > 0


def test_bad_values_are_refused() -> None:
    with pytest.raises(
        DesignError, match=r"must leave the network passive, not amplify .* by 1\.8"
    ):
        Swirl(4, 4, weights=(1.0, 1.0, 1.0, 1.0))
    for weights in ((0.25, 0.25, 0.25, 1.5), (0.25, 0.25, 0.25, np.nan)):
        with pytest.raises(DesignError, match="weights must be four numbers from 0 to 1"):
            Swirl(4, 4, weights=weights)
    with pytest.raises(DesignError, match="height must be at least 1, not 0"):
        Swirl(0, 3)
    with pytest.raises(DesignError, match="hops must be at least 1, not 0"):
        Swirl(hops=0)
    with pytest.raises(DesignError, match="delay must be finite and above 0, not 0"):
        Swirl(delay=0.0)
    with pytest.raises(DesignError, match="seed of the phases must be at least 0, not -1"):
        Swirl(seed=-1)
    with pytest.raises(DesignError, match="source must be from 0 to 15, not 16"):
        Swirl(sources=(16,))
    for sources in ((), (1, 1)):
        with pytest.raises(DesignError, match="sources must be distinct nodes"):
            Swirl(sources=sources)
    with pytest.raises(DesignError, match="phase error must be one value or 16"):
        Swirl(parameters=SwirlParameters(phase_error=(0.0, 1.0)))
    node = Swirl()
    with pytest.raises(DesignError, match=r"drives must have shape \(T, 2\), not \(3, 5\)"):
        node.run(np.zeros((3, 5)), node.start())
    with pytest.raises(DesignError, match=r"drive must be from -1 to 1 W\^0.5"):
        node.run(np.full((3, 2), 2.0), node.start())
    with pytest.raises(DesignError, match=r"state must have shape \(32,\), not \(3,\)"):
        node.reference(np.zeros((1, 2)), np.zeros(3))
