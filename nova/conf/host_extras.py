"""[metrics] and [pci]: what schedulers know of hosts beside Placement."""

from oslo_config import cfg

_METRICS: list[cfg.Opt] = [
    cfg.FloatOpt('weight_multiplier', default=1.0, help='''
Weight of what hosts measure; an aggregate may set its own as metrics_weight_multiplier.'''),
    cfg.ListOpt('weight_setting', default=[], help='''
What is measured, and how much of it counts: name=1.0, other=-1.0.'''),
    cfg.BoolOpt('required', default=True, help='''
A host that does not measure all of it is an error; otherwise it weighs weight_of_unavailable.'''),
    cfg.FloatOpt('weight_of_unavailable', default=-10000.0, help='''
Weight of a host that does not measure all of it.'''),
]
_PCI: list[cfg.Opt] = [
    cfg.MultiStrOpt('alias', default=[], help='''
A name of PCI devices for flavors, as JSON: {"name": "a1", "vendor_id": "8086", "product_id": "154d"}.'''),
]
_GROUPS = {'metrics': _METRICS, 'pci': _PCI}


def register_opts(conf: cfg.ConfigOpts) -> None:
    for group, options in _GROUPS.items():
        conf.register_opts(options, group=group)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return dict(_GROUPS)
