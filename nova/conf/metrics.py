"""[metrics]: what hosts measure of themselves."""

from oslo_config import cfg

GROUP = 'metrics'
OPTS: list[cfg.Opt] = [
    cfg.FloatOpt('weight_multiplier', default=1.0, help='''
Weight of what hosts measure; an aggregate may set its own as metrics_weight_multiplier.'''),
    cfg.ListOpt('weight_setting', default=[], help='''
What is measured, and how much of it counts: name=1.0, other=-1.0.'''),
    cfg.BoolOpt('required', default=True, help='''
A host that does not measure all of it is an error; otherwise it weighs weight_of_unavailable.'''),
    cfg.FloatOpt('weight_of_unavailable', default=-10000.0, help='''
Weight of a host that does not measure all of it.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
