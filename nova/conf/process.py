"""[DEFAULT] and [prometheus]: how a service process ends, and how it is watched."""

from oslo_config import cfg

OPTS: list[cfg.Opt] = [
    cfg.IntOpt('graceful_shutdown_timeout', default=60, min=0, help='''
Seconds that a service which is told to stop gives to what it has begun.'''),
]
GROUP = 'prometheus'
GROUP_OPTS: list[cfg.Opt] = [
    cfg.PortOpt('port', help='''
Port of /metrics and /healthcheck of the service; its further worker processes take the ports after it. Unset
opens none.'''),
    cfg.HostAddressOpt('address', default='127.0.0.1', help='''
Address of that port. The page needs no password, so it should not be reachable from elsewhere.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS)
    conf.register_opts(GROUP_OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {'DEFAULT': OPTS, GROUP: GROUP_OPTS}
