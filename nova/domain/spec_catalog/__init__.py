"""The extra specs that the system understands: one module a namespace, each a table."""

import dataclasses
import re

from nova.common import folder

TRUE = frozenset({'1', 't', 'true', 'on', 'y', 'yes'})
GROUP = r'[a-zA-Z0-9_-]{0,64}'
"""Suffix of a request group; empty is the group without one."""
FALSE = frozenset({'0', 'f', 'false', 'off', 'n', 'no'})


@dataclasses.dataclass(frozen=True, slots=True)
class Text:
    """Text, which may have to fit a pattern."""

    pattern: str | None = None

    def wrong(self, value: str) -> str | None:
        """What is wrong with a value; None when nothing is."""
        if self.pattern is None or re.fullmatch(self.pattern, value):
            return None
        return f'it must match {self.pattern}'


@dataclasses.dataclass(frozen=True, slots=True)
class Integer:
    """A whole number, within bounds."""

    low: int | None = None
    high: int | None = None

    def wrong(self, value: str) -> str | None:
        if not re.fullmatch(r'[+-]?\d+', value.strip()):
            return 'it must be an integer'
        number = int(value)
        if self.low is not None and number < self.low:
            return f'it must be at least {self.low}'
        if self.high is not None and number > self.high:
            return f'it must be at most {self.high}'
        return None


@dataclasses.dataclass(frozen=True, slots=True)
class Truth:
    """Yes or no, in the usual words."""

    def wrong(self, value: str) -> str | None:
        return None if value.strip().lower() in TRUE | FALSE else 'it must be a boolean'


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]

    def wrong(self, value: str) -> str | None:
        return None if value in self.words else f'it must be one of {", ".join(self.words)}'


Kind = Text | Integer | Truth | Choice


@dataclasses.dataclass(frozen=True, slots=True)
class Spec:
    """An extra spec.

    Attributes:
        name: may hold ``{parameters}``: ``{group}`` may be empty, the others not.
        help: what it does, for the reference.
    """

    name: str
    kind: Kind
    help: str

    @property
    def pattern(self) -> str:
        """Regular expression of the names it stands for."""
        parts = {'{group}': GROUP, '{id}': r'\d+', '{name}': r'.+',
                 '{class}': r'[A-Z0-9_]+', '{trait}': r'[A-Z0-9_]+'}
        return ''.join(parts.get(word, re.escape(word)) for word in re.split(r'(\{\w+\})', self.name))


def catalog() -> list[Spec]:
    """Every known extra spec, by namespace and name."""
    found: list[Spec] = []
    for module in folder.modules(__name__):
        found += module.SPECS
    return found
