"""The three errors of rchw; each message is one sentence and the command line exits with 2."""

__all__ = ["DesignError", "MismatchError", "RchwError", "ToolError"]


class RchwError(Exception):
    """Base of every error that rchw raises on purpose."""


class DesignError(RchwError, ValueError):
    """A value given by the user breaks a rule; the message names the thing, the rule, the value."""


class MismatchError(RchwError, AssertionError):
    """Two witnesses disagree: the message names the first differing code."""


class ToolError(RchwError, RuntimeError):
    """An external tool is missing, too old, or did not deliver what was asked of it."""
