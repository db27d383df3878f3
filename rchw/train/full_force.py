"""Full-FORCE: a second network, driven by the target, tells every unit what its sum should be.

The target-generating network is random and chaotic, and gets the target where FORCE would feed the
output back, with the same inputs u, if there are any:

    h'(t) = (1 - a) h'(t-1) + a f(J h'(t-1) + v f(t-1) + V u(t))

The network that is trained starts without any weights, and recursive least squares makes its
recurrent sums ``W h(t)`` those of the other, ``J h'(t) + v f(t)``, and its outputs ``R h(t)`` the
target, all with one P. In the end it runs without the target and without feedback: all that it
needs is in W.

Partial-FORCE trains so the last M units alone; the others keep their rows of J. So that the
trained network can do what the other does, the target drives those M units only. With M = N this
is full-FORCE; with M = 0 only the readout is trained, FORCE without feedback.

Sources: B. DePasquale, C. J. Cueva, K. Rajan, G. S. Escola, L. F. Abbott, "full-FORCE: a target-
based method for training recurrent networks", PLOS ONE 13 (2018) e0191527. Partial-FORCE is named
by H. Tamura and G. Tanaka (IJCNN 2021); their text was not at hand, and this is how we read it.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.train.force import (
    ForceNetwork,
    ForceOptions,
    History,
    Progress,
    draw_network,
    given_inputs,
    learn,
)
from rchw.train.shared_gain import weighted_sums

__all__ = ["TargetNetwork", "train_force"]

Values = NDArray[np.float64]


class TargetNetwork:
    """The target-generating network; `rchw.train.force.Sums`.

    Parameters
    ----------
    network : ForceNetwork
        J, v and its state. R is not read, and `fed` is the target of the sample before.
    trained : int
        M, for how many of the last units sums are asked.
    compiled : bool
    """

    def __init__(self, network: ForceNetwork, trained: int, compiled: bool = True) -> None:
        n = network.n_units
        self.network = network
        self._columns = np.ascontiguousarray(network.columns[:, :n])
        self._trained, self._compiled = trained, compiled
        self._sums = weighted_sums(self._columns, network.state, compiled)

    def currents(self, target: Values, given: Values) -> Values:
        """One sample further, under inputs (K,); sums (M,) that follow a target (L,)."""
        network = self.network
        state = network.moved(self._sums, network.fed, given)
        self.network = replace(network, state=state, fed=target)
        self._sums = weighted_sums(self._columns, state, self._compiled)
        first = network.n_units - self._trained
        total = self._sums[first:].copy()
        for weights, value in zip(network.feedback[:, first:], target, strict=True):
            total += weights * value
        return total


def train_force(
    options: ForceOptions,
    targets: Values,
    washout: int = 0,
    progress: Progress | None = None,
    compiled: bool = True,
    inputs: Values | None = None,
) -> tuple[ForceNetwork, History]:
    """Draw a network and train it, by any of the three rules.

    Parameters
    ----------
    options : ForceOptions
    targets : float64 array (T, L)
        In full scales of the outputs: all within -1 to 1.
    washout : int
        First samples, in which the random network runs with the target in place of its output, and
        nothing is trained.
    progress, compiled, inputs
        As for `rchw.train.force.learn`.

    Returns
    -------
    ForceNetwork
        Behind the last target; with zeros for v where outputs do not return.
    History
        Its samples are counted from the first that trains.

    Raises
    ------
    DesignError
        If no sample is left to train on, or as for `learn`.
    """
    if not 0 <= washout < len(targets):
        raise DesignError(
            f"washout must be from 0 to below the {len(targets)} training samples, not {washout}"
        )
    given = given_inputs(inputs, len(targets))
    drawn = draw_network(options, targets.shape[1], given.shape[1])
    n, trained = options.units, options.trained
    feedback = drawn.feedback.copy()
    if options.teaching != "force":
        feedback[:, : n - trained] = 0.0  # only units that learn see the target
    guide = TargetNetwork(replace(drawn, feedback=feedback), trained, compiled)
    for target, values in zip(targets[:washout], given[:washout], strict=True):
        guide.currents(target, values)
    network = replace(drawn, state=guide.network.state)
    if options.teaching == "force":
        network = replace(network, feedback=feedback, fed=guide.network.fed)
        return learn(network, targets[washout:], options, None, progress, compiled, given[washout:])
    columns = drawn.columns.copy()
    columns[:, n - trained :] = 0.0
    network = replace(network, columns=columns, feedback=np.zeros_like(feedback))
    return learn(network, targets[washout:], options, guide, progress, compiled, given[washout:])
