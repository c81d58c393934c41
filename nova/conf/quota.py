"""[quota]: where limits come from, and those of projects that have none of their own."""

from oslo_config import cfg

GROUP = 'quota'


def _limit(name: str, default: int, what: str) -> cfg.Opt:
    return cfg.IntOpt(name, default=default, min=-1, help=f'\n{what} -1 is no limit.')


DB, NOOP = 'nova.quota.DbQuotaDriver', 'nova.quota.NoopQuotaDriver'
UNIFIED = 'nova.quota.UnifiedLimitsDriver'

OPTS: list[cfg.Opt] = [
    cfg.StrOpt('driver', default=DB, choices=[
        (DB, 'The API database and this section have the limits.'), (NOOP, 'There are none.'),
        (UNIFIED, 'The identity service has them; see [oslo_limit].')], help='\nWhere limits come from.'),
    cfg.StrOpt('unified_limits_resource_strategy', default='require', choices=[
        ('require', 'Nobody gets anything of a resource that the list names, and plenty of any other.'),
        ('ignore', 'Everybody gets plenty of a resource that the list names, and nothing of any other.')],
        help='\nWhat holds, with unified limits, while no limit is registered.'),
    cfg.ListOpt('unified_limits_resource_list', default=['servers'], help='\n'
                'Resources of unified_limits_resource_strategy, such as servers or class:VCPU.'),
    cfg.IntOpt('unified_limits_cache_seconds', default=10, min=0, help='\n'
               'Seconds for which unified limits are not asked for again; 0 asks each time.'),
    _limit('instances', 10, 'Servers of a project.'),
    _limit('cores', 20, 'vCPUs of a project.'),
    _limit('ram', 50 * 1024, 'Megabytes of memory of a project.'),
    _limit('metadata_items', 128, 'Metadata items of a server.'),
    _limit('injected_files', 5, 'Files injected into a server.'),
    _limit('injected_file_content_bytes', 10 * 1024, 'Bytes of an injected file.'),
    _limit('injected_file_path_length', 255, 'Length of the path of an injected file.'),
    _limit('key_pairs', 100, 'Key pairs of a user.'),
    _limit('server_groups', 10, 'Server groups of a project.'),
    _limit('server_group_members', 10, 'Members of a server group.'),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
