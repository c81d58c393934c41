"""[database] of this cell, and [api_database] of the whole deployment."""

import copy

from oslo_config import cfg
from oslo_db import options as db_options

_NAMES = ('connection', 'connection_recycle_time', 'max_pool_size', 'max_overflow', 'pool_timeout',
          'connection_debug')


POOL = 20
"""Default of ``max_pool_size``. The library's 5 are fewer than the threads of a conductor or API process, and a
connection beyond them is closed after use: making one anew costs twenty times what a statement costs."""


def _options() -> list[cfg.Opt]:
    found = [copy.deepcopy(option) for option in db_options.database_opts if option.name in _NAMES]
    for option in found:
        if option.name == 'max_pool_size':
            option.default = POOL
    return found


MAIN_OPTS = _options()
API_OPTS = _options()


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(MAIN_OPTS, group='database')
    conf.register_opts(API_OPTS, group='api_database')


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {'database': MAIN_OPTS, 'api_database': API_OPTS}
