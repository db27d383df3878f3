"""Arrays of forms, for the reference: its own code runs on them as it stands.

`Wholes` is accepted by the numpy functions that the reference uses, so that what is proved is held
against ``RingReference.step`` and the readout themselves, and not against a copy of them.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from rchw.sim.prove.forms import Form, Forms, number

__all__ = ["Wholes"]


class Wholes(NDArrayOperatorsMixin):
    """Array of integers that depend on unknowns.

    Parameters
    ----------
    forms : Forms
    items : object array
        Of `Form` or int.
    """

    def __init__(self, forms: Forms, items: Any) -> None:
        self._forms = forms
        self.items = _items(items)

    def __array_ufunc__(self, ufunc: Any, method: str, *values: Any, **options: Any) -> Any:
        if method != "__call__" or options:
            return NotImplemented
        items = [_items(value) for value in values]
        if ufunc is np.matmul:
            return self._matmul(*items)
        if ufunc not in _UFUNCS:
            return NotImplemented
        combine = _UFUNCS[ufunc]
        return self._each(lambda a, b: combine(self._forms, _form(a), _form(b)), *items)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function in (np.concatenate, np.stack):
            return Wholes(self._forms, function([_items(part) for part in args[0]], **kwargs))
        values = [_items(value) for value in args]
        if function is np.where:
            forms = self._forms
            return self._each(lambda c, a, b: forms.choose(*map(_form, (c, a, b))), *values)
        if function is np.roll:
            return Wholes(self._forms, np.roll(*values, **kwargs))
        if function is np.take_along_axis:
            entries = tuple(int(entry) for entry in values[0])
            return self._each(lambda index: self._forms.entry(entries, _form(index)), values[1])
        return NotImplemented

    def _each(self, function: Callable[..., Form], *values: Any) -> "Wholes":
        return Wholes(self._forms, np.frompyfunc(function, len(values), 1)(*values))

    def _matmul(self, a: Any, b: Any) -> "Wholes":
        result = np.empty((a.shape[0], b.shape[1]), dtype=object)
        for row, column in np.ndindex(result.shape):
            total = number(0)
            for x, y in zip(a[row], b[:, column], strict=True):
                total = self._forms.add(total, self._forms.multiply(_form(x), _form(y)))
            result[row, column] = total
        return Wholes(self._forms, result)

    def __getitem__(self, key: Any) -> "Wholes":
        return Wholes(self._forms, self.items[key])

    def __len__(self) -> int:
        return len(self.items)

    def argmax(self, axis: int) -> "Wholes":
        """Place of the greatest of each row (T, L), of the first of equals: shape (T,)."""
        assert axis == 1
        return Wholes(self._forms, [_greatest(self._forms, row) for row in self.items])

    def astype(self, dtype: Any) -> "Wholes":
        """The same: these integers have no type to change."""
        return self

    def form(self, *index: int) -> Form:
        """One of the integers."""
        return _form(self.items[index])


def _form(value: Any) -> Form:
    return value if isinstance(value, Form) else number(operator.index(value))


def _items(value: Any) -> Any:
    return value.items if isinstance(value, Wholes) else np.asarray(value, dtype=object)


def _greatest(forms: Forms, row: Any) -> Form:
    """Place of the greatest, by rounds in which neighbours meet."""
    level = [(_form(item), number(place)) for place, item in enumerate(row)]
    while len(level) > 1:
        odd = level[len(level) - len(level) % 2 :]
        met = []
        for (a, first), (b, second) in zip(level[::2], level[1::2], strict=False):
            later = number(1) - _at_least(forms, a, b)
            met.append((forms.choose(later, b, a), forms.choose(later, second, first)))
        level = met + odd
    return level[0][1]


def _mask(forms: Forms, a: Form, ones: Form) -> Form:
    value = ones.number
    assert value is not None and value & (value + 1) == 0
    bits = value.bit_length()
    lowest = forms.subtract(a, forms.floor(a, bits).scaled(1 << bits))
    return forms.within(lowest, 0, value)


def _shift(forms: Forms, a: Form, count: Form) -> Form:
    assert count.number is not None
    return forms.floor(a, count.number)


def _at_least(forms: Forms, a: Form, b: Form) -> Form:
    return forms.at_least_zero(forms.subtract(a, b))


def _maximum(forms: Forms, a: Form, b: Form) -> Form:
    (a0, a1), (b0, b1) = forms.bounds(a), forms.bounds(b)
    chosen = forms.choose(_at_least(forms, a, b), a, b)
    return forms.within(chosen, max(a0, b0), max(a1, b1))


def _minimum(forms: Forms, a: Form, b: Form) -> Form:
    (a0, a1), (b0, b1) = forms.bounds(a), forms.bounds(b)
    chosen = forms.choose(_at_least(forms, a, b), b, a)
    return forms.within(chosen, min(a0, b0), min(a1, b1))


_UFUNCS: dict[Any, Callable[[Forms, Form, Form], Form]] = {
    np.add: Forms.add,
    np.subtract: Forms.subtract,
    np.multiply: Forms.multiply,
    np.right_shift: _shift,
    np.bitwise_and: _mask,
    np.greater_equal: _at_least,
    np.maximum: _maximum,
    np.minimum: _minimum,
}
