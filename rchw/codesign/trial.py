"""One trial: a reservoir and all its readouts.

Whatever has no chance to fit the board or to keep to the limits is refused before anything runs:
its readout of zeros costs no more than a trained one. All errors are of integer outputs on
validation samples; test samples are not touched.
"""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from rchw.codesign.objectives import Limits, costs
from rchw.codesign.space import Point, Readout, Space, candidate
from rchw.design import Design
from rchw.errors import DesignError
from rchw.train import Hyperparameters, TrainOptions
from rchw.train.ridge import LAMBDAS

__all__ = ["FULL", "SHORT", "Fidelity", "Result", "Trials"]

Result = dict[str, Any]


@dataclass(frozen=True)
class Fidelity:
    """How much a trial is given.

    Attributes
    ----------
    name : str
    part : float
        Of training and validation samples, from the first on.
    least : int
        Training samples for each feature, even if that is a larger part.
    regularisations : tuple of float
    every : bool
        All widths and budgets; or one width, of weights the middle, of outputs the most.
    """

    name: str
    part: float
    least: int
    regularisations: tuple[float, ...]
    every: bool


FULL = Fidelity("full", 1.0, 0, LAMBDAS, True)
SHORT = Fidelity("short", 0.25, 3, (1e-7, 1e-5, 1e-3), False)


@dataclass(frozen=True, kw_only=True)
class Trials(ABC):
    """What computes trials: a function of (point, fidelity) that can be sent to another process.

    Parameters
    ----------
    space : Space
    board : str
    limits : Limits
    joules : bool
        Whether energies are asked for: at the least rate of the limits, if there is one.
    """

    space: Space
    board: str
    limits: Limits
    joules: bool = False

    def __call__(self, item: tuple[Point, Fidelity]) -> Result:
        """Compute a trial.

        Returns
        -------
        dict
            ``point``, ``seconds``, ``processor_seconds`` and either ``refused``, a sentence, with
            ``broken``, by how much limits are exceeded, or ``designs``: of every readout its
            options, ``regularisation``, ``error``, costs, ``extrapolates``, ``broken`` and ``why``.
        """
        point, fidelity = item
        begun, busy = time.perf_counter(), time.process_time()
        try:
            found = self._evaluate(*candidate(self.space, point), fidelity)
        except DesignError as reason:
            found = {"refused": str(reason), "broken": 1e3}
        spent = {
            "seconds": round(time.perf_counter() - begun, 4),
            "processor_seconds": round(time.process_time() - busy, 4),
        }
        return {"point": point, **found, **spent}

    def _evaluate(
        self, options: TrainOptions, hyper: Hyperparameters, fidelity: Fidelity
    ) -> Result:
        readouts = self.readouts()
        if not fidelity.every:
            middle = self.space.readout_bits[len(self.space.readout_bits) // 2]
            widest = self.space.output_bits[-1]
            readouts = [Readout(squares, middle, widest) for squares in self.space.squares]
        designs, refused = dict[Readout, Design](), []
        design: Design | None = None
        for readout in readouts:
            design = self.design(options, hyper, readout, design)
            figures, why, _ = self._costs(design)
            broken, why = self._broken(figures, why)
            if broken:
                refused.append((broken, why))
            else:
                designs[readout] = design
        if not designs:
            broken, why = min(refused)
            return {"refused": why, "broken": broken}
        found = []
        trained_all = self.trained(options, hyper, designs, fidelity)
        for readout, (trained, regularisation, error) in trained_all.items():
            figures, why, extrapolates = self._costs(trained)
            broken, why = self._broken({"error": error, **figures}, why)
            found.append(
                {
                    **readout.facts(),
                    "regularisation": regularisation,
                    "error": error,
                    **figures,
                    "extrapolates": list(extrapolates),
                    "broken": broken,
                    "why": why,
                }
            )
        return {"designs": found}

    def readouts(self) -> list[Readout]:
        """All readouts of a reservoir."""
        return self.space.readouts()

    @abstractmethod
    def design(
        self,
        options: TrainOptions,
        hyper: Hyperparameters,
        readout: Readout,
        like: Design | None = None,
    ) -> Design:
        """Build a candidate for the training samples, with a readout of zeros.

        Parameters
        ----------
        options : TrainOptions
        hyper : Hyperparameters
        readout : Readout
        like : Design, optional
            The same with another readout: its reservoir is taken over.
        """

    @abstractmethod
    def trained(
        self,
        options: TrainOptions,
        hyper: Hyperparameters,
        designs: dict[Readout, Design],
        fidelity: Fidelity,
    ) -> dict[Readout, tuple[Design, float, float]]:
        """Train all readouts: of each the design, lambda, and error where nothing was taught."""

    @abstractmethod
    def again(
        self, options: TrainOptions, hyper: Hyperparameters, regularisation: float, trials: int
    ) -> tuple[Design, float]:
        """Train one design once more, with its provenance; and its error, which must be the same.

        Parameters
        ----------
        options : TrainOptions
            With its readout.
        hyper : Hyperparameters
        regularisation : float
        trials : int
            Of the search.
        """

    @property
    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What a store and a record tell of the task."""

    @abstractmethod
    def check(self) -> None:
        """Refuse what cannot be trained on.

        Raises
        ------
        DesignError
            If there are too few training samples, or readouts are asked for that the task cannot
            have.
        """

    def _costs(self, design: Design) -> tuple[dict[str, float], str, tuple[str, ...]]:
        return costs(design, self.board, self.joules, self.limits.rate)

    def _broken(self, figures: dict[str, float], why: str) -> tuple[float, str]:
        """By how much limits are exceeded; what does not fit the board exceeds them too."""
        broken, words = self.limits.broken(figures)
        return (1.0 + broken, why) if why else (broken, words)
