"""What a host is asked about a guest while a user waits, and its answer."""

from nova.objects import base
from nova.objects.base import fields


class GuestQuestion(base.Record):
    """About whom, and what in particular: the `kind` of a console, how many `lines` of its log (None: all)."""

    fields = {
        'instance': fields.ObjectField('Instance'),
        'kind': fields.maybe(fields.StringField),
        'lines': fields.maybe(fields.IntegerField),
    }


class GuestAnswer(base.Record):
    """What the driver said of the guest; its shape is that of `nova.virt.driver.console`."""

    fields = {
        'value': fields.JsonField(),
    }


class ConsolePlace(base.Record):
    """Where a console of a guest listens, and where users reach the proxy to it.

    Attributes:
        base_url: of the proxy, as the host's configuration has it.
        host, port, tls_port: where the hypervisor listens, for the proxy.
        internal_access_path: what the proxy has to say there; None is nothing.
    """

    fields = {
        'base_url': fields.StringField(),
        'host': fields.StringField(),
        'port': fields.IntegerField(),
        'tls_port': fields.maybe(fields.IntegerField),
        'internal_access_path': fields.maybe(fields.SecretField),
    }
