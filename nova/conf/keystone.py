"""[keystone]: asking the identity service about projects."""

from oslo_config import cfg

from nova.conf import _ksa

GROUP, SERVICE = 'keystone', 'identity'


def register_opts(conf: cfg.ConfigOpts) -> None:
    _ksa.register(conf, GROUP, SERVICE)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: _ksa.listed(SERVICE)}
