"""[pci]: devices of hosts that guests get to themselves."""

from oslo_config import cfg

GROUP = 'pci'
OPTS: list[cfg.Opt] = [
    cfg.MultiStrOpt('alias', default=[], help='''
A name for a kind of device, which flavors ask for as ``pci_passthrough:alias=NAME:COUNT``; JSON, for instance
``{"name": "gpu", "vendor_id": "10de", "product_id": "1eb8"}``.'''),
    cfg.MultiStrOpt('device_spec', default=[], help='''
Devices of this host that guests may have; JSON, for instance ``{"vendor_id": "10de", "product_id": "1eb8"}`` or
``{"address": "0000:81:00.1"}``.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
