"""[manila]: the share service."""

from oslo_config import cfg

from nova.conf import _ksa

GROUP, SERVICE = 'manila', 'shared-file-system'
OPTS: list[cfg.Opt] = [
    cfg.IntOpt('share_apply_policy_timeout', default=10, min=1, help='''
Seconds within which the share service has to let a host use a share that is being attached.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    _ksa.register(conf, GROUP, SERVICE, OPTS)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: _ksa.listed(SERVICE, OPTS)}
