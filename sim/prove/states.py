"""The state pass: every unit's next state equals the reference's, for every state and every input.

The emitted Verilog runs on unknowns, sample after sample. Whenever the new state of a unit arrives,
the solver is asked whether it can differ from what ``RingReference.step`` says of the states before
and the input, or leave the range that the design claims; then an unknown of that range takes its
place. So a question is as small as one unit, and what follows holds for every state there can be.

Four samples are run: the first after a reset, whose states before are the initial ones; two more,
the second of which ends a sequence; and one after that end. In each, the circuit is still at work
on the sample before. What is proved is proved of inputs and outputs that never wait: that pauses
change no data is not shown here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import z3

from rchw.design import Design
from rchw.errors import ToolError
from rchw.hdl.emit import write_verilog
from rchw.ranges import Interval, state_interval
from rchw.reference.ring import RingReference
from rchw.schedule import latency, schedule
from rchw.sim.lanes import lane_bytes
from rchw.sim.prove.circuit import Circuit
from rchw.sim.prove.wholes import Whole, Wholes, unknown
from rchw.sim.prove.words import elaborate

__all__ = ["Counterexample", "StateProof", "prove_states"]

SAMPLES, ENDING = 4, 2  # samples run, and the one with tlast
_RESET_CLOCKS = 4
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Counterexample:
    """Where circuit and reference part.

    Attributes
    ----------
    sample, unit : int
    circuit, reference : int
        Code of the new state.
    given : mapping of str to int
        States before, ``x<sample>_<unit>``, and input codes, ``u<sample>_<channel>``, that matter.
    """

    sample: int
    unit: int
    circuit: int
    reference: int
    given: dict[str, int]


@dataclass(frozen=True)
class StateProof:
    """What `prove_states` found.

    Attributes
    ----------
    proved : int
        New states that equal the reference's.
    unanswered : tuple of (sample, unit)
        Of which the solver could not tell in time.
    counterexample : Counterexample, optional
        Of the first that does not; nothing after it was asked.
    """

    proved: int
    unanswered: tuple[tuple[int, int], ...]
    counterexample: Counterexample | None

    @property
    def holds(self) -> bool:
        """Whether all were proved."""
        return self.counterexample is None and not self.unanswered


def prove_states(
    design: Design,
    folder: Path,
    *,
    verilog: Path | None = None,
    timeout: float = 60.0,
    progress: Progress | None = None,
) -> StateProof:
    """Prove the state pass of a circuit against the reference.

    Parameters
    ----------
    design : Design
    folder : Path
        For what Yosys reads and writes.
    verilog : Path, optional
        Held against the design instead of what is emitted for it.
    timeout : float
        Seconds for one question.
    progress : callable, optional
        Called with (states proved, states in all).

    Raises
    ------
    ToolError
        If Yosys fails, or the circuit cannot be run so.
    """
    source = verilog or write_verilog(design, folder)
    circuit = Circuit(elaborate(source, design.name, folder))
    run = _Run(design, circuit, timeout)
    proved, total = 0, SAMPLES * design.n_units
    unanswered: list[tuple[int, int]] = []
    for sample, unit in run.states():
        answer = run.compare(sample, unit)
        if isinstance(answer, Counterexample):
            return StateProof(proved, tuple(unanswered), answer)
        proved += answer
        if not answer:
            unanswered.append((sample, unit))
        if progress is not None:
            progress(proved, total)
    return StateProof(proved, tuple(unanswered), None)


class _Run:
    """A circuit and a reference on the same unknowns."""

    def __init__(self, design: Design, circuit: Circuit, timeout: float) -> None:
        self._design, self._circuit = design, circuit
        self._reference = RingReference(design, object)
        self._range = state_interval(design.layer)
        self._solver = z3.SolverFor("QF_BV")
        self._solver.set("timeout", max(1, round(1000 * timeout)))
        self._expected: list[Wholes] = []
        self._inputs: list[list[Whole]] = []
        for code in design.layer.initial_state:
            assert self._range.low <= code <= self._range.high
        initial = Wholes(self._reference.initial_state())
        self._before: dict[int, dict[int, Any]] = {
            0: {unit: initial.whole(unit) for unit in range(design.n_units)}
        }

    def states(self) -> Any:
        """Run the circuit; yield (sample, unit) when the new state of a unit has arrived."""
        design, circuit = self._design, self._circuit
        plan, lanes = schedule(design), design.layer.lanes
        handshake = {"s_axis_tvalid": 1, "m_axis_tready": 1}
        for _ in range(_RESET_CLOCKS):
            circuit.settle(
                {"aclk": 0, "aresetn": 0, "s_axis_tdata": 0, "s_axis_tlast": 0, **handshake}
            )
            circuit.clock()
        loading = self._loading(plan.parallel)
        loads = 0
        for _ in range((SAMPLES + 1) * plan.clocks + latency(design)):
            sample = len(self._inputs)
            word, codes = self._input_word(sample)
            ending = int(sample == ENDING)
            circuit.settle({"aresetn": 1, "s_axis_tdata": word, "s_axis_tlast": ending})
            if circuit.number("s_axis_tready"):
                self._inputs.append(codes)
            arrives = all(circuit.number(name) for name in loading)
            circuit.clock()
            if not arrives:
                continue
            of, index = divmod(loads, plan.words)
            loads += 1
            for lane in range(lanes):
                unit = (plan.words - 1 - index) * lanes + lane
                if unit < design.n_units:
                    yield of, unit
            if loads == SAMPLES * plan.words:
                return
        raise ToolError(
            f"{design.name} must take {SAMPLES} samples, but did not within their clocks"
        )

    def _loading(self, parallel: bool) -> tuple[str, ...]:
        """Signals that are high in the clock before new states stand in their registers."""
        if parallel:
            return ("core.go", "core.valid_1")
        names = self._circuit.words.names
        prefix = "core.issued_"
        stages = [int(name.removeprefix(prefix)) for name in names if name.startswith(prefix)]
        if not stages:
            raise ToolError(f"the circuit must have the signals {prefix}*, but does not")
        return (f"{prefix}{max(stages) - 1}",)

    def _input_word(self, sample: int) -> tuple[Any, list[Whole]]:
        """A beat of unknown codes; the bits above them in their lanes are unknown as well."""
        parts, codes = [], []
        for k, channel in enumerate(self._design.inputs):
            fmt, name = channel.format, f"u{sample}_{k}"
            codes.append(unknown(name, fmt.min, fmt.max))
            parts.append(z3.BitVec(name, fmt.width))
            above = 8 * lane_bytes(fmt) - fmt.width
            if above:
                parts.append(z3.BitVec(f"above_{name}", above))
        return parts[0] if len(parts) == 1 else z3.Concat(*reversed(parts)), codes

    def _step(self, sample: int) -> Wholes:
        """States after a sample, by the reference."""
        while len(self._expected) <= sample:
            number = len(self._expected)
            known = self._before[number]
            before: Any = Wholes([known[unit] for unit in range(self._design.n_units)])
            if self._design.reset_on_last and number == ENDING + 1:
                before = self._reference.initial_state()
            inputs: Any = Wholes(self._inputs[number])
            after: Any = self._reference.step(before, inputs)
            self._expected.append(after)
        return self._expected[sample]

    def compare(self, sample: int, unit: int) -> Counterexample | bool:
        """Ask the solver of one new state, and put an unknown in its place.

        Returns
        -------
        Counterexample or bool
            Or whether they were proved equal; false if the solver did not answer in time.
        """
        circuit, width = self._circuit, self._design.layer.state.width
        expected = self._step(sample).whole(unit)
        name = f"core.x{unit % self._design.layer.lanes}"
        register = circuit.term(name)
        wide = max(width, expected.range.width)
        found = z3.SignExt(wide - width, register)
        inside = z3.And(found >= self._range.low, found <= self._range.high)
        self._solver.push()
        self._solver.add(z3.Not(z3.And(found == expected.extended(wide), inside)))
        answer = self._solver.check()
        result: Counterexample | bool = bool(answer == z3.unsat)
        if answer == z3.sat:
            model = self._solver.model()
            result = Counterexample(
                sample,
                unit,
                model.eval(found, model_completion=True).as_signed_long(),
                model.eval(expected.term, model_completion=True).as_signed_long(),
                _given(model, self._design),
            )
        self._solver.pop()
        self._before.setdefault(sample + 1, {})[unit] = self._unknown(sample + 1, unit)
        circuit.cut(name, z3.BitVec(f"x{sample + 1}_{unit}", width))
        return result

    def _unknown(self, sample: int, unit: int) -> Whole:
        """A state of which only its range is known, which is assumed from here on."""
        width = self._design.layer.state.width
        term = z3.BitVec(f"x{sample}_{unit}", width)
        low, high = self._range.low, self._range.high
        if Interval(low, high).width > width:
            raise ToolError(f"states from {low} to {high} must fit {width} bits, but do not")
        self._solver.add(term >= low, term <= high)
        needed = Interval(low, high).width
        return Whole(z3.Extract(needed - 1, 0, term), Interval(low, high))


def _given(model: Any, design: Design) -> dict[str, int]:
    """Values of the states and inputs in a model."""
    given = {}
    for declaration in model.decls():
        name, value = declaration.name(), model[declaration]
        if name[0] == "u" and name[1:2].isdigit():
            signed = design.inputs[int(name.partition("_")[2])].format.signed
            given[name] = value.as_signed_long() if signed else value.as_long()
        elif name[0] == "x":
            given[name] = value.as_signed_long()
    return given
