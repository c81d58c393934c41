"""[scheduler]: asking Placement, and how often to try."""

from oslo_config import cfg

GROUP = 'scheduler'
OPTS: list[cfg.Opt] = [
    cfg.IntOpt('workers', min=0, help='''
Scheduler processes; unset or 0 is one.'''),
    cfg.IntOpt('max_attempts', default=3, min=1, help='''
Hosts tried for one build or move: the chosen one and max_attempts - 1 alternates.'''),
    cfg.IntOpt('max_placement_results', default=1000, min=1, help='''
Most allocation candidates that Placement is asked for.'''),
    cfg.IntOpt('discover_hosts_in_cells_interval', default=2, min=-1, help='''
Seconds between two searches of a super-conductor for new hosts in cells. 0 or less never searches; then
nova-manage cell_v2 discover_hosts does it by hand.'''),
    cfg.BoolOpt('query_placement_for_image_type_support', default=False, help='''
Placement picks only hosts whose driver can use the image's disk format.'''),
    cfg.BoolOpt('limit_tenants_to_placement_aggregate', default=False, help='''
Servers of a project named in an aggregate's filter_tenant_id run only in such aggregates.'''),
    cfg.BoolOpt('placement_aggregate_required_for_tenants', default=False, help='''
Projects that no aggregate names get no host at all; needs limit_tenants_to_placement_aggregate.'''),
    cfg.BoolOpt('enable_isolated_aggregate_filtering', default=False, help='''
Aggregates that require traits take only servers whose flavor or image requires them too.'''),
    cfg.BoolOpt('image_metadata_prefilter', default=False, help='''
Image properties that have a trait become required traits.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
