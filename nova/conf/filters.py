"""[filter_scheduler]: which hosts pass, and which is best."""

from oslo_config import cfg

GROUP = 'filter_scheduler'


def _multiplier(name: str, default: float, what: str) -> cfg.Opt:
    return cfg.FloatOpt(f'{name}_weight_multiplier', default=default, help=f'''
Weight of {what}. Negative turns the preference around, 0 drops it; an aggregate may set its own value under the
same key.''')


OPTS: list[cfg.Opt] = [
    cfg.MultiStrOpt('available_filters', default=['nova.scheduler.filters.all_filters'], help='''
Filters that may be enabled; further ones are named by their import path.'''),
    cfg.ListOpt('enabled_filters', default=[
        'ComputeFilter', 'ComputeCapabilitiesFilter', 'ImagePropertiesFilter',
        'ServerGroupAntiAffinityFilter', 'ServerGroupAffinityFilter'], help='''
Filters that every host must pass, in this order.'''),
    cfg.ListOpt('weight_classes', default=['nova.scheduler.weights.all_weighers'], help='''
Weighers that order the hosts that passed.'''),
    cfg.IntOpt('host_subset_size', default=1, min=1, help='''
A host is picked at random among this many best ones; more spreads parallel schedulers.'''),
    cfg.BoolOpt('shuffle_best_same_weighed_hosts', default=False, help='''
Hosts of equal weight are tried in random order.'''),
    cfg.IntOpt('max_io_ops_per_host', default=8, min=-1, help='''
IoOpsFilter: most builds, moves and snapshots at once on a host; -1 is no limit.'''),
    cfg.IntOpt('max_instances_per_host', default=50, min=1, help='''
NumInstancesFilter: most servers of a host.'''),
    cfg.StrOpt('image_properties_default_architecture', help='''
Architecture of images that name none.'''),
    cfg.BoolOpt('pci_in_placement', default=False, help='''
Ask Placement for PCI devices, and hold them there. Needs ``[pci] report_in_placement`` on each host that has
some.'''),
    cfg.ListOpt('isolated_images', default=[], help='''
IsolatedHostsFilter: images that run on isolated_hosts only.'''),
    cfg.ListOpt('isolated_hosts', default=[], help='''
IsolatedHostsFilter: hosts for isolated_images.'''),
    cfg.BoolOpt('restrict_isolated_hosts_to_isolated_images', default=True, help='''
IsolatedHostsFilter: isolated hosts take nothing but isolated images.'''),
    cfg.StrOpt('aggregate_image_properties_isolation_namespace', help='''
Start of the image properties that AggregateImagePropertiesIsolation looks at; unset looks at all.'''),
    cfg.StrOpt('aggregate_image_properties_isolation_separator', default='.', help='''
What separates that start from the rest of the name.'''),
    _multiplier('ram', 1.0, 'free memory'),
    _multiplier('cpu', 1.0, 'free vCPUs'),
    _multiplier('disk', 1.0, 'free disk'),
    _multiplier('io_ops', -1.0, 'builds and moves in progress'),
    _multiplier('num_instances', 0.0, 'the number of servers on the host'),
    _multiplier('pci', 1.0, 'keeping PCI devices for servers that ask for them'),
    _multiplier('soft_affinity', 1.0, 'servers of the same soft-affinity group'),
    _multiplier('soft_anti_affinity', 1.0, 'the absence of servers of the same group'),
    _multiplier('hypervisor_version', 1.0, 'a newer hypervisor'),
    _multiplier('build_failure', 1000000.0, 'recent failed builds, against the host'),
    _multiplier('cross_cell_move', 1000000.0, 'staying in the same cell when moved'),
    _multiplier('image_props', 0.0, 'servers with the same image properties'),
    cfg.ListOpt('image_props_weight_setting', default=[], help='''
Image properties that count there, and how much: os_distro=2, hw_machine_type=1; unset is all of them.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
