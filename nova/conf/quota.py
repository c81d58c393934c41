"""[quota]: limits of projects that have none of their own."""

from oslo_config import cfg

GROUP = 'quota'


def _limit(name: str, default: int, what: str) -> cfg.Opt:
    return cfg.IntOpt(name, default=default, min=-1, help=f'\n{what} -1 is no limit.')


OPTS: list[cfg.Opt] = [
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
