"""[DEFAULT] and [prometheus]: how a service process ends, and how it is watched."""

from oslo_config import cfg

from nova.common import metrics

OPTS: list[cfg.Opt] = [
    cfg.IntOpt('graceful_shutdown_timeout', default=60, min=0, help='''
Seconds that a service which is told to stop gives to what it has begun.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS)
    conf.register_opts(metrics.OPTS, group=metrics.GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {'DEFAULT': OPTS, metrics.GROUP: metrics.OPTS}
