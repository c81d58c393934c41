"""[task]: how tasks are owned, watched and kept."""

from oslo_config import cfg

GROUP = 'task'
OPTS: list[cfg.Opt] = [
    cfg.FloatOpt('beat_seconds', default=1.0, min=0.05, help='''
Seconds between two beats of a worker's lease.'''),
    cfg.FloatOpt('lease_seconds', default=4.0, min=0.1, help='''
A worker whose beat stood still for this long, as others see it, loses its tasks to them: for as many looks of
theirs as beats fit into it, and at least three. One that could not beat for a beat less stops by itself.'''),
    cfg.FloatOpt('recast_seconds', default=5.0, min=0.1, help='''
Seconds without an answer after which a step is sent to its host again, in case a message was lost; each further
time takes twice as long. A host that has it already does not run it twice.'''),
    cfg.IntOpt('retention_days', default=90, min=1, help='''
Days that ended tasks, and so instance actions, of living servers are kept.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
