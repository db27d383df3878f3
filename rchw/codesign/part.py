"""One layer of a folded circuit under the bill's eyes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rchw.codesign.bill import Bill, Path
from rchw.codesign.memories import SMALL, Product, Table
from rchw.codesign.sums import LayerSums
from rchw.design import Stage
from rchw.schedule import Schedule

__all__ = ["Part"]

Codes = NDArray[np.int64]
_MUXED = 4  # weights of a lane that are chosen among; more are a field and a product


@dataclass(frozen=True)
class Part:
    """A layer, and where its bits are counted.

    Attributes
    ----------
    bill : Bill
    stage : Stage
    plan : Schedule
    sums : LayerSums
    units : int array (P, W)
        Of every lane its unit in each word; of a word that is not full the last unit again.
    table : Table
        Constants of the words.
    """

    bill: Bill
    stage: Stage
    plan: Schedule
    sums: LayerSums
    units: Codes
    table: Table

    def unregistered(self, words: int) -> bool:
        """Whether a memory of so many words is in block RAM with no register behind it."""
        return not self.plan.read_register and words > SMALL

    def times(self, width: int, weights: Codes) -> None:
        """A product with the weight of the word."""
        kinds, where = np.unique(weights, return_inverse=True)
        if len(kinds) > _MUXED:
            bits = self.table.add(weights)
            self.bill.products.append(Product(width, bits))
            self.bill.path("product of a lane", Path(1, 0, False, (width, max(bits, 1))))
            return
        self.table.add(where)
        wide = width + int(np.abs(kinds).max()).bit_length()
        found = [self.bill.times(int(kind), width) for kind in kinds]
        gated = len(kinds) > 1 and bool((kinds == 0).any())
        self.bill.add("gate", wide * gated)
        self.bill.add("choice", (len(kinds) - 1 - gated) * wide)
        chains = float(max(product.chains for product in found))
        levels = float(max(product.depth for product in found) + (len(kinds) - 1).bit_length())
        memory = self.unregistered(self.plan.words) and not self.stage.stepwise
        self.bill.path(
            "weights of a lane", Path(levels + 1, wide * (chains > 0), memory, chains=chains)
        )
