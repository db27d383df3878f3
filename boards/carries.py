"""Turn the inputs of iCE40 carries so that nextpnr finds the LUT that shares their cell.

A logic cell holds a LUT and a carry that adds the LUT's I1 and I2. Where a chain begins, nextpnr
puts a carry with a LUT only if its I0 is the LUT's I1 and its I1 the LUT's I2; Yosys with abc9
orders the inputs of such a LUT as it likes. The two inputs of a carry may be exchanged freely, so
they are, where only then a LUT fits: each saves a cell.
"""

import copy
from typing import Any

from rchw.boards.check import Netlist

__all__ = ["align_carries"]


def align_carries(module: Netlist) -> tuple[Netlist, int]:
    """Exchange inputs of carries at the beginning of a chain where that lets them share a cell.

    Parameters
    ----------
    module : Netlist
        Mapped to iCE40 cells; left as it is.

    Returns
    -------
    tuple
        The new module, and the number of carries turned.
    """
    module = copy.deepcopy(module)
    cells: list[dict[str, Any]] = list(module["cells"].values())
    pairs = {
        (cell["connections"]["I1"][0], cell["connections"]["I2"][0])
        for cell in cells
        if cell["type"] == "SB_LUT4"
    }
    turned = 0
    for cell in cells:
        pins = cell["connections"]
        if cell["type"] != "SB_CARRY" or pins["CI"][0] not in ("0", "1"):
            continue
        pair = (pins["I0"][0], pins["I1"][0])
        if pair not in pairs and pair[::-1] in pairs:
            pins["I0"], pins["I1"] = pins["I1"], pins["I0"]
            turned += 1
    return module, turned
