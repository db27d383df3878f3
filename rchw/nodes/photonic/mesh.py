"""Meshes of Mach-Zehnder interferometers: a matrix in light, and what its errors do to it.

An interferometer joins two neighbouring waveguides. It is a phase shifter on the upper one, a
coupler, a phase shifter on the upper arm, and a coupler; in the order of the light from the right::

    T = B . diag(exp(i inner), 1) . B . diag(exp(i outer), 1)
    B = [[cos b, i sin b], [i sin b, cos b]],    b = pi / 4 where the coupler is exact

So T passes on the share ``sin(inner / 2)^2`` of the power and swaps the rest. With n (n - 1) / 2 of
them and a phase shifter at each output, a mesh is any unitary matrix of size n: as a rectangle of
depth n (W. R. Clements et al., Optica 3, 1460, 2016) or as a triangle of depth 2 n - 3 (M. Reck et
al., Phys. Rev. Lett. 73, 58, 1994). Both papers are cited after public code that decomposes alike;
they were not read. The steps are derived here from T.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = ["MziMesh", "OpticalWeights", "fidelity", "rectangle", "triangle", "weights_in_light"]

Values = NDArray[np.float64]
Complexes = NDArray[np.complex128]
_UNITARY = 1e-9
_TURN = 2 * math.pi
_MOST_BITS = 24


@dataclass(frozen=True)
class MziMesh:
    """Interferometers in the order in which the light meets them.

    Parameters
    ----------
    ports : int
        Waveguides n.
    upper : tuple of int
        Upper waveguide of each interferometer, from 0 to n - 2.
    inner, outer : tuple of float
        Phases of each interferometer in radians.
    output : tuple of float
        Phases at the outputs in radians, (n,).
    couplers : tuple of (float, float)
        By how much the angles of the two couplers exceed pi / 4, in radians; empty if exact.
    loss : float
        Of each interferometer, in decibels.
    """

    ports: int
    upper: tuple[int, ...]
    inner: tuple[float, ...]
    outer: tuple[float, ...]
    output: tuple[float, ...]
    couplers: tuple[tuple[float, float], ...] = ()
    loss: float = 0.0

    def __post_init__(self) -> None:
        count = len(self.upper)
        if not (len(self.inner) == len(self.outer) == count and len(self.output) == self.ports):
            raise DesignError(
                f"phases must be {count} inner, {count} outer and {self.ports} at the output, not "
                f"{len(self.inner)}, {len(self.outer)} and {len(self.output)}"
            )
        if len(self.couplers) not in (0, count):
            raise DesignError(f"coupler errors must be none or {count}, not {len(self.couplers)}")
        for port in self.upper:
            if not 0 <= port < self.ports - 1:
                raise DesignError(f"upper waveguide must be from 0 to {self.ports - 2}, not {port}")
        phases = (*self.inner, *self.outer, *self.output)
        for phase in (*phases, *(error for pair in self.couplers for error in pair)):
            if not math.isfinite(phase):
                raise DesignError(f"phases must be finite, not {phase}")
        if not 0 <= self.loss < math.inf:
            raise DesignError(f"loss must be finite and at least 0 dB, not {self.loss}")

    @property
    def depth(self) -> int:
        """Interferometers on the longest way through the mesh."""
        depths = [0] * self.ports
        for port in self.upper:
            depths[port] = depths[port + 1] = max(depths[port : port + 2]) + 1
        return max(depths)

    def matrix(self) -> Complexes:
        """Fields at the outputs over fields at the inputs, complex128 array (n, n)."""
        found = np.eye(self.ports, dtype=np.complex128)
        couplers = self.couplers or ((0.0, 0.0),) * len(self.upper)
        keep = 10 ** (-self.loss / 20)
        for port, inner, outer, (first, second) in zip(
            self.upper, self.inner, self.outer, couplers, strict=True
        ):
            step = _coupler(second) @ _shifter(inner) @ _coupler(first) @ _shifter(outer)
            found[port : port + 2] = keep * step @ found[port : port + 2]
        return np.exp(1j * np.array(self.output))[:, None] * found

    def quantised(self, bits: int) -> "MziMesh":
        """Every phase rounded to a multiple of ``2 pi / 2**bits``; `bits` is from 1 to 24."""
        return replace(
            self,
            inner=_rounded(self.inner, bits),
            outer=_rounded(self.outer, bits),
            output=_rounded(self.output, bits),
        )

    def disturbed(self, seed: int, *, phase: float = 0.0, coupler: float = 0.0) -> "MziMesh":
        """Normal errors of the phases of the interferometers and of the angles of the couplers.

        Parameters
        ----------
        seed : int
        phase, coupler : float
            Standard deviations in radians. What the phases or the couplers had before is kept.
        """
        if not (0 <= phase < math.inf and 0 <= coupler < math.inf):
            raise DesignError(
                f"deviations must be finite and at least 0, not {phase} and {coupler}"
            )
        count = len(self.upper)
        inner, outer = np.random.default_rng([seed, 0]).normal(0.0, phase, (2, count))
        errors = np.random.default_rng([seed, 1]).normal(0.0, coupler, (count, 2))
        if self.couplers:
            errors = errors + np.array(self.couplers)
        return replace(
            self,
            inner=tuple((np.array(self.inner) + inner).tolist()),
            outer=tuple((np.array(self.outer) + outer).tolist()),
            couplers=tuple((float(first), float(second)) for first, second in errors),
        )


def rectangle(unitary: ArrayLike) -> MziMesh:
    """Decompose a unitary matrix (n, n) into a rectangular mesh.

    Elements below the diagonal are nulled diagonal by diagonal, in turn by interferometers at the
    inputs and at the outputs; the latter then move to the other side of the phases that remain.

    Raises
    ------
    DesignError
        If the matrix is not unitary.
    """
    rest = _checked(unitary)
    n = len(rest)
    before: list[tuple[int, float, float]] = []
    after: list[tuple[int, float, float]] = []
    for diagonal in range(n - 1):
        for j in range(diagonal + 1):
            if diagonal % 2 == 0:
                before.append(_null_at_input(rest, n - 1 - j, diagonal - j))
            else:
                after.append(_null_at_output(rest, n - 1 + j - diagonal, j))
    phases = np.diag(rest).copy()
    for port, inner, outer in reversed(after):
        both = _mzi(inner, outer).conj().T * phases[port : port + 2]
        inner, outer = _angles(both)
        before.append((port, inner, outer))
        phases[port : port + 2] = np.diag(both @ _mzi(inner, outer).conj().T)
    return _mesh(before, phases)


def triangle(unitary: ArrayLike) -> MziMesh:
    """Decompose a unitary matrix (n, n) into a triangular mesh, row by row from the last.

    Raises
    ------
    DesignError
        If the matrix is not unitary.
    """
    rest = _checked(unitary)
    before = [
        _null_at_input(rest, row, column) for row in range(len(rest) - 1, 0, -1)
        for column in range(row)
    ]  # fmt: skip
    return _mesh(before, np.diag(rest))


def fidelity(wanted: ArrayLike, found: ArrayLike) -> float:
    """``|tr(wanted^H found) / n|^2``: 1 if equal up to a common phase; (n, n), (n, n)."""
    a, b = np.asarray(wanted), np.asarray(found)
    return float(abs(np.vdot(a, b) / len(a)) ** 2)


@dataclass(frozen=True)
class OpticalWeights:
    """Any real matrix: a mesh, attenuators, a mesh, coherent detectors and one electrical gain.

    Attributes
    ----------
    first, last : MziMesh
        At the K inputs and at the N outputs.
    attenuation : tuple of float
        Amplitudes between them, from 0 to 1, (min(K, N),).
    scale : float
        Gain after the detectors.
    """

    first: MziMesh
    last: MziMesh
    attenuation: tuple[float, ...]
    scale: float

    def matrix(self) -> Values:
        """What it does to real inputs, float64 array (N, K)."""
        count = len(self.attenuation)
        between = np.array(self.attenuation)[:, None] * self.first.matrix()[:count]
        return self.scale * np.real(self.last.matrix()[:, :count] @ between)

    def quantised(self, bits: int) -> "OpticalWeights":
        """Every phase rounded, also those of the attenuators, which are interferometers as well."""
        phases = _rounded(tuple(2 * math.acos(a) for a in self.attenuation), bits)
        return replace(
            self,
            first=self.first.quantised(bits),
            last=self.last.quantised(bits),
            attenuation=tuple(math.cos(phase / 2) for phase in phases),
        )


def weights_in_light(matrix: ArrayLike) -> OpticalWeights:
    """Decompose a real matrix (N, K) by its singular values; meshes are rectangles.

    Raises
    ------
    DesignError
        If it is no matrix of finite numbers, or all zero.
    """
    wanted = np.asarray(matrix, dtype=np.float64)
    if wanted.ndim != 2 or not np.isfinite(wanted).all() or not wanted.any():
        raise DesignError(f"weights must be a matrix of finite numbers, not all 0, not {wanted!r}")
    left, singular, right = np.linalg.svd(wanted)
    scale = float(singular[0])
    shares = tuple(float(share) for share in np.minimum(singular / scale, 1.0))
    return OpticalWeights(rectangle(right), rectangle(left), shares, scale)


def _coupler(error: float) -> Complexes:
    angle = math.pi / 4 + error
    return np.array(
        [[math.cos(angle), 1j * math.sin(angle)], [1j * math.sin(angle), math.cos(angle)]]
    )


def _shifter(phase: float) -> Complexes:
    return np.diag([np.exp(1j * phase), 1.0])


def _mzi(inner: float, outer: float) -> Complexes:
    return _coupler(0.0) @ _shifter(inner) @ _coupler(0.0) @ _shifter(outer)


def _checked(unitary: ArrayLike) -> Complexes:
    matrix = np.array(unitary, dtype=np.complex128)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise DesignError(f"matrix must be square, not of shape {matrix.shape}")
    error = np.abs(matrix @ matrix.conj().T - np.eye(len(matrix))).max()
    if not error < _UNITARY:
        raise DesignError(f"matrix must be unitary to {_UNITARY:g}, not to {error:.3g}")
    return matrix


def _null_at_input(rest: Complexes, row: int, port: int) -> tuple[int, float, float]:
    """Take out of `rest` the interferometer at its inputs that nulls one element of a row."""
    u, v = rest[row, port : port + 2]
    inner, outer = 2 * math.atan2(abs(v), abs(u)), float(np.angle(-u * np.conj(v)))
    rest[:, port : port + 2] = rest[:, port : port + 2] @ _mzi(inner, outer).conj().T
    rest[row, port] = 0.0
    return port, inner, outer


def _null_at_output(rest: Complexes, row: int, column: int) -> tuple[int, float, float]:
    """Add to `rest` the interferometer at its outputs that nulls one element of a column."""
    u, v = rest[row - 1 : row + 1, column]
    inner, outer = 2 * math.atan2(abs(u), abs(v)), float(np.angle(v * np.conj(u)))
    rest[row - 1 : row + 1] = _mzi(inner, outer) @ rest[row - 1 : row + 1]
    rest[row, column] = 0.0
    return row - 1, inner, outer


def _angles(both: Complexes) -> tuple[float, float]:
    """Phases of the interferometer that a unitary matrix (2, 2) is, up to phases of its rows."""
    inner = 2 * math.atan2(abs(both[0, 0]), abs(both[0, 1]))
    # Both products turn by the outer phase; their sum is 0 only where that phase does not matter.
    turn = both[0, 0] * np.conj(both[0, 1]) - both[1, 0] * np.conj(both[1, 1])
    return inner, float(np.angle(turn))


def _mesh(found: list[tuple[int, float, float]], phases: Complexes) -> MziMesh:
    return MziMesh(
        len(phases),
        tuple(port for port, _, _ in found),
        tuple(inner for _, inner, _ in found),
        tuple(outer for _, _, outer in found),
        tuple(float(phase) for phase in np.angle(phases)),
    )


def _rounded(phases: tuple[float, ...], bits: int) -> tuple[float, ...]:
    if not 1 <= bits <= _MOST_BITS:
        raise DesignError(f"phase bits must be from 1 to {_MOST_BITS}, not {bits}")
    step = _TURN / 2**bits
    return tuple(step * math.floor(phase / step + 0.5) for phase in phases)
