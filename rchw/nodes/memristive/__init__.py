"""Memristors: volatile ones that are reservoirs, and crossbars that are readouts."""

from rchw.nodes.memristive.balance import (
    GRID_FIT,
    TWO_TERMINAL_FIT,
    BalanceMemristor,
    BalanceParameters,
)
from rchw.nodes.memristive.crossbar import Crossbar, CrossbarParameters, Product
from rchw.nodes.memristive.drift import DriftMemristor, DriftParameters
from rchw.nodes.memristive.dynamic import DynamicMemristor, DynamicParameters
from rchw.nodes.memristive.nanowire import NanowireNetwork
from rchw.nodes.memristive.oxide import OxideMemristor, OxideParameters
from rchw.nodes.memristive.vteam import VteamMemristor, VteamParameters
from rchw.nodes.memristive.wires import transfer
from rchw.nodes.memristive.wiring import Wiring

__all__ = [
    "GRID_FIT",
    "TWO_TERMINAL_FIT",
    "BalanceMemristor",
    "BalanceParameters",
    "Crossbar",
    "CrossbarParameters",
    "DriftMemristor",
    "DriftParameters",
    "DynamicMemristor",
    "DynamicParameters",
    "NanowireNetwork",
    "OxideMemristor",
    "OxideParameters",
    "Product",
    "VteamMemristor",
    "VteamParameters",
    "Wiring",
    "transfer",
]
