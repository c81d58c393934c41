"""[DEFAULT]: what every service needs to know about itself."""

import socket

from oslo_config import cfg
from oslo_utils import netutils

OPTS: list[cfg.Opt] = [
    cfg.HostAddressOpt('host', default=socket.gethostname(), sample_default='<current_hostname>', help='''
Name of this host in the deployment: address of its queue on the bus, name of its service and of its
compute node. It must be unique, and must not change while the host has servers.'''),
    cfg.HostAddressOpt('my_ip', default=netutils.get_my_ipv4(), sample_default='<host_ipv4>', help='''
Address of this host on the management network.'''),
    cfg.HostAddressOpt('my_shared_fs_storage_ip', default='$my_ip', help='''
Address from which this host reaches the storage of shares: it is the one that the share service lets in.'''),
    cfg.StrOpt('state_path', default='/var/lib/nova', help='''
Directory under which services keep what must survive a restart.'''),
    cfg.StrOpt('concurrency_backend', default='threading', choices=['threading', 'eventlet'], help='''
How the bus services run many things at once. Read before anything else, so it works in a file named with
--config-file; the environment variable NOVA_CONCURRENCY wins over it. WSGI applications always use
threads.'''),
    cfg.StrOpt('instance_usage_audit_period', default='month', regex=r'(hour|day|month|year)(@\d+)?', help='''
Period of audits of usage: hour, day, month or year; month@15 begins on the 15th, day@6 at six.'''),
    cfg.StrOpt('default_availability_zone', default='nova', help='''
Zone shown for compute hosts in no aggregate that names one. Users should not ask for it by name.'''),
    cfg.StrOpt('internal_service_availability_zone', default='internal', help='''
Zone shown for services that run no servers.'''),
    cfg.StrOpt('default_schedule_zone', help='''
Zone of servers whose request names none; unset leaves the scheduler free.'''),
    cfg.StrOpt('instance_name_template', default='instance-%08x', help='''
Name of a guest on its hypervisor. May use the number of the server in its cell (%08x) or %(uuid)s.'''),
]


def register_opts(conf: cfg.ConfigOpts) -> None:
    conf.register_opts(OPTS)


def list_opts() -> dict[str, list[cfg.Opt]]:
    return {'DEFAULT': OPTS}
