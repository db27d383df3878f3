"""The section of the report on what was built: formats, layers, features, schedule."""

from collections.abc import Iterator, Mapping

from rchw.design import (
    Block,
    Design,
    ExternalLayer,
    Layer,
    MatrixLayer,
    RingLayer,
    TapsInput,
)
from rchw.report.evidence import Evidence
from rchw.report.page import Text, facts, grid, note, section
from rchw.schedule import schedule
from rchw.train.budget import readout_facts
from rchw.train.tradeoff import COLUMNS, readout_words, tradeoff_rows

__all__ = ["built", "listed"]


def listed(items: list[str]) -> str:
    """Words with commas, and the last with an and."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def _joined(layer: RingLayer | MatrixLayer) -> dict[str, str]:
    if isinstance(layer, MatrixLayer):
        return {"matrix": f"{layer.matrix.kind}, weights {layer.matrix.format}"}
    taps = ", ".join(f"{tap.offset}" for tap in layer.taps)
    return {"taps": f"offset {taps}, weights {layer.tap_format}"}


def _layer(layer: Layer) -> dict[str, str]:
    if isinstance(layer, ExternalLayer):
        return {"states": f"{layer.n_units} of {layer.state}, from outside"}
    least, most = min(layer.leak_shifts), max(layer.leak_shifts)
    leak = f", leak 2**-{least}" if most else ""
    if least != most:
        leak = f", leaks 2**-{least} to 2**-{most}"
    step = f", steps {layer.step.format}" if layer.step else ""
    return {
        "states": f"{layer.n_units} of {layer.state}, rounding {layer.rounding.value}",
        **_joined(layer),
        "activation": type(layer.activation).__name__ + leak + step,
    }


def _feature(design: Design, block: Block) -> str:
    of_layer = block.kind in ("states", "squares") and len(design.layers) > 1
    name = f"{block.kind} of {design.layers[block.layer].name}" if of_layer else block.kind
    return f"{name} {block.format}" if block.kind == "squares" else name


def built(evidence: Evidence) -> Iterator[Text]:
    """Formats, layers, features and schedule of the design."""
    design = evidence.design
    if design is None:
        return
    readout, plan = design.readout, schedule(design)
    each = [layer.lanes for layer in design.layers]
    lanes = "1 lane" if each == [1] else f"{listed([str(count) for count in each])} lanes"
    yield section("What was built")
    features = [_feature(design, block) for block in design.blocks]
    single = len(design.layers) == 1
    layers = {
        key if single else f"{key} of {layer.name}": told
        for layer in design.layers
        for key, told in _layer(layer).items()
    }
    for stage in design.stages:
        reads = []
        for feed in stage.feeds:
            way = "taps" if isinstance(feed.entry, TapsInput) else "a matrix"
            reads.append(f"{feed.layer.name} through {way}, weights {feed.format}")
        if reads:
            layers[f"reads of {stage.layer.name}"] = "; ".join(reads)
    outputs = [f"{output.name} {output.format}" for output in readout.outputs]
    answers = f", one answer per sequence ({readout.accumulate})" * readout.pooled
    answers += ", the index of the greatest output" * readout.argmax
    fed = [f"{entry.output} to {entry.layer}, weights {entry.format}" for entry in design.feedback]
    yield facts(
        {
            "inputs": ", ".join(f"{u.name} {u.format}" for u in design.inputs) or "none",
            **layers,
            "features": f"{design.n_features}: " + ", ".join(features),
            "readout": f"weights {readout.weight_format}, {readout.multipliers} multipliers"
            + answers,
            **({} if readout.pooled else {"weights": readout_words(readout_facts(design))}),
            "outputs": ", ".join(outputs),
            **({"feedback": "; ".join(fed)} if fed else {}),
            "schedule": f"{lanes}, {plan.clocks} clocks per sample",
        }
    )
    known = design.provenance.get("readout")
    rows = tradeoff_rows(known) if isinstance(known, Mapping) else []
    if rows:
        yield note("What other budgets of the readout would cost, on the validation samples:")
        yield grid(COLUMNS, rows)
