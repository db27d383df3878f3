"""A circuit run clock by clock on unknowns: what is a number stays one, the rest becomes forms.

What controls a circuit of this project never depends on data. So when its handshakes are given,
every counter, address and enable stays a number, and forms arise only where data are combined.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from rchw.errors import ToolError
from rchw.sim.prove.forms import Form, Forms, number
from rchw.sim.prove.words import Bit, Cell, Memory, Words

__all__ = ["Bits", "Circuit", "Contents", "Value", "bits_of"]

Value = int | tuple[Form, int]  # of one bit: it, or a form and which of its bits
Bits = tuple[Value, ...]
Contents = dict[str, Bits]  # of a register by its first bit, of a memory's row by name and number


def bits_of(forms: Forms, form: Form, width: int) -> Bits:
    """Lowest bits of a form; those above its sign are its sign."""
    value = form.number
    if value is not None:
        return tuple((value >> k) & 1 for k in range(width))
    low, high = forms.bounds(form)
    if low >= 0:
        used = min(high.bit_length(), width)
        return (*((form, k) for k in range(used)), *(0,) * (width - used))
    sign = max((-low - 1).bit_length(), high.bit_length() if high > 0 else 0)
    return tuple((form, min(k, sign)) for k in range(width))


class Circuit:
    """Signals of a circuit whose data may be unknown.

    Parameters
    ----------
    words : Words
    forms : Forms
    named : callable, optional
        Is shown every sum, and may return what it is called: an equal form that is shorter.

    Attributes
    ----------
    context : hashable
        On what else `named` depends.
    """

    def __init__(
        self, words: Words, forms: Forms, named: Callable[[Form], Form] = lambda form: form
    ) -> None:
        self.words, self.forms = words, forms
        self._named = named
        self._values: dict[Bit, Value] = {"0": 0, "1": 1}
        self._rows: dict[str, list[Bits]] = {}
        self._wholes: dict[tuple[Bits, bool], Form] = {}
        self._evaluated: dict[object, dict[tuple[str, Bits, Bits, Bits], Bits]] = {}
        self.context: object = None
        self._fresh = 0
        for memory in words.memories:
            self._rows[memory.name] = [
                self.unknown(memory.width)
                if row is None
                else tuple((row >> k) & 1 for k in range(memory.width))
                for row in memory.rows
            ]
        for outputs, _ in words.registers:
            self._set(outputs, self.unknown(len(outputs)))
        self._values["x"] = self.unknown(1)[0]

    def unknown(self, width: int, name: str = "") -> Bits:
        """Bits of which nothing is known."""
        self._fresh += not name
        form = self.forms.unknown(name or f"any{self._fresh}", 0, (1 << width) - 1)
        return bits_of(self.forms, form, width)

    def settle(
        self, inputs: Mapping[str, Bits], nodes: Iterable[Cell | tuple[Memory, int]]
    ) -> None:
        """Set inputs and work out the signals that these nodes drive, in their order."""
        for name, bits in inputs.items():
            self._set(self.words.inputs[name], bits)
        known = self._evaluated.setdefault(self.context, {})
        for node in nodes:
            if not isinstance(node, Cell):
                self._read(*node)
                continue
            pins = node.pins
            a, b, select = (self._get(pins[pin]) if pin in pins else () for pin in "ABS")
            key = (node.name, a, b, select)
            result = known.get(key)
            if result is None:
                result = known[key] = self._evaluate(node, a, b, select)
            self._set(pins["Y"], result)

    def clock(self) -> None:
        """Let the edge pass; signals other than registers are those of before until `settle`."""
        changes = [(outputs, self._get(inputs)) for outputs, inputs in self.words.registers]
        for memory in self.words.memories:
            for enable, address, data in memory.writes:
                self._write(memory, self._get(enable), self._get(address), self._get(data))
        for outputs, bits in changes:
            self._set(outputs, bits)

    def bits(self, name: str) -> Bits:
        """Value of a named signal."""
        return self._get(self.words.names[name])

    def at(self, wires: Sequence[Bit]) -> Bits:
        """Values of these wires."""
        return self._get(wires)

    def number(self, name: str) -> int:
        """Value of a signal that must be a number.

        Raises
        ------
        ToolError
            If it depends on unknowns.
        """
        value = _number(self.bits(name))
        if value is None:
            raise ToolError(f"{name} must not depend on data, but does")
        return value

    def number_or_none(self, name: str) -> int | None:
        """Value of a signal; none if it depends on unknowns."""
        return _number(self.bits(name))

    def whole(self, bits: Bits, signed: bool) -> Form:
        """Bits as an integer, with or without a sign."""
        key = (bits, signed)
        found = self._wholes.get(key)
        if found is None:
            found = self._wholes[key] = self._whole(bits, signed)
        return found

    @property
    def contents(self) -> Contents:
        """What the registers and the memories that can be written hold."""
        held = {str(outputs[0]): self._get(outputs) for outputs, _ in self.words.registers}
        for memory in self.words.memories:
            if memory.writes:
                for row, bits in enumerate(self._rows[memory.name]):
                    held[f"{memory.name}[{row}]"] = bits
        return held

    @contents.setter
    def contents(self, held: Contents) -> None:
        for outputs, _ in self.words.registers:
            self._set(outputs, held[str(outputs[0])])
        for memory in self.words.memories:
            if memory.writes:
                self._rows[memory.name] = [
                    held[f"{memory.name}[{row}]"] for row in range(len(memory.rows))
                ]

    def _get(self, wires: Sequence[Bit]) -> Bits:
        values = self._values
        return tuple([values[wire] for wire in wires])

    def _set(self, wires: Sequence[Bit], values: Bits) -> None:
        self._values.update(zip(wires, values, strict=True))

    def _read(self, memory: Memory, port: int) -> None:
        wires, data = memory.reads[port]
        address, rows = self._get(wires), self._rows[memory.name]
        row = _number(address)
        if row is not None and row < len(rows):
            self._set(data, rows[row])
        elif row is None and self._inside(memory, address):
            index = self.whole(address, False)
            half = 1 << (memory.width - 1)
            entries = tuple((entry ^ half) - half for entry in memory.rows if entry is not None)
            self._set(data, bits_of(self.forms, self.forms.entry(entries, index), memory.width))
        else:  # beyond the memory, perhaps, or of a memory before a reset
            self._set(data, self.unknown(memory.width))

    def _inside(self, memory: Memory, address: Bits) -> bool:
        """Whether an address that is no number is one of rows that are known."""
        if memory.writes or None in memory.rows:
            return False
        return self.forms.bounds(self.whole(address, False))[1] < len(memory.rows)

    def _write(self, memory: Memory, enable: Bits, address: Bits, data: Bits) -> None:
        rows, row, mask = self._rows[memory.name], _number(address), _number(enable)
        if mask == 0:
            return
        if row is None or mask is None:  # before a reset: anything may be anywhere
            rows[:] = [self.unknown(memory.width) for _ in rows]
        elif row < len(rows):
            rows[row] = tuple(
                new if mask >> k & 1 else old
                for k, (old, new) in enumerate(zip(rows[row], data, strict=True))
            )

    def _whole(self, bits: Bits, signed: bool) -> Form:
        forms, count = self.forms, len(bits)
        if not signed and count > 1 and bits[-1] == bits[-2] and not isinstance(bits[-1], int):
            sign = self.whole(bits[-1:], False)
            total = forms.add(self.whole(bits, True), sign.scaled(1 << count))
            return forms.within(total, 0, (1 << count) - 1)
        if signed:  # repeated signs say nothing
            while count > 1 and bits[count - 1] == bits[count - 2]:
                count -= 1
        total, start = number(0), 0
        for value, low, length in _runs(bits[:count]):
            end = start + length
            if isinstance(value, int):
                part = number(
                    value
                    - ((1 << length) if signed and end == count and value >> (length - 1) else 0)
                )
            else:
                part = self._piece(value, low, length, signed and end == count)
            total = forms.add(total, forms.multiply(part, number(1 << start)))
            start = end
        if signed:
            return forms.within(total, -(1 << (count - 1)), (1 << (count - 1)) - 1)
        return forms.within(total, 0, (1 << count) - 1)

    def _piece(self, form: Form, low: int, length: int, signed: bool) -> Form:
        """Bits `low` to ``low + length - 1`` of a form."""
        forms = self.forms
        shifted = forms.floor(form, low)
        least, most = forms.bounds(shifted)
        half = 1 << (length - 1)
        if signed:
            if -half <= least and most < half:
                return shifted
            above = forms.floor(shifted.plus(half), length)
        else:
            if least >= 0 and most < 2 * half:
                return shifted
            above = forms.floor(form, low + length)
        least, most = (-half, half - 1) if signed else (0, 2 * half - 1)
        return forms.within(forms.subtract(shifted, above.scaled(2 * half)), least, most)

    def _fitted(self, form: Form, width: int) -> Bits:
        """Lowest bits of a sum, for which a shorter one may do, as only they matter."""
        form = self._named(form)
        if not self._fits(form, width):
            form = form.reduced(width)
            lower = form.plus(-(1 << width))
            form = self._named(lower if self._fits(lower, width) else form)
        return bits_of(self.forms, form, width)

    def _fits(self, form: Form, width: int) -> bool:
        low, high = self.forms.bounds(form)
        half = 1 << (width - 1)
        return (low >= 0 and high < 2 * half) or (-half <= low and high < half)

    def _natural(self, bits: Bits) -> Form:
        """A form of which these are the lowest bits."""
        first = bits[0]
        if not isinstance(first, int) and first[1] == 0:
            form = first[0]
            if self._fits(form, len(bits)) and bits == bits_of(self.forms, form, len(bits)):
                return form
        return self.whole(bits, True)

    def _evaluate(self, cell: Cell, a: Bits, b: Bits, select: Bits) -> Bits:
        numbers, kind, width = cell.numbers, cell.kind, len(cell.pins["Y"])
        signed = bool(numbers.get("A_SIGNED", 0)) and bool(numbers.get("B_SIGNED", 1))
        if kind == "mux":
            return self._choose(select[0], a, b)
        if kind in ("and", "or", "xor", "not"):
            a, b = _extended(a, width, signed), _extended(b, width, signed) if b else ()
            return self._bitwise(kind, a, b)
        forms = self.forms
        if kind in ("reduce_and", "reduce_or", "reduce_bool", "logic_not"):
            return _extended(self._reduce(kind, a), width, False)
        if kind in ("logic_and", "logic_or"):
            pair = self._reduce("reduce_bool", a) + self._reduce("reduce_bool", b)
            kind = "reduce_and" if kind == "logic_and" else "reduce_or"
            return _extended(self._reduce(kind, pair), width, False)
        if kind == "add" and min(len(a), len(b), width) > 1 and 1 in (a[0], b[0]):
            return self._add_with_carry(*((a, b) if a[0] == 1 else (b, a)), width, signed)
        x = self.whole(a, signed)
        if kind == "neg":
            return self._fitted(forms.subtract(number(0), x), width)
        y = self.whole(b, signed)
        if kind in ("add", "sub", "mul"):
            combine = {"add": forms.add, "sub": forms.subtract, "mul": forms.multiply}[kind]
            return self._fitted(combine(x, y), width)
        if kind in _COMPARISONS:
            return _extended(bits_of(forms, _COMPARISONS[kind](forms, x, y), 1), width, False)
        raise ToolError(f"cells must be of a kind that the prover knows, not ${kind}")

    def _add_with_carry(self, a: Bits, b: Bits, width: int, signed: bool) -> Bits:
        """Sum of two numbers of which `a` ends in 1: the last bit of `b` is a carry to the others.

        As arithmetic this is the floor of one half more; so it stays a sum.
        """
        forms, carry = self.forms, self.whole(b[:1], False)
        total = forms.add(self.whole(a[1:], signed), self.whole(b[1:], signed))
        above = self._fitted(forms.add(total, carry), width - 1)
        return self._bitwise("not", b[:1], ()) + above

    def _choose(self, select: Value, a: Bits, b: Bits) -> Bits:
        if isinstance(select, int):
            return b if select else a
        if a == b:
            return a
        condition = self.whole((select,), False)
        chosen = self.forms.choose(condition, self._natural(b), self._natural(a))
        return self._fitted(chosen, len(a))

    def _bitwise(self, kind: str, a: Bits, b: Bits) -> Bits:
        """Bit by bit; of two unknown bits one chooses what becomes of the other."""
        result: list[Value] = []
        for k, x in enumerate(a):
            y: Value = 1 if kind == "not" else b[k]
            if isinstance(y, int):
                x, y = y, x
            if not isinstance(x, int):
                result.append(self._both(kind, x, y))
            elif kind == "and":
                result.append(y if x else 0)
            elif kind == "or":
                result.append(1 if x else y)
            elif x == 0:  # xor; a complement is the exclusive or with one
                result.append(y)
            elif isinstance(y, int):
                result.append(1 - y)
            else:
                result.append((self.forms.subtract(number(-1), y[0]), y[1]))
        return tuple(result)

    def _both(self, kind: str, x: Value, y: Value) -> Value:
        forms = self.forms
        a, b = self.whole((x,), False), self.whole((y,), False)
        if kind == "and":
            form = forms.choose(a, b, number(0))
        elif kind == "or":
            form = forms.choose(a, number(1), b)
        else:
            form = forms.choose(a, number(1) - b, b)
        return bits_of(forms, forms.within(form, 0, 1), 1)[0]

    def _reduce(self, kind: str, a: Bits) -> Bits:
        forms, decisive = self.forms, 0 if kind == "reduce_and" else 1
        unknown = tuple(bit for bit in a if not isinstance(bit, int))
        if any(bit == decisive for bit in a if isinstance(bit, int)):
            result = number(decisive)
        elif not unknown:
            result = number(1 - decisive)
        else:
            whole = self.whole(unknown, False)
            if decisive == 0:
                result = forms.is_zero(whole.plus(1 - (1 << len(unknown))))
            else:
                result = number(1) - forms.is_zero(whole)
        if kind == "logic_not":
            result = number(1) - result
        return bits_of(forms, forms.within(result, 0, 1), 1)


_COMPARISONS: dict[str, Callable[[Forms, Form, Form], Form]] = {
    "eq": lambda forms, a, b: forms.is_zero(forms.subtract(a, b)),
    "ne": lambda forms, a, b: number(1) - forms.is_zero(forms.subtract(a, b)),
    "ge": lambda forms, a, b: forms.at_least_zero(forms.subtract(a, b)),
    "lt": lambda forms, a, b: number(1) - forms.at_least_zero(forms.subtract(a, b)),
    "le": lambda forms, a, b: forms.at_least_zero(forms.subtract(b, a)),
    "gt": lambda forms, a, b: number(1) - forms.at_least_zero(forms.subtract(b, a)),
}


def _number(bits: Bits) -> int | None:
    value = 0
    for k, bit in enumerate(bits):
        if not isinstance(bit, int):
            return None
        value |= bit << k
    return value


def _runs(bits: Bits) -> list[tuple[int | Form, int, int]]:
    """Neighbours taken together: (number or form, its first bit, how many bits)."""
    runs: list[tuple[int | Form, int, int]] = []
    for bit in bits:
        if runs:
            value, low, length = runs[-1]
            if isinstance(bit, int):
                if isinstance(value, int):
                    runs[-1] = (value | bit << length, 0, length + 1)
                    continue
            elif isinstance(value, Form) and bit[1] == low + length and bit[0] == value:
                runs[-1] = (value, low, length + 1)
                continue
        runs.append((bit, 0, 1) if isinstance(bit, int) else (bit[0], bit[1], 1))
    return runs


def _extended(bits: Bits, width: int, signed: bool) -> Bits:
    if len(bits) >= width:
        return bits[:width]
    fill: Value = bits[-1] if signed else 0
    return bits + (fill,) * (width - len(bits))
