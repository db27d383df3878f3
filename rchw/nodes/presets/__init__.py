"""Every node by name, each as somebody used it: `NODES`, and `node` to find one."""

from rchw.errors import DesignError
from rchw.nodes.presets import digital, mechanical, memristive, photonic, spintronic
from rchw.nodes.presets.preset import NodeInfo, Point, Preset, Size

__all__ = ["NODES", "NodeInfo", "Point", "Preset", "Size", "node"]

NODES: dict[str, NodeInfo] = {
    info.name: info
    for family in (digital, memristive, photonic, spintronic, mechanical)
    for info in family.NODES
}


def node(name: str) -> NodeInfo:
    """Find a node.

    Raises
    ------
    DesignError
        If there is none of this name.
    """
    if name not in NODES:
        raise DesignError(f"node must be one of {', '.join(NODES)}, not {name!r}")
    return NODES[name]
