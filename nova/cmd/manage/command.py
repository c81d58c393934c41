"""The kernel of nova-manage: a command is a function and its arguments, declared together."""

import dataclasses
import re
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from oslo_config import cfg

from nova.cells import Cells
from nova.common.jsonutil import JsonObject
from nova.db import session

if TYPE_CHECKING:
    from nova.audit import Deployment
    from nova.audit.guests import Ask
    from nova.clients import Clients
    from nova.virt.driver import Driver

Run = Callable[['Env', Namespace], int | None]

COMMANDS: dict[tuple[str, str], 'Command'] = {}


@dataclasses.dataclass(frozen=True, slots=True)
class Argument:
    """One argument, as argparse takes it."""

    names: tuple[str, ...]
    options: JsonObject


@dataclasses.dataclass(frozen=True, slots=True)
class Command:
    """``nova-manage CATEGORY NAME``; `run` returns the exit code, None is 0."""

    category: str
    name: str
    run: Run
    arguments: tuple[Argument, ...]

    @property
    def what(self) -> str:
        return (self.run.__doc__ or '').strip().partition('\n')[0]


class Env:
    """What a command works with: the configuration, the databases, the cells, and where it prints."""

    def __init__(self, conf: cfg.ConfigOpts, dbs: session.Databases | None = None,
                 neighbours: 'Clients | None' = None, ask: 'Ask | None' = None) -> None:
        self.conf = conf
        self.dbs = dbs or session.Databases(conf, patience=None)
        self.cells = Cells(self.dbs, conf.api.cell_timeout, conf.service_down_time)
        self._clients = neighbours
        self._ask = ask

    @property
    def clients(self) -> 'Clients':
        """The neighbours; few commands need them, and they take a while to load."""
        from nova import clients
        if self._clients is None:
            self._clients = clients.build(self.conf)
        return self._clients

    def deployment(self, guests: bool) -> 'Deployment':
        """What there is to be compared.

        Args:
            guests: hosts are asked for theirs.
        """
        from nova import audit
        from nova.audit import guests as asking
        from nova.rpc import transport
        ask = self._ask or asking.asker(transport.Buses(self.conf)) if guests else None
        return audit.Deployment(self.dbs, self.clients, ask, self.conf.service_down_time)

    def driver(self) -> 'Driver':
        """The hypervisor driver of this host."""
        from nova.virt import loader
        return cast('Driver', loader.load(self.conf, self.conf.host))

    def say(self, text: str) -> None:
        sys.stdout.write(f'{text}\n')


def arg(*names: str, **options: object) -> Argument:
    return Argument(names, options)


def flag(name: str, what: str) -> Argument:
    return Argument((name,), {'action': 'store_true', 'help': what})


def command(category: str, name: str, *arguments: Argument) -> Callable[[Run], Run]:
    """Declare the decorated function as a command; the first line of its docstring is its help."""
    def declare(run: Run) -> Run:
        if (category, name) in COMMANDS:
            raise ValueError(f'command {category} {name} is declared twice')
        COMMANDS[category, name] = Command(category, name, run, arguments)
        return run
    return declare


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows in a frame, as OpenStack's command lines draw them."""
    cells = [[str(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    rule = '+' + '+'.join('-' * (width + 2) for width in widths) + '+'
    lines = ['|' + '|'.join(f' {cell:<{width}} ' for cell, width in zip(row, widths, strict=True)) + '|'
             for row in cells]
    return '\n'.join([rule, lines[0], rule, *lines[1:], *([rule] if rows else [])])


def masked(url: str) -> str:
    """A URL, or several transport hosts, without the passwords."""
    return re.sub(r'(?<=:)[^:@/]*(?=@)', '****', url)
