"""The design file: JSON version 1 of `docs/design-format.md`, its digest, loading and saving."""

import hashlib
import json
from pathlib import Path
from typing import Any

from rchw.activation import Activation, Clip, PiecewiseLinear
from rchw.design import (
    AffineEncoder,
    Design,
    ExternalLayer,
    Feedback,
    Layer,
    LinearInput,
    Matrix,
    MatrixInput,
    MatrixLayer,
    RingLayer,
    Segments,
    Tap,
    TapsInput,
    UnitCodes,
)
from rchw.errors import DesignError
from rchw.files import write_atomic
from rchw.fixed import QFormat
from rchw.layers import LayerInput, TargetEncoder
from rchw.reading import FORMAT, VERSION, from_document

__all__ = ["digest", "from_document", "load", "save", "to_document"]


def to_document(design: Design) -> dict[str, Any]:
    """JSON-ready dictionary of a design; `from_document` is its inverse."""
    readout = design.readout
    rows: list[dict[str, Any]] = []
    for block in design.blocks:
        row: dict[str, Any] = {"kind": block.kind}
        if block.kind in ("states", "squares"):
            row["layer"] = design.layers[block.layer].name
        row["format"] = str(block.format)
        if block.kind == "squares":
            row["rounding"] = design.features.of_layers[block.layer].square_rounding.value
        rows.append(row)
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": design.name,
        "inputs": [
            {
                "name": channel.name,
                "format": str(channel.format),
                "encoder": _encoder(channel.encoder),
            }
            for channel in design.inputs
        ],
        "layers": [_layer(design, layer) for layer in design.layers],
        "features": rows,
        "readouts": [
            {
                "name": readout.name,
                "storage": "constant",
                "accumulate": readout.accumulate,
                "segments": _segments(readout.segments),
                "output": "argmax" if readout.argmax else "values",
                "multipliers": readout.multipliers,
                "rounding": readout.rounding.value,
                "overflow": readout.overflow.value,
                "outputs": [
                    {
                        "name": output.name,
                        "format": str(output.format),
                        "decoder": {"offset": _real(output.offset), "scale": _real(output.scale)},
                    }
                    for output in readout.outputs
                ],
                "weights": {
                    "format": str(readout.weight_format),
                    "codes": [list(row) for row in readout.weights],
                },
            }
        ],
        "feedback": [_feedback(entry) for entry in design.feedback],
        "learning": [],
        "streams": 1,
        "reset": {"on_last": design.reset_on_last},
        "provenance": design.provenance,
    }


def _segments(segments: Segments | None) -> dict[str, Any] | None:
    if segments is None:
        return None
    return {"length": segments.length, "count": segments.count}


def _encoder(encoder: AffineEncoder | TargetEncoder) -> dict[str, Any]:
    assert isinstance(encoder, AffineEncoder)  # the other is that of a teacher's lane
    return {"kind": "affine", "offset": _real(encoder.offset), "gain": _real(encoder.gain)}


def _layer(design: Design, layer: Layer) -> dict[str, Any]:
    if isinstance(layer, ExternalLayer):
        return {
            "family": "external",
            "name": layer.name,
            "units": layer.n_units,
            "state": str(layer.state),
            "lanes": layer.lanes,
            "encoder": _encoder(layer.encoder),
        }
    return {
        "family": layer.family,
        "name": layer.name,
        "units": layer.n_units,
        "update": layer.update,
        "leak_shift": (
            list(layer.leak_shift) if isinstance(layer.leak_shift, tuple) else layer.leak_shift
        ),
        "state": str(layer.state),
        "rounding": layer.rounding.value,
        "lanes": layer.lanes,
        "taps": _taps(layer.tap_format, layer.taps) if isinstance(layer, RingLayer) else None,
        "matrix": _matrix(layer.matrix) if isinstance(layer, MatrixLayer) else None,
        "gain": _codes(layer.gain),
        "step": _codes(layer.step),
        "horizon": layer.horizon,
        "inputs": [
            # A single layer has one entry per channel, and does not repeat their names.
            {"source": entry.source or design.inputs[k].name, **_layer_input(entry)}
            for k, entry in enumerate(layer.inputs)
        ],
        "bias": {"format": str(layer.bias_format), "codes": list(layer.bias)},
        "initial_state": list(layer.initial_state),
        "activation": _activation(layer.activation),
    }


def _feedback(entry: Feedback) -> dict[str, Any]:
    return {
        "layer": entry.layer,
        "output": entry.output,
        "format": str(entry.format),
        "weights": list(entry.weights),
        "initial": entry.initial,
        "teacher": "stream" if entry.teacher else "none",
    }


