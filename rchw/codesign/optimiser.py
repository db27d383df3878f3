"""What proposes reservoirs: Optuna's samplers of several objectives, and chance to compare with.

All are asked and told by `rchw.codesign.explore` in the same order, and draw from their seed alone.
`benchmarks.explore` compares them.

Sources: Y. Ozaki et al., "Multiobjective tree-structured Parzen estimator", JAIR 73, 2022; K. Deb
et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE TEC 6, 2002.
"""

import warnings
from collections.abc import Sequence

import optuna

from rchw.errors import DesignError

__all__ = ["OPTIMISERS", "RANDOM", "study_of", "tell"]

OPTIMISERS = ("tpe", "nsga2", "random")
RANDOM = 100  # designs at first that do not depend on those before, about 30 reservoirs

_POPULATION = 50  # designs of a generation, as Optuna has it: those of about 15 reservoirs


def study_of(optimiser: str, objectives: int, seed: int) -> optuna.Study:
    """Make a study that can be asked and told.

    Parameters
    ----------
    optimiser : str
        One of `OPTIMISERS`.
    objectives : int
        How many, all to be small.
    seed : int

    Raises
    ------
    DesignError
        If there is no such optimiser.
    """
    if optimiser not in OPTIMISERS:
        raise DesignError(f"optimiser must be one of {', '.join(OPTIMISERS)}, not {optimiser!r}")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(
        directions=["minimize"] * objectives, sampler=_sampler(optimiser, seed)
    )


def _sampler(optimiser: str, seed: int) -> optuna.samplers.BaseSampler:
    if optimiser == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    if optimiser == "nsga2":
        return optuna.samplers.NSGAIISampler(seed=seed, population_size=_POPULATION)
    with warnings.catch_warnings():
        # Joint densities of what is asked for together are called experimental.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.TPESampler(
            seed=seed, multivariate=True, group=True, constant_liar=True, n_startup_trials=RANDOM
        )


def tell(study: optuna.Study, trial: optuna.Trial, values: Sequence[Sequence[float]]) -> None:
    """Tell what a trial came to.

    Parameters
    ----------
    study : optuna.Study
    trial : optuna.Trial
    values : sequence (V, objectives), V at least 1
        Of a reservoir one for each readout that is worth telling: the others are added as trials
        with the same parameters, for a genetic algorithm of the same generation.
    """
    first, *others = values
    study.tell(trial, list(first))
    for more in others:
        study.add_trial(
            optuna.trial.create_trial(
                params=trial.params, distributions=trial.distributions, values=list(more),
                system_attrs=study.get_trials(deepcopy=False)[trial.number].system_attrs,
            )
        )  # fmt: skip
