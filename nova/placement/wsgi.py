"""`application`, for any WSGI server.

Configuration is read as operators of Placement know it: ``placement.conf`` in the directory that
``OS_PLACEMENT_CONFIG_DIR`` names, or in /etc/placement; every option also from the environment, such as
``OS_PLACEMENT_DATABASE__CONNECTION``.
"""

import os
import pathlib
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from oslo_config import cfg
from oslo_log import log

from nova.common import health, metrics, threads
from nova.placement import app
from nova.placement import conf as options
from nova.placement.db import session

with warnings.catch_warnings():
    # The cache of tokens imports it with the first request. Imported in a thread of a web server's pool it
    # takes that thread for the main one, and the process that is told to end waits for the pool for ever.
    warnings.simplefilter('ignore')
    import eventlet  # noqa: F401


def load_conf(arguments: list[str] | None = None, cli_opts: Sequence[cfg.Opt] = ()) -> cfg.ConfigOpts:
    """Read placement.conf and the environment.

    Args:
        arguments: command line, such as ``--config-file FILE``; empty by default.
        cli_opts: what the command line takes besides.
    """
    conf = cfg.ConfigOpts()
    log.register_options(conf)
    options.register_opts(conf)
    conf.register_cli_opts(cli_opts)
    conf(arguments or [], project='placement', default_config_files=config_files())
    return conf


def config_files() -> list[str]:
    """Where placement.conf is, for every program of Placement."""
    folder = os.environ.get('OS_PLACEMENT_CONFIG_DIR')
    if not folder:
        return cfg.find_config_files('placement')
    file = pathlib.Path(folder) / 'placement.conf'
    return [str(file)] if file.exists() else []


class _Application:
    """Built when the first request comes, in the process that serves it: servers fork after loading."""

    def __init__(self) -> None:
        self._guard = threads.lock()
        self._app: Callable[..., Iterable[bytes]] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self._app is None:
            with self._guard:
                if self._app is None:
                    conf = load_conf()
                    log.setup(conf, 'placement')
                    db = session.open_database(conf)
                    made = app.make_app(conf, db)
                    metrics.page_of(conf, {'database': health.Probe('the database', db.ping)}, None)
                    self._app = made
        return self._app(environ, start_response)


application = _Application()
