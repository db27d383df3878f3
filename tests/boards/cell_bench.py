"""A bench for models of cells: vectors from Python, answers back, compared with `Memory`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

import rchw.boards.netlist
from tests.boards.harness import answers
from tests.boards.memories import Access, Bits, Memory, Port

__all__ = [
    "FIELDS",
    "MODELS",
    "Instance",
    "bench",
    "check",
    "contents_of",
    "initial",
    "operand",
    "run",
    "stimulus",
    "with_corners",
]

MODELS = Path(rchw.boards.netlist.__file__).parent / "models"
WAIVERS = ("-Wno-WIDTHEXPAND", "-Wno-WIDTHTRUNC", "-Wno-PINMISSING")
CLOCKS = 800
FIELDS = {
    **{"ada": 14, "adb": 14, "dia": 36, "dib": 36, "cea": 1, "ceb": 1, "wea": 1, "web": 1},
    **{"rsta": 1, "rstb": 1, "ocea": 1, "oceb": 1, "sela": 3, "selb": 3},
}  # what all instances of a bench get; 117 bits


def bench(instances: Sequence[str], outputs: int) -> str:
    """Verilog of a module whose ``vector`` holds `FIELDS`; instance K drives ``outK``."""
    start, wires = 0, []
    for name, width in FIELDS.items():
        wires.append(f"  wire [{width - 1}:0] {name} = vector[{start} +: {width}];")
        start += width
    outs = ", ".join(f"out{k}" for k in reversed(range(len(instances))))
    return "\n".join(
        [
            f"module bench (input clk, input [{start - 1}:0] vector,",
            f"  output [{outputs * len(instances) - 1}:0] answer);",
            *wires,
            *(f"  wire [{outputs - 1}:0] out{k};" for k in range(len(instances))),
            *instances,
            f"  assign answer = {{{outs}}};",
            "endmodule",
        ]
    )


def run(
    text: str,
    models: Sequence[Path],
    vectors: Sequence[Mapping[str, int]],
    folder: Path,
    waivers: Sequence[str] = WAIVERS,
) -> list[int]:
    """Give the bench one vector per clock and return its answers."""
    (folder / "bench.v").write_text(text)
    rows = []
    for vector in vectors:
        start = number = 0
        for name, width in FIELDS.items():
            number |= vector[name] << start
            start += width
        rows.append(f"{number:032x}\n")
    (folder / "vectors.txt").write_text("".join(rows))
    sources = [folder / "bench.v", *models]
    lines = answers("vectors", "bench", sources, waivers, folder / "sim", len(rows))
    return [int(line, 16) for line in lines]


def stimulus(seed: int, *, selects: bool, both_write: bool = False) -> list[dict[str, int]]:
    """Draw vectors; a third of the addresses lie close together, so that words are met again."""
    rng = np.random.default_rng(seed)
    found = []
    for clock in range(CLOCKS):
        vector = {name: int(rng.integers(1 << width)) for name, width in FIELDS.items()}
        for side in "ab":
            if rng.random() < 0.7:
                vector[f"ad{side}"] &= 0x7F
            vector[f"rst{side}"] = int(rng.random() < 0.03)
            vector[f"ce{side}"] = int(rng.random() < 0.8)
            if not selects or rng.random() < 0.8:
                vector[f"sel{side}"] = 0
        if clock < 2:  # a known output to begin with
            vector |= {"rsta": 1, "rstb": 1}
        same = vector["ada"] >> 5 == vector["adb"] >> 5
        if same and not both_write and vector["wea"]:
            vector["web"] = 0
        found.append(vector)
    return found


@dataclass(frozen=True)
class Instance:
    """A block RAM: how it is written in Verilog, and what should come out of it."""

    title: str
    verilog: Callable[[int, str], str]  # of its number and of its contents
    lane: int
    ports: Callable[[], tuple[Port, Port]]
    # What the ports are asked for, of a vector.
    asked: Callable[[Mapping[str, int]], tuple[Access, Access]]
    shown: tuple[tuple[int, int], ...] = field(default=((0, 0),))  # port, first bit of the output


def contents_of(lane: int) -> Bits:
    """Bits that every memory with lanes of 8 or 9 bits begins with."""
    return np.random.default_rng(lane).integers(0, 2, 2048 * lane).astype(np.uint8)


@cache
def initial(lane: int, name: str, step: int, used: int) -> str:
    """Parameters with the contents: `used` bits of every `step`, the rest of each step left out."""
    bits = contents_of(lane)
    part = len(bits) // 64  # per parameter
    texts = []
    for k in range(64):
        row, number = bits[k * part : (k + 1) * part], 0
        for place in range(part):
            number |= int(row[place]) << (place // used * step + place % used)
        texts.append(f".{name}_{k:02X}({part // used * step}'h{number:x})")
    return ", ".join(texts)


def check(instances: Sequence[Instance], models: Sequence[Path], outputs: int, folder: Path,
          vectors: Sequence[Mapping[str, int]]) -> float:  # fmt: skip
    """Compare every known bit, and return which share of all bits is known."""
    texts = [instance.verilog(k, f"out{k}") for k, instance in enumerate(instances)]
    got = run(bench(texts, outputs), models, vectors, folder)
    told = all_bits = 0
    for k, instance in enumerate(instances):
        ports = instance.ports()
        memory = Memory(instance.lane, contents_of(instance.lane), ports)
        for clock, (vector, answer) in enumerate(zip(vectors, got, strict=True)):
            memory.clock(instance.asked(vector))
            word = answer >> outputs * k
            for side, first in instance.shown:
                value, known = ports[side].output
                assert (word >> first ^ value) & known == 0, (
                    f"{instance.title}, port {'AB'[side]}, clock {clock}: {value:x} expected, "
                    f"{word >> first & (1 << ports[side].width) - 1:x} seen, {known:x} known"
                )
                told += known.bit_count()
                all_bits += ports[side].width
    return told / all_bits


def with_corners(vectors: list[dict[str, int]], widths: Sequence[int]) -> list[dict[str, int]]:
    """Put the least and greatest operands of each width into some of the vectors."""
    rng = np.random.default_rng(9)
    corners = [code for n in widths for code in (0, 1, (1 << n) - 1, 1 << n - 1, (1 << n - 1) - 1)]
    for vector in vectors[::3]:
        vector["dia"], vector["dib"] = (int(code) for code in rng.choice(corners, 2))
    return vectors


def operand(code: int, width: int, signed: int) -> int:
    """Number that the low bits of a code stand for."""
    low = code & (1 << width) - 1
    return low - (1 << width) if signed and low >> width - 1 else low
