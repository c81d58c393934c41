"""Regular expressions of users, which mean the same in Python, SQLite, MariaDB and PostgreSQL.

What all of them can say is read, and written anew in each one's words: literals, ``.``, ``^``, ``$``, sets such
as ``[^a-z]``, ``\\d \\w \\s`` (of ASCII) and their opposites, groups, alternatives and repetitions. All else
(flags, looking around, references to groups) is refused, as is what is too large with its repetitions written
out.

In Python an expression is searched for by following all its ways at once, so that no text takes it long.
"""

import functools
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_LONGEST = 1000
_MOST_TIMES = 255
"""PostgreSQL counts no further."""
_MOST_STATES = 2000
_DEEPEST = 20
_TOP = 0x10ffff

Ranges = tuple[tuple[int, int], ...]

_CLASSES: dict[str, Ranges] = {
    'd': ((48, 57),), 'w': ((48, 57), (65, 90), (95, 95), (97, 122)), 's': ((9, 13), (32, 32))}
_CONTROLS = {'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'v': '\v'}
_COUNT = re.compile(r'\{(?:(\d{1,6})(,(\d{0,6}))?|(,)(\d{1,6}))\}')
_OPEN = re.compile(r'\((?:\?(?::|P<[A-Za-z_]\w*>))?(?!\?)')
_CODE = re.compile(r'\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))')


class One(NamedTuple):
    """One character of a set."""

    ranges: Ranges


class Edge(NamedTuple):
    """The beginning of the text, or its end."""

    end: bool


class Repeat(NamedTuple):
    of: 'Node'
    low: int
    high: int | None


class Chain(NamedTuple):
    parts: tuple['Node', ...]


class Choice(NamedTuple):
    of: tuple['Node', ...]


Node = One | Edge | Repeat | Chain | Choice


class Wrong(ValueError):
    """No regular expression, or one that not all databases would understand."""


def _opposite(ranges: Ranges) -> Ranges:
    found, start = [], 0
    for low, high in sorted(ranges):
        if low > start:
            found.append((start, low - 1))
        start = max(start, high + 1)
    return tuple([*found, (start, _TOP)] if start <= _TOP else found)


_ANY = One(_opposite(((10, 10),)))


class _Reader:
    """Reads one expression, from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0

    def whole(self) -> Node:
        found = self._choice()
        if self.at < len(self.text):
            raise Wrong('a ")" closes nothing')
        return found

    def _peek(self) -> str:
        return self.text[self.at:self.at + 1]

    def _choice(self) -> Node:
        ways = [self._chain()]
        while self._peek() == '|':
            self.at += 1
            ways.append(self._chain())
        return ways[0] if len(ways) == 1 else Choice(tuple(ways))

    def _chain(self) -> Node:
        parts: list[Node] = []
        while self._peek() not in ('', '|', ')'):
            parts.append(self._repeated(self._atom()))
        return parts[0] if len(parts) == 1 else Chain(tuple(parts))

    def _repeated(self, atom: Node) -> Node:
        times = self._times()
        if times is None:
            return atom
        if isinstance(atom, Edge):
            raise Wrong('an edge of the text cannot be repeated')
        if self._peek() == '?':  # as few as possible: whether there is a match is the same
            self.at += 1
        if self._times() is not None:
            raise Wrong('what is repeated already cannot be repeated')
        return Repeat(atom, *times)

    def _times(self) -> tuple[int, int | None] | None:
        simple = {'*': (0, None), '+': (1, None), '?': (0, 1)}.get(self._peek())
        if simple is not None:
            self.at += 1
            return simple
        found = _COUNT.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        low = int(found[1] or 0)
        last = found[5] if found[4] else found[3] if found[2] else found[1]
        high = int(last) if last else None
        if max(low, high or 0) > _MOST_TIMES:
            raise Wrong(f'nothing can be repeated more than {_MOST_TIMES} times')
        if high is not None and high < low:
            raise Wrong('the greater number of repetitions comes first')
        return low, high

    def _atom(self) -> Node:
        char = self._peek()
        if char == '(':
            return self._group()
        if char == '[':
            return One(self._set())
        if char == '\\':
            return One(self._escape())
        if char in '*+?' or _COUNT.match(self.text, self.at):
            raise Wrong('there is nothing to repeat')
        self.at += 1
        if char == '.':
            return _ANY
        return Edge(char == '$') if char in '^$' else One(((ord(char), ord(char)),))

    def _group(self) -> Node:
        opened = _OPEN.match(self.text, self.at)
        if opened is None:
            raise Wrong('flags, looking around and other extensions are not supported')
        self.depth += 1
        if self.depth > _DEEPEST:
            raise Wrong('groups are too deep in one another')
        self.at = opened.end()
        found = self._choice()
        if self._peek() != ')':
            raise Wrong('a "(" is not closed')
        self.at += 1
        self.depth -= 1
        return found

    def _escape(self) -> Ranges:
        code = _CODE.match(self.text, self.at)
        if code is not None:
            self.at = code.end()
            number = int(code[1] or code[2] or code[3], 16)
            if number > _TOP or 0xd800 <= number < 0xe000 or number == 0:
                raise Wrong('there is no such character')
            return ((number, number),)
        char = self.text[self.at + 1:self.at + 2]
        self.at += 2
        if char.lower() in _CLASSES:
            ranges = _CLASSES[char.lower()]
            return ranges if char.islower() else _opposite(ranges)
        char = _CONTROLS.get(char, char)
        if not char or (char.isalnum() and char.isascii()):
            raise Wrong(f'"\\{char}" is not supported')
        return ((ord(char), ord(char)),)

    def _set(self) -> Ranges:
        self.at += 1
        negative = self._peek() == '^'
        self.at += negative
        found: list[tuple[int, int]] = []
        first = True
        while first or self._peek() != ']':
            low = self._member()
            if self._peek() == '-' and self.text[self.at + 1:self.at + 2] not in (']', ''):
                self.at += 1
                high = self._member()
                if len(low) > 1 or len(high) > 1 or low[0][0] != low[0][1] or high[0][0] < low[0][0]:
                    raise Wrong('a range in a set has no order')
                low = ((low[0][0], high[0][1]),)
            found += low
            first = False
        self.at += 1
        return _opposite(tuple(found)) if negative else tuple(found)

    def _member(self) -> Ranges:
        char = self._peek()
        if not char:
            raise Wrong('a "[" is not closed')
        if char == '\\':
            return self._escape()
        if char == '[':  # sets in sets are another thing in each of them
            raise Wrong('"[" in a set has to be written "\\["')
        self.at += 1
        return ((ord(char), ord(char)),)


# In the words of databases ---------------------------------------------------------------------

Spell = Callable[[int], str]


def _written(node: Node, spell: Spell) -> str:
    if isinstance(node, One):
        return _set_written(node.ranges, spell)
    if isinstance(node, Edge):
        return '$' if node.end else '^'
    if isinstance(node, Chain):
        return ''.join(_written(part, spell) for part in node.parts) or '(?:)'
    if isinstance(node, Choice):
        return '(?:' + '|'.join(_written(way, spell) for way in node.of) + ')'
    times = f'{{{node.low},{"" if node.high is None else node.high}}}'
    return f'(?:{_written(node.of, spell)}){times}'


def _set_written(ranges: Ranges, spell: Spell) -> str:
    if len(ranges) == 1 and ranges[0][0] == ranges[0][1]:
        return spell(ranges[0][0])
    without = any(high == _TOP for _, high in ranges) and _opposite(ranges)
    inside = ''.join(f'{spell(max(low, 1))}-{spell(high)}' for low, high in without or ranges)
    return f'[^{inside}]' if without else f'[{inside}]'


def _plain(number: int) -> bool:
    return chr(number).isascii() and chr(number).isalnum()


def _pcre(number: int) -> str:
    return chr(number) if _plain(number) else f'\\x{{{number:x}}}'


def _are(number: int) -> str:
    return chr(number) if _plain(number) else f'\\U{number:08x}'


# In Python -------------------------------------------------------------------------------------

class _Ways:
    """An expression as states: what each takes, and where it leads to."""

    def __init__(self, node: Node) -> None:
        self.takes: list[Ranges | None] = []
        self.edges: list[Edge | None] = []
        self.leads: list[list[int]] = []
        self.first = self._state()
        self.last = self._add(node, self.first)

    def _state(self) -> int:
        if len(self.leads) >= _MOST_STATES:
            raise Wrong('it is too large')
        self.takes.append(None)
        self.edges.append(None)
        self.leads.append([])
        return len(self.leads) - 1

    def _add(self, node: Node, start: int) -> int:
        """Add the ways of `node` from a state on; the state to which all of them lead."""
        if isinstance(node, Chain):
            for part in node.parts:
                start = self._add(part, start)
            return start
        if isinstance(node, Choice):
            end = self._state()
            for way in node.of:
                enter = self._state()
                self.leads[start].append(enter)
                self.leads[self._add(way, enter)].append(end)
            return end
        if isinstance(node, Repeat):
            return self._repeat(node, start)
        step, end = self._state(), self._state()
        self.leads[start].append(step)
        self.leads[step].append(end)
        if isinstance(node, One):
            self.takes[step] = node.ranges
        else:
            self.edges[step] = node
        return end

    def _repeat(self, node: Repeat, start: int) -> int:
        for _ in range(node.low):
            start = self._add(node.of, start)
        if node.high is None:
            loop = self._state()
            self.leads[start].append(loop)
            self.leads[self._add(node.of, loop)].append(loop)
            start = loop
        exits = [start]
        for _ in range((node.high or 0) - node.low):
            start = self._add(node.of, start)
            exits.append(start)
        end = self._state()
        for one in exits:
            self.leads[one].append(end)
        return end

    def _reach(self, states: Iterator[int] | list[int], at: int, length: int) -> set[int]:
        """The states that can be reached without taking anything."""
        found: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state in found:
                continue
            found.add(state)
            edge = self.edges[state]
            stays = self.takes[state] is not None or (
                edge is not None and (at != length if edge.end else at != 0))
            if not stays:
                waiting += self.leads[state]
        return found

    def search(self, text: str) -> bool:
        now: set[int] = set()
        for at in range(len(text) + 1):
            now = self._reach([*now, self.first], at, len(text))
            if self.last in now:
                return True
            if at < len(text):
                code = ord(text[at])
                now = {self.leads[state][0] for state in now if (ranges := self.takes[state]) is not None
                       and any(low <= code <= high for low, high in ranges)}
        return False


def _literal(node: Node) -> str:
    """The longest text that is part of whatever the expression fits."""
    runs = ['']
    for part in node.parts if isinstance(node, Chain) else (node,):
        if isinstance(part, One) and len(part.ranges) == 1 and part.ranges[0][0] == part.ranges[0][1]:
            runs[-1] += chr(part.ranges[0][0])
        elif not isinstance(part, Edge):
            runs.append('')
    return max(runs, key=len)


class Expression:
    """One expression.

    Attributes:
        pcre, are: the same for MariaDB and for PostgreSQL.
        literal: the longest text that is certainly in what it fits.
    """

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise Wrong(f'it has more than {_LONGEST} characters')
        node = _Reader(text).whole()
        self._ways = _Ways(node)
        self.pcre = _written(node, _pcre)
        self.are = _written(node, _are)
        self.literal = _literal(node)

    def search(self, text: str) -> bool:
        """Whether it is found anywhere in the text."""
        return self._ways.search(text)


@functools.lru_cache(200)
def read(text: str) -> Expression:
    """The expression.

    Raises:
        Wrong: it is none, or is not understood everywhere, or is too large.
    """
    return Expression(text)
