"""What is known of tempest's tests, with reasons (expected.yaml), and how results compare with it.

A list of entries, each with a ``reason`` and ``tests``: regular expressions, each of which an id must contain.
``skip`` is not run at all; ``fails`` is run and must fail.
"""

import collections
import dataclasses
import pathlib
import re
from collections.abc import Iterable
from typing import Any, Self

import yaml

FILE = pathlib.Path(__file__).with_name('expected.yaml')


@dataclasses.dataclass(frozen=True)
class Result:
    """One test, or the making of a class of them (``setUpClass (...)``)."""

    id: str
    status: str
    said: str = ''
    seconds: float = 0.0

    @property
    def failed(self) -> bool:
        return self.status not in ('success', 'skip')

    @property
    def name(self) -> str:
        """The id without what is not the test's name: ``[id-...,smoke]``."""
        return self.id.partition('[')[0]

    @property
    def why(self) -> str:
        """What was raised; where nothing was, the last line."""
        lines = [line for line in self.said.splitlines() if line.strip()]
        raised = [line for line in lines if re.match(r'[\w.]+: ', line)]
        return next(iter((raised or lines)[-1:]), '')


@dataclasses.dataclass(frozen=True)
class Known:
    """Reason to patterns."""

    entries: tuple[tuple[str, tuple[re.Pattern[str], ...]], ...] = ()

    @classmethod
    def of(cls, listed: list[dict[str, Any]]) -> Self:
        return cls(tuple((one['reason'].strip(), tuple(re.compile(test) for test in one['tests']))
                         for one in listed))

    def reason(self, ident: str) -> str | None:
        """Why a test is on this list, if it is."""
        return next((reason for reason, tests in self.entries
                     if any(test.search(ident) for test in tests)), None)


@dataclasses.dataclass(frozen=True)
class Expectations:
    """Attributes:
        quick: regular expressions of the tests that CI has time for.
        scenarios: of those of tempest.scenario that concern compute.
        changes: patterns of files, and regular expressions of the tests about what such a file does.
        meanwhile: of those that run by themselves, by what has to be so then: with the hosts of one cell, since
            they take any other host for one where a server can go, or while no network is shared.
    """

    skip: Known
    fails: Known
    quick: tuple[str, ...] = ()
    meanwhile: tuple[tuple[str, tuple[str, ...]], ...] = ()
    scenarios: tuple[str, ...] = ()
    changes: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = ()

    def apart(self, ident: str) -> str:
        """What has to be so while a test runs; '' where nothing has."""
        return next((name for name, tests in self.meanwhile
                     if any(re.search(test, ident) for test in tests)), '')

    def about(self, files: Iterable[str]) -> list[str]:
        """Regular expressions of the tests about these files, as they are listed."""
        there = list(files)
        return [test for pattern, tests in self.changes if any(pattern.search(file) for file in there)
                for test in tests]

    @classmethod
    def load(cls, file: pathlib.Path = FILE) -> Self:
        read = yaml.safe_load(file.read_text())
        return cls(Known.of(read['skip']), Known.of(read['fails']), tuple(read['quick']),
                   tuple((name, tuple(tests)) for name, tests in read['meanwhile'].items()),
                   tuple(read['scenarios']),
                   tuple((re.compile(one['files']), tuple(one['tests'])) for one in read['changes']))


@dataclasses.dataclass
class Summary:
    """Results against what is known.

    Attributes:
        left_out: ids of tests that were asked for and are listed as such that are not run.
    """

    known: Expectations
    results: list[Result]
    left_out: tuple[str, ...] = ()

    @property
    def unexpected(self) -> list[Result]:
        """Tests that fail and are not on the list."""
        return [one for one in self.results if one.failed and self.known.fails.reason(one.id) is None]

    @property
    def mended(self) -> list[Result]:
        """Tests that pass and are on the list."""
        return [one for one in self.results if one.status == 'success' and self.known.fails.reason(one.id)]

    @property
    def good(self) -> bool:
        return bool(self.results) and not self.unexpected and not self.mended

    def lines(self) -> Iterable[str]:
        """What a person wants to read, the important last."""
        failed = [one for one in self.results if one.failed]
        yield from _grouped('Skipped by tempest', [(one.said.partition('\n')[0][:100], one)
                                                   for one in self.results if one.status == 'skip'])
        yield from _grouped('Not run, as listed', [(self.known.skip.reason(ident) or '', Result(ident, 'skip'))
                                                   for ident in self.left_out])
        yield from _grouped('Failed as expected', [(reason, one) for one in failed
                                                   if (reason := self.known.fails.reason(one.id))])
        for title, found in (('Passed although it is expected to fail', self.mended),
                             ('Failed unexpectedly', self.unexpected)):
            for one in sorted(found, key=lambda one: one.id):
                yield f'{title}: {one.name}' + (f'\n    {one.why[:300]}' if one.failed else '')
        passed = sum(one.status == 'success' for one in self.results)
        yield (f'{passed} passed, {len(failed)} failed ({len(self.unexpected)} unexpectedly), '
               f'{len(self.results) - passed - len(failed)} skipped'
               + (f', {len(self.left_out)} not run' if self.left_out else ''))


def _grouped(title: str, found: list[tuple[str, Result]]) -> Iterable[str]:
    counts = collections.Counter(reason for reason, _ in found)
    if counts:
        yield f'{title}:'
    for reason, count in counts.most_common():
        yield f'  {count:4}  {reason}'
