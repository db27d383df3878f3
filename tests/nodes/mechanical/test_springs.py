"""A network of springs against its equations, its energy, its linear limit and its guards."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes import Node, Variation, vary
from rchw.nodes.mechanical import Lattice, MassParameters, SpringNetwork, SpringParameters
from rchw.nodes.parameters import Quantity

Values = NDArray[np.float64]
LINEAR = SpringParameters(cubic_stiffness=0.0, cubic_damping=0.0)


def pushes(network: SpringNetwork, samples: int, size: float, seed: int = 0) -> Values:
    """Forces in newtons, (T, D)."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-size, size, (samples, network.n_drives))


def kicked(network: SpringNetwork, speed: float, seed: int = 0) -> Values:
    """State at rest but for velocities."""
    state = network.start()
    half = len(state) // 2
    state[half:] = np.random.default_rng(seed).uniform(-speed, speed, half)
    return state


def rising(network: SpringNetwork, size: float, samples: int) -> Values:
    """The same force throughout at each driven mass."""
    return np.tile(pushes(network, 1, size, seed=5), (samples, 1))


def test_the_fast_map_is_the_equations() -> None:
    """A drawn network that moves so far that the cubic terms matter."""
    network = SpringNetwork.drawn(20, 3, interval=1e-3, steps=20)
    forces, state = pushes(network, 60, 90.0), kicked(network, 0.3)
    lengths, after = network.run(forces, state)
    exact, exact_after = network.reference(forces, state)
    rest = network.reference(0 * forces[:1], network.start())[0]
    moved = np.abs(exact - rest).max()
    # A step is 1.5 % of the shortest time: its fourth power is 5e-8, and the factor 1/120.
    assert np.abs(lengths - exact).max() < 1e-9 * moved
    assert np.abs(after - exact_after).max() < 1e-9 * np.abs(exact_after).max()
    cubic = {"cubic_stiffness": 0.0, "cubic_damping": 0.0}
    linear = replace(network, parameters=replace(network.parameters, **cubic))
    assert np.abs(linear.run(forces, state)[0] - exact).max() > 0.1 * moved


def test_order() -> None:
    """Halving the step divides the error by 16."""
    base = SpringNetwork(Lattice(10, seed=2), interval=8e-3, steps=8)
    forces, state = rising(base, 50.0, 6), kicked(base, 1.0)
    exact = base.reference(forces, state)[1]
    counts = np.array([8, 16, 32, 64])
    errors = [
        float(np.abs(replace(base, steps=int(n)).run(forces, state)[1] - exact).max())
        for n in counts
    ]
    slope = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert slope == pytest.approx(4, abs=0.25)


def test_what_is_read_is_how_much_longer_a_spring_is_than_at_rest() -> None:
    network = SpringNetwork.drawn(15, 1)
    still, _ = network.run(np.zeros((3, network.n_drives)), network.start())
    assert np.abs(still).max() < 1e-12
    slow, _ = network.reference(np.zeros((1, network.n_drives)), network.start())
    assert np.abs(slow).max() < 1e-12


def test_chunks_give_the_same_bits() -> None:
    network = SpringNetwork.drawn(15, 1)
    forces = pushes(network, 30, 20.0)
    whole, last = network.run(forces, network.start())
    first, state = network.run(forces[:11], network.start())
    second, end = network.run(forces[11:], state)
    assert np.concatenate([first, second]).tobytes() == whole.tobytes()
    assert end.tobytes() == last.tobytes()


def test_run_changes_nothing_that_it_is_given() -> None:
    network = SpringNetwork.drawn(15, 1)
    forces, state = pushes(network, 5, 20.0), kicked(network, 0.1)
    before = forces.copy(), state.copy()
    first, again = network.run(forces, state), network.run(forces, state)
    assert (forces == before[0]).all() and (state == before[1]).all()
    assert first[0].tobytes() == again[0].tobytes() and first[1].tobytes() == again[1].tobytes()


