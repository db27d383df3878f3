"""A question to the solver can be broken off: Ctrl-C is not an answer."""

import os
import signal
import threading

import pytest

from rchw.sim.prove.forms import Forms, number
from rchw.sim.prove.questions import Questions
from rchw.sim.prove.trial import Trial


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM], ids=str)
def test_an_interruption_ends_a_question(signal_: signal.Signals) -> None:
    """Whether a number has two factors: z3 would try for its whole time, and say it knows not."""
    forms = Forms()
    a, b = (forms.unknown(name, 2, 2**32 - 1) for name in "ab")
    product = forms.multiply(a, b)
    questions = Questions(forms, Trial(4, 0), timeout=50.0)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    usual = signal.signal(signal_, interrupt)
    strike = threading.Timer(0.5, os.kill, (os.getpid(), signal_))
    strike.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            questions.equal(forms.is_zero(product - number(3037000493 * 4294967279)), number(0))
    finally:
        strike.join()
        signal.signal(signal_, usual)
