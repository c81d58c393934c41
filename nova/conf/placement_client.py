"""[placement] as a client sees it."""

from oslo_config import cfg

from nova.conf import _ksa

GROUP, SERVICE = 'placement', 'placement'


def register_opts(conf: cfg.ConfigOpts) -> None:
    _ksa.register(conf, GROUP, SERVICE)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: _ksa.listed(SERVICE)}
