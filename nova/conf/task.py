"""[task]: how tasks are owned, watched and kept."""

from oslo_config import cfg

GROUP = 'task'
OPTS: list[cfg.Opt] = [
    cfg.FloatOpt('beat_seconds', default=1.0, min=0.05, help='''
Seconds between two beats of a worker's lease.'''),
    cfg.FloatOpt('lease_seconds', default=4.0, min=0.1, help='''
A worker whose beat stood still for this long, as others see it, loses its tasks to them.'''),
    cfg.FloatOpt('reap_seconds', default=1.0, min=0.05, help='''
Seconds between two looks for tasks that nobody owns.'''),
    cfg.IntOpt('step_timeout', default=600, min=1, help='''
Seconds without any sign from a host that is alive, after which it is asked about a step again. Hosts
that stopped beating are noticed earlier.'''),
    cfg.IntOpt('build_timeout', default=3600, min=1, help='''
Seconds in which a server must have been built, all attempts included.'''),
    cfg.IntOpt('default_timeout', default=3600, min=1, help='''
Seconds for operations whose flow declares none.'''),
    cfg.IntOpt('retention_days', default=90, min=1, help='''
Days that ended tasks, and so instance actions, of living servers are kept.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
