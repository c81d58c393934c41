"""[devices]: parts of graphics cards and the like that guests get to themselves (mediated devices)."""

from oslo_config import cfg

GROUP = 'devices'
OPTS: list[cfg.Opt] = [
    cfg.ListOpt('enabled_mdev_types', default=[], deprecated_name='enabled_vgpu_types', help='''
Types of mediated devices (vGPUs) that guests of this host may have, for instance nvidia-35. A card has devices
of one type: that of the ``[mdev_TYPE]`` which names the card in ``device_addresses``, else the first one.'''),
]
OF_TYPE: list[cfg.Opt] = [
    cfg.ListOpt('device_addresses', default=[], deprecated_group='vgpu_type', help='''
PCI addresses of the cards whose devices are of this type.'''),
    cfg.StrOpt('mdev_class', default='VGPU', regex='^(VGPU|CUSTOM_[A-Z0-9_]+)$', help='''
Resource class of the devices of this type, VGPU or CUSTOM_ something. Each type of a host needs one of its own:
what a flavor asks for is then what its guest gets.'''),
    cfg.IntOpt('max_instances', min=1, help='''
How many devices of this type a card has at most; unset is what the card says.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def of_type(conf: cfg.ConfigOpts, name: str) -> cfg.ConfigOpts.GroupAttr:
    """The options of one type, ``[mdev_TYPE]``."""
    group = f'mdev_{name}'
    conf.register_opts(OF_TYPE, group=group)
    return conf[group]


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS, 'mdev_TYPE': OF_TYPE}
