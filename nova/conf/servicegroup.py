"""[DEFAULT]: when a service counts as alive."""

from oslo_config import cfg

OPTS: list[cfg.Opt] = [
    cfg.IntOpt('report_interval', default=10, min=1, help='''
Seconds between two heartbeats of a service.'''),
    cfg.IntOpt('service_down_time', default=60, min=1, help='''
Seconds without a heartbeat after which a service is shown as down and gets no new servers. Should be several
times report_interval.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {'DEFAULT': OPTS}
