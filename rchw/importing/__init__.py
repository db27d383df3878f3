"""Bring your own: matrices, or a model of reservoirpy, become a design; ``rchw import``."""

from rchw.importing.drawn import drawn_task
from rchw.importing.network import Network, NetworkModel
from rchw.importing.options import ImportOptions
from rchw.importing.outcome import Imported, import_network
from rchw.importing.reservoirs import from_reservoirpy
from rchw.importing.sources import SUFFIXES, read_network

__all__ = [
    "SUFFIXES",
    "ImportOptions",
    "Imported",
    "Network",
    "NetworkModel",
    "drawn_task",
    "from_reservoirpy",
    "import_network",
    "read_network",
]
