"""Layers in series: each by itself, with all that it reads in a sample."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.layers import (
    Feedback,
    InputChannel,
    LevelInput,
    LinearInput,
    MatrixInput,
    TapsInput,
    check_codes,
)
from rchw.units import Layer, MatrixLayer, RingLayer

__all__ = ["Feed", "Stage", "make_stages"]

Rows = tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True)
class Feed:
    """What a layer reads of an earlier one.

    Attributes
    ----------
    source : int
        Number of the layer that is read.
    layer : RingLayer or MatrixLayer
        That layer.
    entry : MatrixInput or TapsInput
    rows : tuple of tuples of (int, int)
        Of every unit that reads the units that it reads, and their weights, none of them 0.
    """

    source: int
    layer: RingLayer | MatrixLayer
    entry: MatrixInput | TapsInput
    rows: Rows

    @property
    def format(self) -> QFormat:
        """Of the weights."""
        return self.entry.format


@dataclass(frozen=True)
class Stage:
    """One layer of units with its sources; what asks only this takes a `Design` of one layer too.

    Attributes
    ----------
    layer : RingLayer or MatrixLayer
    inputs : tuple of InputChannel
        The channel of each of its linear and level inputs.
    entries : tuple of LinearInput or LevelInput
        These inputs.
    places : tuple of int
        Numbers of these channels in the design.
    feeds : tuple of Feed
        Earlier layers that it reads.
    fed : int
        How many of the inputs are outputs that are fed back; they come last.
    reset_on_last : bool
        As of the design.
    named : bool
        Its inputs name their sources; else it reads every channel, and nothing else.
    """

    layer: RingLayer | MatrixLayer
    inputs: tuple[InputChannel, ...]
    entries: tuple[LinearInput | LevelInput, ...]
    places: tuple[int, ...]
    feeds: tuple[Feed, ...] = ()
    fed: int = 0
    reset_on_last: bool = True
    named: bool = False

    @property
    def n_units(self) -> int:
        """N."""
        return self.layer.n_units

    @property
    def n_inputs(self) -> int:
        """Its channels, outputs that are fed back left out."""
        return len(self.inputs) - self.fed

    def with_feedback(
        self, channels: tuple[InputChannel, ...], feedback: tuple[Feedback, ...]
    ) -> "Stage":
        """The same with outputs that are fed back, and the channels of their codes."""
        inputs, entries = self.inputs + channels, self.entries + feedback
        return replace(self, inputs=inputs, entries=entries, fed=len(channels))

    @property
    def stage(self) -> "Stage":
        """Itself."""
        return self

    @property
    def stepwise(self) -> bool:
        """Whether the folded circuit takes columns one by one: there is a matrix."""
        feeds = (isinstance(feed.entry, MatrixInput) for feed in self.feeds)
        return isinstance(self.layer, MatrixLayer) or any(feeds)

    @cached_property
    def expanded(self) -> "Stage":
        """The same law without feeds: every unit that is read is a linear channel of its own."""
        inputs, entries = list(self.inputs), list(self.entries)
        for number, feed in enumerate(self.feeds):
            n_source, n_units = feed.layer.n_units, self.layer.n_units
            weights = [[0] * n_units for _ in range(n_source)]
            for unit, row in enumerate(feed.rows):
                for column, weight in row:
                    weights[column][unit] += weight
            for column, codes in enumerate(weights):
                inputs.append(InputChannel(f"x{number}_{column}", feed.layer.state))
                entries.append(LinearInput(feed.format, tuple(codes)))
        return replace(self, inputs=tuple(inputs), entries=tuple(entries), feeds=())

    def seen(self, codes: Any, states: Sequence[Any]) -> Any:
        """What the channels of `expanded` hold, (T, K').

        Parameters
        ----------
        codes : (T, K), any array that numpy concatenates
        states : one (T, N) for each earlier layer
            After the same samples.
        """
        if not self.named:
            return codes
        parts = [codes[:, place : place + 1] for place in self.places]
        return np.concatenate([*parts, *(states[feed.source] for feed in self.feeds)], axis=1)


def make_stages(
    channels: tuple[InputChannel, ...], layers: Sequence[Layer], reset_on_last: bool
) -> tuple[Stage, ...]:
    """Find the source of every input of driven layers.

    Raises
    ------
    DesignError
        If a source is missing or unknown, or an input does not fit its source.
    """
    driven = [layer for layer in layers if isinstance(layer, RingLayer | MatrixLayer)]
    if len(layers) == 1:
        found = [_single(channels, layer) for layer in driven]
    else:
        found = [_stage(channels, driven[:place], layer) for place, layer in enumerate(driven)]
    return tuple(replace(stage, reset_on_last=reset_on_last) for stage in found)


def _single(channels: tuple[InputChannel, ...], layer: RingLayer | MatrixLayer) -> Stage:
    if len(layer.inputs) != len(channels):
        raise DesignError(
            f"the layer must have one table per input channel ({len(channels)}), "
            f"not {len(layer.inputs)}"
        )
    entries = []
    for channel, entry in zip(channels, layer.inputs, strict=True):
        if isinstance(entry, MatrixInput | TapsInput):
            raise DesignError(f"source of an input must be an earlier layer, not {entry.source!r}")
        if entry.source is not None:
            raise DesignError(
                f"source of an input must be left out where there is one layer, not be "
                f"{entry.source!r}"
            )
        entries.append(_checked(channel, entry, layer))
    return Stage(layer, channels, tuple(entries), tuple(range(len(channels))))


def _stage(
    channels: tuple[InputChannel, ...],
    earlier: Sequence[RingLayer | MatrixLayer],
    layer: RingLayer | MatrixLayer,
) -> Stage:
    places, entries, feeds = [], [], []
    names = {channel.name: place for place, channel in enumerate(channels)}
    numbers = {before.name: number for number, before in enumerate(earlier)}
    for entry in layer.inputs:
        if isinstance(entry, LinearInput | LevelInput):
            if entry.source not in names:
                raise DesignError(
                    f"source of an input of layer {layer.name} must be a channel, "
                    f"not {entry.source!r}"
                )
            places.append(names[entry.source])
            entries.append(_checked(channels[places[-1]], entry, layer))
            continue
        if entry.source not in numbers:
            raise DesignError(
                f"source of an input of layer {layer.name} must be an earlier layer, "
                f"not {entry.source!r}"
            )
        before = earlier[numbers[entry.source]]
        sizes = layer.n_units, before.n_units
        entry.check(*sizes)
        feeds.append(Feed(numbers[entry.source], before, entry, entry.rows(*sizes)))
    inputs = tuple(channels[place] for place in places)
    return Stage(layer, inputs, tuple(entries), tuple(places), tuple(feeds), named=True)


def _checked(
    channel: InputChannel, entry: LinearInput | LevelInput, layer: RingLayer | MatrixLayer
) -> LinearInput | LevelInput:
    if isinstance(entry, LevelInput):
        what = f"thresholds of input {channel.name}"
        check_codes(what, entry.thresholds, layer.n_units, QFormat(25, 0))
    return entry
