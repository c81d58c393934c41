"""The databases of one process: the API's, this cell's own, and any cell's by its mapping's URL."""

import abc
import functools
import re
import urllib.parse
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol, TypeVar

import sqlalchemy as sa
from oslo_config import cfg

from nova import errors
from nova.common import clock, dbkit, threads
from nova.db.scatter import Answers, Scatter

_OPTIONS = ('connection_recycle_time', 'max_pool_size', 'max_overflow', 'pool_timeout', 'connection_debug')
PATIENCE = 60.0
"""Seconds for which a service waits for a statement."""
T = TypeVar('T')
_VARIABLES = re.compile(r'\{(\w+)\}')


def fill_template(url: str, own: str | None) -> str:
    """A cell's database URL with its variables filled in from this process's own URL.

    A mapping may say ``{scheme}://{username}:{password}@db2/nova?{query}`` instead of repeating credentials.
    The variables are scheme, username, password, hostname, port, path (without its slash), query and fragment.
    A URL without variables is returned as it is.

    Raises:
        nova.errors.Invalid: it has variables but there is no own URL, or it has one that does not exist.
    """
    if not _VARIABLES.search(url):
        return url
    if not own:
        raise errors.Invalid('The database URL of a cell has variables, and there is no [database] connection '
                             'to fill them in from.')
    parts = sa.make_url(own)
    values = {'scheme': parts.drivername, 'username': _quoted(parts.username),
              'password': _quoted(parts.password), 'hostname': parts.host or '',
              'port': parts.port or '', 'path': parts.database or '',
              'query': own.partition('?')[2].partition('#')[0], 'fragment': own.partition('#')[2]}
    try:
        return url.format(**values)
    except (KeyError, IndexError, ValueError):
        raise errors.Invalid('The database URL of a cell has a variable that does not exist.') from None


def _quoted(text: object) -> str:
    return urllib.parse.quote(str(text or ''), safe='')


class Cell(Protocol):
    """What has to be known of a cell to read it; a `nova.objects.CellMapping` is one."""

    uuid: str
    name: str | None
    database_connection: str


class _Place(NamedTuple):
    """A cell at one database; a cell that has moved is another place, with a breaker of its own."""

    uuid: str
    url: str
    label: str

    def __str__(self) -> str:
        return self.label


class Asking(abc.ABC):
    """Asks several cells at once.

    Attributes:
        scatter: their threads and breakers.
    """

    scatter: Scatter[_Place]

    @abc.abstractmethod
    def cell(self, url: str) -> dbkit.Database:
        """The database of the cell whose mapping has this `database_connection`."""

    def ask(self, questions: Mapping[str, Callable[[dbkit.Database], T]], cells: Mapping[str, Cell],
            deadline: clock.Deadline, patience: float | None = None) -> Answers[str, T]:
        """Put questions to cells, each to its cell's database, and wait until the deadline at the longest.

        Args:
            questions: by the uuid of the cell.
            cells: has each of them.
            patience: as of `Scatter.ask`.

        Returns:
            Answers, cells that are down and errors of the questions, by the uuid of the cell.
        """
        asked, probes = {}, {}
        for uuid, question in questions.items():
            place = _Place(uuid, cells[uuid].database_connection, cells[uuid].name or uuid)
            asked[place] = functools.partial(self._put, place.url, question)
            probes[place] = functools.partial(self._put, place.url, dbkit.Database.ping)
        answers = self.scatter.ask(asked, probes, deadline, patience)
        return Answers({place.uuid: got for place, got in answers.got.items()},
                               {place.uuid: why for place, why in answers.down.items()},
                               {place.uuid: error for place, error in answers.failed.items()})

    def _put(self, url: str, question: Callable[[dbkit.Database], T]) -> T:
        return question(self.cell(url))


class Databases(Asking):
    """Databases by what they are for, opened at first use and shared from then on.

    Args:
        conf: has ``[database]`` and ``[api_database]``.
        patience: as of `dbkit.Database`; commands, whose statements may take long, wait as long as it takes.
    """

    def __init__(self, conf: cfg.ConfigOpts, patience: float | None = PATIENCE) -> None:
        self._conf, self._patience = conf, patience
        self._lock = threads.lock()
        self._open: dict[str, dbkit.Database] = {}
        self.scatter = Scatter(conf.api.cell_probe_interval)

    @property
    def api(self) -> dbkit.Database:
        """The API database.

        Raises:
            nova.errors.Unavailable: this process has no ``[api_database] connection``; cells are not meant to.
        """
        return self._get(self._own('api_database'), 'api_database')

    @property
    def main(self) -> dbkit.Database:
        """This cell's own database."""
        return self._get(self._own('database'), 'database')

    def cell(self, url: str) -> dbkit.Database:
        return self._get(fill_template(url, self._conf.database.connection), 'database')

    def dispose(self) -> None:
        """Close every connection."""
        with self._lock:
            databases, self._open = list(self._open.values()), {}
        self.scatter.close()
        for database in databases:
            database.dispose()

    def _own(self, group: str) -> str:
        url = self._conf[group].connection
        if not url:
            raise errors.Unavailable(f'[{group}] connection is not set.')
        return url

    def _get(self, url: str, group: str) -> dbkit.Database:
        with self._lock:
            if url not in self._open:
                self._open[url] = dbkit.Database(
                    url, self._patience, conf=self._conf, **self._options(group))
            return self._open[url]

    def _options(self, group: str) -> dict:
        values = {name: getattr(self._conf[group], name) for name in _OPTIONS}
        return {name: value for name, value in values.items() if value is not None}