def test_it_is_a_node() -> None:
    network = SpringNetwork.drawn(30, 1)
    assert isinstance(network, Node)
    assert (network.n_drives, network.n_virtual, network.n_state) == (6, 1, 4 * 28)
    assert (network.drive_unit, network.reading_unit) == ("N", "m")
    assert network.interval == 1e-3
    # Thirty masses have 3 * 30 - 3 edges less those of the hull; the paper has 78.
    assert 76 <= network.n_devices <= 81


def test_fewest_steps_are_as_good_as_many() -> None:
    """One step fewer would be refused; the error is small all the same, for it is of order 4."""
    network = SpringNetwork.drawn(30, 1, interval=0.05)
    assert network.steps > 10
    with pytest.raises(DesignError, match="step must be at most"):
        replace(network, steps=network.steps - 1)
    forces = pushes(network, 20, 20.0)
    few, _ = network.run(forces, network.start())
    many, _ = replace(network, steps=10 * network.steps).run(forces, network.start())
    assert 0 < np.abs(few - many).max() < 1e-6 * np.abs(many).max()
    with pytest.raises(DesignError, match="interval must be finite and above 0 s, not inf"):
        SpringNetwork.drawn(30, 1, interval=math.inf)


def test_energy_falls_without_a_push() -> None:
    network = SpringNetwork.drawn(20, 4, steps=5)
    state, quiet = kicked(network, 2.0), np.zeros((1, network.n_drives))
    energies = [network.energy(state)]
    for _ in range(300):
        state = network.run(quiet, state)[1]
        energies.append(network.energy(state))
    assert energies[0] > 10
    assert (np.diff(energies) < 0).all()
    assert energies[-1] < 0.1 * energies[0]


def test_energy_stays_without_dampers() -> None:
    """Also a test of the cubic spring: kinetic energy becomes that of the springs and back."""
    free = SpringParameters(stiffness=30.0, cubic_stiffness=50.0, damping=0.0, cubic_damping=0.0)
    network = SpringNetwork(Lattice(10, seed=2), free, interval=1e-3, steps=2)
    state = kicked(network, 2.0)
    energy = network.energy(state)
    half = len(state) // 2
    after = network.run(np.zeros((1000, network.n_drives)), state)[1]
    still = after.copy()
    still[half:] = 0
    assert network.energy(still) > 0.1 * energy
    # The method loses about (step * fastest)^5 / 144 per step; here that is 1e-9 in all.
    assert network.energy(after) == pytest.approx(energy, rel=1e-7)


def test_work_is_energy_and_heat() -> None:
    """A held force far along: all masses rest again where the springs balance it."""
    network = SpringNetwork(Lattice(10, seed=2), interval=5e-3, steps=10)
    forces = rising(network, 5.0, 8000)
    lengths, state = network.run(forces, network.start())
    assert np.abs(lengths[-1] - lengths[-2]).max() < 1e-9
    nudge = 1e-6
    size = len(state) // 2
    lattice = network.lattice
    for d, mass in enumerate(lattice.driven()):
        place = 2 * int(np.searchsorted(lattice.free(), mass))
        more, less = state.copy(), state.copy()
        more[place] += nudge
        less[place] -= nudge
        gradient = (network.energy(more) - network.energy(less)) / (2 * nudge)
        assert gradient == pytest.approx(forces[-1, d], rel=1e-5)
    assert np.abs(state[size:]).max() < 1e-9


def test_linear_limit() -> None:
    """Small motions are those of the linear system; what is left falls with their square."""
    from scipy.signal import lsim

    network = SpringNetwork(Lattice(12, seed=1), LINEAR, interval=2e-3, steps=4)
    a, b, c = network.linear()
    apart = []
    for size in (1e-2, 5e-3):
        forces = size * np.sin(np.outer(np.arange(400), np.linspace(0.01, 0.05, network.n_drives)))
        lengths, _ = network.run(forces, network.start())
        times = network.interval * np.arange(401)
        held = np.vstack([forces, forces[-1:]])
        d = np.zeros((len(c), network.n_drives))
        _, linear, _ = lsim((a, b, c, d), held, times, interp=False)
        rest = network.run(0 * forces[:1], network.start())[0]
        stretched = lengths - rest
        apart.append(np.abs(stretched - linear[1:]).max())
        # Rotations of the springs, of the order of the stretch over their length.
        assert apart[-1] < np.abs(stretched).max() ** 2 * 20
        assert np.abs(stretched).max() > 100 * apart[-1]
    assert apart[0] / apart[1] == pytest.approx(4, rel=0.02)


