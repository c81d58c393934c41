"""[DEFAULT] and [upgrade_levels]: the bus."""

from oslo_config import cfg

OPTS: list[cfg.Opt] = [
    cfg.IntOpt('long_rpc_timeout', default=1800, min=1, help='''
Seconds to wait for calls that are known to take long; rpc_response_timeout bounds the others.'''),
]
LEVELS: list[cfg.Opt] = [
    cfg.StrOpt(topic, help=f'''
Newest version of the {topic} interface to speak: a number, or auto: what the oldest service that runs, and may
take the message, understands. Unset is auto.''') for topic in ('compute', 'conductor', 'scheduler')
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS)
    conf.register_opts(LEVELS, group='upgrade_levels')


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {'DEFAULT': OPTS, 'upgrade_levels': LEVELS}
