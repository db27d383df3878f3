"""Design files that together use every key of the format that is built."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from rchw.activation import Clip, Table
from rchw.design import Matrix, MatrixLayer
from rchw.document import from_document, to_document
from rchw.fixed import QFormat
from tests.examples import ANTISYMMETRIC, DEEP, EULER, EXTERNAL, FEEDBACK, MATRIX, SEGMENTS

__all__ = ["PAGE", "every_law", "example", "objects"]

PAGE = (Path(__file__).parents[1] / "docs" / "design-format.md").read_text(encoding="utf-8")


def example() -> Any:
    """Parse the JSON block of the page."""
    block = re.search(r"```json\n(.*?)\n```", PAGE, re.DOTALL)
    assert block is not None
    return json.loads(block.group(1))


def objects(value: Any, path: str = "design") -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every object of a document, as (path, kind, object)."""
    if isinstance(value, list):
        for item in value:
            yield from objects(item, f"{path}[]")
    elif isinstance(value, dict) and path != "provenance":  # which is free
        family = "external" if value.get("family") == "external" else ""
        yield path, value.get("kind", family), value
        for key, item in value.items():
            yield from objects(item, key if path == "design" else f"{path}.{key}")


def every_law() -> list[Any]:
    """Documents that together use all that is built."""
    design = from_document(example())
    layer = design.ring
    matrix = MATRIX.driven
    assert isinstance(matrix, MatrixLayer)
    dense = Matrix(QFormat(3), "dense", ((1, -2, 0, 3, -4),) * 5)
    table = Table(QFormat(2, 1), (-15, -8, 4, 15))
    inputs = tuple(replace(channel, format=QFormat(4, 2)) for channel in design.inputs)
    features = replace(design.features, inputs=True)
    rows = tuple((*row, 1, 1) for row in design.readout.weights)
    return [
        example(),
        to_document(replace(design, layers=(replace(layer, activation=table),))),
        to_document(replace(design, layers=(replace(layer, activation=Clip(-15, 15)),))),
        to_document(
            replace(
                design,
                inputs=inputs,
                features=features,
                readout=replace(design.readout, weights=rows),
            )
        ),
        to_document(EULER),
        to_document(MATRIX),
        to_document(ANTISYMMETRIC),
        to_document(replace(MATRIX, layers=(replace(matrix, matrix=dense),))),
        to_document(EXTERNAL),
        to_document(FEEDBACK),
        to_document(SEGMENTS),
        to_document(DEEP),
    ]