def test_slowest_time_in_closed_form() -> None:
    """Equal springs: each mode has m s^2 + d q s + k q = 0 with q of the lattice alone."""
    k, d, mass = 20.0, 60.0, 2.0
    parameters = SpringParameters(stiffness=k, damping=d)
    network = SpringNetwork(Lattice(9, seed=3), parameters, MassParameters(mass=mass), 1e-3, 10)
    _, _, lengths = network.linear()
    half = lengths[:, : network.n_state // 2]
    q = np.linalg.eigvalsh(half.T @ half)
    roots = [root for each in q for root in np.roots([mass, d * each, k * each])]
    assert network.slowest == pytest.approx(-1 / max(np.real(roots)), rel=1e-8)
    # Where the damper outweighs the mass, the slowest mode is that of a spring and its damper.
    assert network.slowest == pytest.approx(d / k, rel=0.01)
    assert network.washout >= 5 * network.slowest / network.interval > network.washout - 1


def test_a_washout_forgets_the_start() -> None:
    network = SpringNetwork(Lattice(9, seed=3), LINEAR, interval=0.01, steps=10)
    forces = np.zeros((network.washout, network.n_drives))
    state = kicked(network, 1e-3)
    after = network.run(forces, state)[1]
    assert network.energy(after) < 1e-4 * network.energy(state)


def test_seed_and_constants_decide_all() -> None:
    one, same, other = (SpringNetwork.drawn(12, seed) for seed in (7, 7, 8))
    assert one == same
    assert one.lattice.places().tobytes() == same.lattice.places().tobytes()
    assert (one.lattice.places() != other.lattice.places()).all()
    assert one.parameters != other.parameters
    damping = np.array(one.parameters.damping)
    cubic = np.array(one.parameters.cubic_stiffness)
    assert 10 <= damping.min() and damping.max() <= 100
    assert 1 <= cubic.min() and cubic.max() <= 100


def test_springs_differ() -> None:
    """One spring that is stiffer alone changes the run; all may differ by a distribution."""
    base = SpringNetwork(Lattice(10, seed=2))
    values = [30.0] * base.n_devices
    forces = pushes(base, 20, 50.0)
    plain = base.run(forces, base.start())[0]
    same = replace(base, parameters=SpringParameters(stiffness=tuple(values)))
    assert same.run(forces, base.start())[0].tobytes() == plain.tobytes()
    values[int(np.abs(plain[-1] - plain[0]).argmax())] = 90.0
    stiff = replace(base, parameters=SpringParameters(stiffness=tuple(values)))
    assert (stiff.run(forces, base.start())[0] != plain).any()
    spread = vary(base.parameters, [Variation("damping", 0.1)], base.n_devices, seed=1)
    varied = replace(base, parameters=spread)
    lengths, _ = varied.run(forces, base.start())
    assert np.abs(lengths - varied.reference(forces, base.start())[0]).max() < 1e-9


def test_hull_and_ends() -> None:
    ends, hull = Lattice(30, seed=1), Lattice(30, anchors="hull", seed=1)
    places = ends.places()
    assert set(ends.fixed()) == {places[:, 0].argmin(), places[:, 0].argmax()}
    assert set(ends.fixed()) < set(hull.fixed())
    assert not set(hull.driven()) & set(hull.fixed())
    edges = ends.springs()
    assert (edges[:, 0] < edges[:, 1]).all() and len(np.unique(edges, axis=0)) == len(edges)
    assert len(edges) == 3 * 30 - 3 - len(hull.fixed())  # Euler's count of a triangulation


def quick(**more: Quantity) -> SpringNetwork:
    """A network with other parameters."""
    return SpringNetwork(Lattice(6, seed=1), SpringParameters(**more), interval=1e-3)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "masses": (lambda: Lattice(3), r"masses must be at least 4, not 3"),
    "side": (lambda: Lattice(5, side=0.0), r"side must be finite and above 0 m, not 0\.0"),
    "share": (lambda: Lattice(5, share=0.0), r"share of driven masses must be above 0, at most 1"),
    "anchors": (lambda: Lattice(5, anchors="top"), r"one of ends, hull, not 'top'"),
    "lattice seed": (
        lambda: Lattice(5, seed=-1),
        r"seed of the lattice must be at least 0, not -1",
    ),
    "no free mass": (
        lambda: Lattice(4, anchors="hull", seed=1),
        r"masses must include a free one, not 4 that are all on the hull",
    ),
    "range": (
        lambda: SpringParameters.drawn(3, 0, linear=(2.0, 1.0)),
        r"range of constants must rise from above 0, not go from 2\.0 to 1\.0",
    ),
    "stiffness": (lambda: SpringParameters(stiffness=0.0), r"stiffness must be above 0 N/m, not 0"),
    "mass": (lambda: MassParameters(mass=-1.0), r"mass must be above 0 kg, not -1"),
    "interval": (
        lambda: SpringNetwork(Lattice(6), interval=0.0),
        r"interval must be finite and above 0 s, not 0\.0",
    ),
    "steps": (lambda: SpringNetwork(Lattice(6), steps=0), r"steps must be at least 1, not 0"),
    "stiff damper": (
        lambda: quick(damping=3000.0),
        r"step must be at most \S+ s here, not 0\.0002",
    ),
    "weak damper": (lambda: quick(damping=0.01), r"step must be at most \S+ s here, not 0\.0002"),
    "stiff spring": (
        lambda: quick(stiffness=1e7, damping=0.0),
        r"step must be at most \S+ s here, not 0\.0002",
    ),
    "count": (
        lambda: quick(damping=(1.0, 2.0)),  # of more springs than two
        r"damping must be one value or \d+, one per device, not 2",
    ),
    "undamped": (
        lambda: quick(damping=0.0).slowest,
        r"damping must make every mode fade, not leave a rate of",
    ),
    "fast": (
        lambda: _run(quick(cubic_damping=100.0), speed=30.0),
        r"damping times step over mass must be below 1 for a stable step, not \S+ at sample 0",
    ),
    "wide": (
        lambda: _run(quick(cubic_stiffness=1e7), moved=3.0),
        r"stiffness times step\^2 over mass must be below 1 for a stable step, not \S+ at sample 0",
    ),
    "collapsed": (
        lambda: _run(quick(cubic_stiffness=0.0), collapse=True),
        r"length of a spring must stay above 0\.05 of its length at rest, not be \S+ of it",
    ),
    "force": (
        lambda: _run(quick(), force=101.0),
        r"drive must be from -100 to 100 N, where the model is valid, not 101 at sample 0",
    ),
    "nan force": (lambda: _run(quick(), force=np.nan), r"drive must be from -100 to 100 N"),
    "state": (
        lambda: quick().run(np.zeros((1, 2)), np.zeros(3)),
        r"state must have shape \(16,\), not \(3,\)",
    ),
    "drives": (
        lambda: quick().run(np.zeros((1, 3)), quick().start()),
        r"drives must have shape \(T, 2\), not \(1, 3\)",
    ),
}


def _run(
    network: SpringNetwork,
    speed: float = 0.0,
    moved: float = 0.0,
    force: float = 0.0,
    collapse: bool = False,
) -> object:
    """One sample from a state in which the first free mass moves, or lies elsewhere."""
    state = network.start()
    state[len(state) // 2], state[0] = speed, moved
    if collapse:
        lattice = network.lattice
        free, places, edges = lattice.free(), lattice.places(), lattice.springs()
        other = next(int(edge.sum()) - free[0] for edge in edges if free[0] in edge)
        state[:2] = places[other] - places[free[0]]
    return network.run(np.full((1, network.n_drives), force), state)


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
