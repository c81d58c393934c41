"""[pci]: devices of hosts that guests get to themselves."""

from oslo_config import cfg

GROUP = 'pci'
OPTS: list[cfg.Opt] = [
    cfg.MultiStrOpt('alias', default=[], help='''
A name for a kind of device, which flavors ask for as ``pci_passthrough:alias=NAME:COUNT``; JSON, for instance
``{"name": "gpu", "vendor_id": "10de", "product_id": "1eb8"}``. ``resource_class`` and ``traits`` (by comma) ask
for what ``device_spec`` of the hosts says; ``device_type`` is type-PCI, type-PF or type-VF, or any.'''),
    cfg.MultiStrOpt('device_spec', default=[], help='''
Devices of this host that guests may have; JSON, for instance ``{"vendor_id": "10de", "product_id": "1eb8"}``,
``{"address": "0000:81:00.1"}``, in which ``*`` is anything, or ``{"devname": "ens1f0"}``. What names a card
names its virtual functions, too, and these are offered instead of it. ``resource_class`` and ``traits`` (by
comma) say what Placement knows devices by; the class is CUSTOM_PCI_ with vendor and product where nothing is
said. Devices with ``physical_network`` are for ports in networks of that ``provider:physical_network``:
functions for those with vnic_type direct or macvtap, whole cards for direct-physical. With ``trusted`` they are
also for ports whose binding:profile has it.'''),
    cfg.BoolOpt('report_in_placement', default=False, help='''
Report the devices to Placement, as providers below the node. Switch it on on every host first, and then
``[filter_scheduler] pci_in_placement``.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
