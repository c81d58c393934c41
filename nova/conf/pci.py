"""[pci]: devices of hosts that guests get to themselves."""

from oslo_config import cfg

GROUP = 'pci'
OPTS: list[cfg.Opt] = [
    cfg.MultiStrOpt('alias', default=[], help='''
A name for a kind of device, which flavors ask for as ``pci_passthrough:alias=NAME:COUNT``; JSON, for instance
``{"name": "gpu", "vendor_id": "10de", "product_id": "1eb8"}``. ``resource_class`` and ``traits`` (by comma) ask
for what ``device_spec`` of the hosts says.'''),
    cfg.MultiStrOpt('device_spec', default=[], help='''
Devices of this host that guests may have; JSON, for instance ``{"vendor_id": "10de", "product_id": "1eb8"}`` or
``{"address": "0000:81:00.1"}``. ``resource_class`` and ``traits`` (by comma) say what Placement knows them by;
the class is CUSTOM_PCI_ with vendor and product where nothing is said.'''),
    cfg.BoolOpt('report_in_placement', default=False, help='''
Report the devices to Placement, as providers below the node. Switch it on on every host first, and then
``[filter_scheduler] pci_in_placement``.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
