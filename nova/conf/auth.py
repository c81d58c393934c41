"""[keystone_authtoken], which is keystonemiddleware's, and [service_user]: the token that goes along with a
user's, so that long operations outlive his.
"""

from keystonemiddleware import opts as middleware_opts
from oslo_config import cfg

from nova.conf import _ksa

GROUP = 'service_user'
OPTS: list[cfg.Opt] = [
    cfg.BoolOpt('send_service_user_token', default=False, help='''
Requests made with a user's token carry one of this service as well. Other services need it to tell such
requests from the user's own; leave it off only where they cannot check it.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    for group, options in middleware_opts.list_auth_token_opts():
        conf.register_opts(options, group=group)
    _ksa.register(conf, GROUP, None, OPTS)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {GROUP: _ksa.listed(None, OPTS)}
