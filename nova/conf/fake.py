"""[fake]: what the hosts have that the fake driver pretends to be."""

from oslo_config import cfg

GROUP = 'fake'
OPTS: list[cfg.Opt] = [
    cfg.IntOpt('vcpus', default=64, min=1, help='\nvCPUs of the host.'),
    cfg.IntOpt('memory_mb', default=256 * 1024, min=1, help='\nMegabytes of memory of the host.'),
    cfg.IntOpt('local_gb', default=4096, min=1, help='\nGigabytes of disk of the host.'),
    cfg.IntOpt('numa_cells', default=1, min=1, help='''
NUMA cells over which its CPUs and memory are spread evenly. [compute] cpu_dedicated_set says which of its CPUs
are given to one guest alone.'''),
    cfg.ListOpt('pci_devices', default=[], help='''
Its PCI devices, each as vendor:product, for instance 10de:1eb8; they are spread over the cells by turns. A card
with virtual functions is vendor:product+vendor:product*count, for instance 8086:1572+8086:154c*4.'''),
    cfg.ListOpt('mdev_types', default=[], help='''
Its graphics cards, each as the type and the number of mediated devices (vGPUs) that it can have: type:count,
for instance nvidia-35:16. [devices] enabled_mdev_types says which of them guests may have.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
