"""Options of the Placement service, under the names operators know, and how they are read.

Configuration is ``placement.conf`` in the directory that ``OS_PLACEMENT_CONFIG_DIR`` names, or in
/etc/placement; every option may also come from the environment, such as ``OS_PLACEMENT_DATABASE__CONNECTION``.
"""

import os
import pathlib
from collections.abc import Sequence

from oslo_config import cfg
from oslo_log import log

from nova.common import metrics, package, settings

_NOBODY = '00000000-0000-0000-0000-000000000000'

_API: list[cfg.Opt] = [
    cfg.StrOpt('auth_strategy', default='keystone', choices=[
        ('keystone', 'Tokens are checked by keystonemiddleware, configured in [keystone_authtoken].'),
        ('noauth2', 'The token is "user" or "user:project" and believed. For tests only.'),
    ], help='How callers are told apart.'),
]

_PLACEMENT: list[cfg.Opt] = [
    cfg.BoolOpt('randomize_allocation_candidates', default=False,
                help='Shuffle allocation candidates before the limit is applied, so that limited requests '
                     'do not always see the same hosts.'),
    cfg.StrOpt('incomplete_consumer_project_id', default=_NOBODY,
               help='Project of consumers that were written without one (microversions below 1.8).'),
    cfg.StrOpt('incomplete_consumer_user_id', default=_NOBODY,
               help='User of consumers that were written without one (microversions below 1.8).'),
    cfg.IntOpt('allocation_conflict_retry_count', default=10, min=1,
               help='How often an allocation write is tried again inside the service after it lost a race, '
                    'before the client is told.'),
    cfg.IntOpt('max_allocation_candidates', default=-1,
               help='Most candidates that one request may generate; -1 means no such limit.'),
    cfg.StrOpt('allocation_candidates_generation_strategy', default='depth-first', choices=[
        ('depth-first', 'All candidates of one tree before the next tree.'),
        ('breadth-first', 'One candidate of each tree in turn.'),
    ], help='Which candidates are kept where max_allocation_candidates cuts.'),
]

_DATABASE: list[cfg.Opt] = [
    cfg.StrOpt('connection', secret=True, help='SQLAlchemy URL of the database.'),
    cfg.StrOpt('connection_parameters', default='',
               help='Appended to the connection URL as its query: param1=value1&param2=value2.'),
    cfg.BoolOpt('sync_on_startup', default=False, help='Create or upgrade the schema when the service starts.'),
    cfg.IntOpt('connection_recycle_time', default=3600,
               help='Seconds after which a pooled connection is replaced.'),
    cfg.IntOpt('max_pool_size', default=20, min=1, help='Pooled connections.'),
    cfg.IntOpt('max_overflow', default=50, help='Connections beyond the pool while there is demand.'),
    cfg.IntOpt('pool_timeout', default=30, help='Seconds to wait for a pooled connection.'),
    cfg.IntOpt('max_retries', default=10, help='Attempts to connect at start; -1 means without end.'),
    cfg.IntOpt('retry_interval', default=10, help='Seconds between attempts to connect.'),
    cfg.StrOpt('mysql_sql_mode', default='TRADITIONAL', help='SQL mode of MySQL and MariaDB sessions.'),
]

_GROUPS: tuple[tuple[str, str, list[cfg.Opt]], ...] = (
    ('api', 'Placement API', _API),
    ('placement', 'Placement service', _PLACEMENT),
    ('placement_database', 'Placement database', _DATABASE),
    (metrics.GROUP, 'The page for operators', metrics.OPTS),
)


def register_opts(conf: cfg.ConfigOpts) -> None:
    """Declare every option of ours on `conf`; repeating it does no harm."""
    for name, title, options in _GROUPS:
        # Groups are made anew: oslo.config keeps values in them, and they must not leak from conf to conf.
        conf.register_group(cfg.OptGroup(name, title=title))
        conf.register_opts(options, group=name)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """For oslo-config-generator."""
    return [(cfg.OptGroup(name, title=title), list(options)) for name, title, options in _GROUPS]


def load(arguments: Sequence[str] = (), cli_opts: Sequence[cfg.Opt] = ()) -> cfg.ConfigOpts:
    """Read placement.conf and the environment.

    Args:
        arguments: command line, such as ``--config-file FILE``.
        cli_opts: what the command line takes besides.

    Raises:
        oslo_config.cfg.Error: a file is missing, or an option has a value that it cannot have.
    """
    conf = cfg.ConfigOpts()
    log.register_options(conf)
    register_opts(conf)
    conf.register_cli_opts(cli_opts)
    conf(list(arguments), project='placement', version=package.version(), default_config_files=files())
    settings.check(conf)
    return conf


def files() -> list[str]:
    """Where placement.conf is, for every program of Placement."""
    folder = os.environ.get('OS_PLACEMENT_CONFIG_DIR')
    if not folder:
        return cfg.find_config_files('placement')
    file = pathlib.Path(folder) / 'placement.conf'
    return [str(file)] if file.exists() else []
