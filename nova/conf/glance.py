"""[glance]: the image service."""

from oslo_config import cfg

from nova.conf import _ksa

GROUP, SERVICE = 'glance', 'image'
OPTS: list[cfg.Opt] = [
    cfg.IntOpt('num_retries', default=3, min=0, help='''
How often a request to the image service is repeated after it failed to connect.'''),
    cfg.BoolOpt('verify_glance_signatures', default=False, help='''
Servers of this host boot only from images whose signature holds, by certificates of ``[key_manager]``.'''),
    cfg.BoolOpt('enable_certificate_validation', default=False, help='''
Signatures count only with a certificate that the request or default_trusted_certificate_ids trusts. What
a request names (2.63) always counts.'''),
    cfg.ListOpt('default_trusted_certificate_ids', default=[], help='''
Certificates trusted where a request names none.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    _ksa.register(conf, GROUP, SERVICE, OPTS)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: _ksa.listed(SERVICE, OPTS)}