def _taps(fmt: QFormat, taps: tuple[Tap, ...]) -> dict[str, Any]:
    table = [{"offset": tap.offset, "weights": list(tap.weights)} for tap in taps]
    return {"format": str(fmt), "table": table}


def _matrix(matrix: Matrix) -> dict[str, Any]:
    scaling, found = matrix.scaling, {"format": str(matrix.format), "kind": matrix.kind}
    return {
        **found,
        "codes": [list(row) for row in matrix.codes],
        **({"columns": [list(row) for row in matrix.columns]} if matrix.kind == "sparse" else {}),
        **({"diagonal": list(matrix.diagonal)} if matrix.kind == "antisymmetric" else {}),
        "scaling": scaling and {"rule": scaling.rule, "value": _real(scaling.value)},
    }


def _codes(table: UnitCodes | None) -> dict[str, Any] | None:
    return None if table is None else {"format": str(table.format), "codes": list(table.codes)}


def _real(value: float) -> float:
    """Plain Python float; minus zero becomes zero, so that equal designs have equal digests."""
    return float(value) + 0.0


def _layer_input(entry: LayerInput) -> dict[str, Any]:
    if isinstance(entry, LinearInput):
        return {"kind": "linear", "format": str(entry.format), "weights": list(entry.weights)}
    if isinstance(entry, MatrixInput):
        return {"kind": "matrix", "matrix": _matrix(entry.matrix)}
    if isinstance(entry, TapsInput):
        return {"kind": "taps", "taps": _taps(entry.format, entry.taps)}
    return {
        "kind": "level",
        "format": str(entry.format),
        "thresholds": list(entry.thresholds),
        "low": list(entry.low),
        "high": list(entry.high),
    }


def _activation(activation: Activation) -> dict[str, Any]:
    if isinstance(activation, Clip):
        return {"kind": "clip", "low": activation.low, "high": activation.high}
    if isinstance(activation, PiecewiseLinear):
        return {
            "kind": "pwl",
            "low": activation.low,
            "high": activation.high,
            "segments": [
                {"start": start, "shift": shift, "offset": offset}
                for start, shift, offset in activation.segments
            ],
        }
    return {
        "kind": "table",
        "index": str(activation.index),
        "entries": list(activation.entries),
    }


def digest(design: Design) -> str:
    """SHA-256 over the canonical JSON of everything but the provenance, in hexadecimal."""
    document = to_document(design)
    del document["provenance"]
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _pretty(value: Any, indent: str = "") -> str:
    """JSON with one line per key, and lists of numbers on one line."""
    inner = indent + "  "
    if isinstance(value, dict) and value:
        rows = [f"{inner}{json.dumps(k)}: {_pretty(v, inner)}" for k, v in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return "[\n" + ",\n".join(inner + _pretty(v, inner) for v in value) + f"\n{indent}]"
    return json.dumps(value, allow_nan=False)


def save(design: Design, path: str | Path) -> Path:
    """Write the design file; an earlier file survives any failure.

    Raises
    ------
    DesignError
        If the provenance is not JSON.
    RchwError
        If the file cannot be written.
    """
    try:
        text = _pretty(to_document(design))
    except (TypeError, ValueError):
        raise DesignError("provenance must be JSON with finite numbers") from None
    return write_atomic(path, text + "\n")


def load(path: str | Path) -> Design:
    """Read and check a design file.

    Raises
    ------
    DesignError
        If the file is missing, is not JSON, or breaks a rule; the message starts with its path.
    """
    path = Path(path)
    try:
        document = json.loads(
            path.read_text(encoding="utf-8"),
            object_pairs_hook=_distinct,
            parse_constant=_refuse_constant,
        )
    except FileNotFoundError:
        raise DesignError(f"{path} must be a design file, but there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DesignError(f"{path} must be a readable design file: {error}") from None
    except json.JSONDecodeError as error:
        raise DesignError(
            f"{path} must be JSON, but is broken at line {error.lineno}: {error.msg}"
        ) from None
    except RecursionError:
        raise DesignError(f"{path} must be JSON of a sane depth, not a nest of brackets") from None
    except DesignError as error:
        raise DesignError(f"{path} {error}") from None
    except ValueError:  # Python converts no integer of more than 4300 digits
        raise DesignError(f"{path} must be JSON of sane numbers, not thousands of digits") from None
    try:
        return from_document(document)
    except DesignError as error:
        raise DesignError(f"{path}: {error}") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise DesignError(f"must have every key once, not {twice!r} twice in one object")
    return found


def _refuse_constant(name: str) -> float:
    raise DesignError(f"must be JSON with finite numbers, not {name}")
