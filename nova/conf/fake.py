"""[fake]: size of the hosts that the fake driver pretends to be."""

from oslo_config import cfg

GROUP = 'fake'
OPTS: list[cfg.Opt] = [
    cfg.IntOpt('vcpus', default=64, min=1, help='\nvCPUs of the host.'),
    cfg.IntOpt('memory_mb', default=256 * 1024, min=1, help='\nMegabytes of memory of the host.'),
    cfg.IntOpt('local_gb', default=4096, min=1, help='\nGigabytes of disk of the host.'),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
