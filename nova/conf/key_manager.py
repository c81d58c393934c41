"""[key_manager]: where the keys of encrypted volumes are; castellan adds options of its own to it."""

from oslo_config import cfg

GROUP = 'key_manager'
OPTS: list[cfg.Opt] = [
    cfg.StrOpt('fixed_key', secret=True, help='''
The one key, as a hexadecimal number, of ``backend = nova.keymgr.conf_key_mgr.ConfKeyManager``, and of volumes
that were encrypted with it before there was another key manager. Cinder has to have the same.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS, group=GROUP)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: OPTS}
