"""Masks: what makes the virtual nodes of one device, or the devices of an array, differ."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["KINDS", "Mask"]

KINDS = ("binary", "ternary", "mls", "analog", "none", "direct")
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Mask:
    """Factors of the inputs, one row per drive.

    Parameters
    ----------
    kind : str
        ``binary``: -1 or 1. ``ternary``: -1, 0 or 1. ``mls``: a maximum-length sequence of -1 and 1
        (of linear feedback shift registers, as in L. Appeltant et al., Sci. Rep. 4, 3629, 2014),
        whose windows are all distinct. ``analog``: uniform from -1 to 1. ``none``: all 1.
        ``direct``: each drive is one channel, for nodes that have weights of their own.
    seed : int
        Of what is drawn; of ``mls`` where the sequence begins.
    """

    kind: str = "binary"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DesignError(f"mask must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.seed < 0:
            raise DesignError(f"seed of the mask must be at least 0, not {self.seed}")

    def weights(self, n_drives: int, n_inputs: int) -> Values:
        """Factors, shape (D, K); with K channels each is divided by K, so that sums stay within 1.

        Parameters
        ----------
        n_drives : int
            D.
        n_inputs : int
            K.

        Raises
        ------
        DesignError
            If a direct mask has not one drive per channel.
        """
        if self.kind == "direct":
            if n_drives != n_inputs:
                raise DesignError(
                    f"drives must be as many as the {n_inputs} channels for a direct mask, "
                    f"not {n_drives}"
                )
            return np.eye(n_inputs)
        count = n_drives * n_inputs
        if self.kind == "none":
            flat = np.ones(count)
        elif self.kind == "mls":
            flat = _maximum_length(count, self.seed)
        else:
            rng = np.random.default_rng(self.seed)
            if self.kind == "analog":
                flat = rng.uniform(-1, 1, count)
            else:
                levels = [-1.0, 1.0] if self.kind == "binary" else [-1.0, 0.0, 1.0]
                flat = rng.choice(levels, count)
        # Channel by channel: what a channel sees does not depend on how many follow.
        return flat.reshape(n_inputs, n_drives).T / n_inputs


def _maximum_length(count: int, start: int) -> Values:
    from scipy.signal import max_len_seq

    order = max(2, count.bit_length())  # the sequence has 2**order - 1 values
    bits = np.roll(max_len_seq(order)[0], -(start % (2**order - 1)))
    return np.asarray(2.0 * bits[:count] - 1.0, dtype=np.float64)
