"""The databases of one process: the API's, this cell's own, and any cell's by its mapping's URL."""

import re
import urllib.parse
from typing import Any

import sqlalchemy as sa
from oslo_config import cfg

from nova import errors
from nova.common import dbkit, threads
from nova.db import scatter

_OPTIONS = ('connection_recycle_time', 'max_pool_size', 'max_overflow', 'max_retries', 'retry_interval',
            'pool_timeout', 'connection_debug')
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


class Databases:
    """Databases by what they are for, opened at first use and shared from then on.

    Args:
        conf: has ``[database]`` and ``[api_database]``.

    Attributes:
        scatter: for asking several cells at once.
    """

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf
        self._lock = threads.lock()
        self._open: dict[str, dbkit.Database] = {}
        self._opening: dict[str, threads.Lock] = {}
        self.scatter = scatter.Scatter(conf.api.cell_probe_interval)

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
        """The database of the cell whose mapping has this `database_connection`."""
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
            opening = self._opening.setdefault(url, threads.lock())
        with opening:  # connecting to a cell that is down takes its time; others must not wait for it
            if url not in self._open:
                self._open[url] = dbkit.Database(url, **self._options(group))
            return self._open[url]

    def _options(self, group: str) -> dict[str, Any]:
        values = {name: getattr(self._conf[group], name) for name in _OPTIONS}
        return {name: value for name, value in values.items() if value is not None}
