"""What a host is asked about itself or a guest while a user waits, and its answer."""

from nova.objects import base, fields
from nova.objects.instance import Instance


class GuestQuestion(base.Record):
    """About whom, and what in particular: the `kind` of a console, how many `lines` of its log (None: all)."""

    instance: Instance
    kind: str | None = None
    lines: int | None = None


class ImageList(base.Record):
    """Images that a host is to have at hand."""

    images: list[str]


class GuestsQuestion(base.Record):
    """Which host is asked for a list of its guests."""

    host: str


class GuestList(base.Record):
    """The servers whose guests a host has."""

    servers: list[str]


class HostQuestion(base.Record):
    """Which host is asked about itself."""

    host: str


class HostUptime(base.Record):
    """How long a host has been up, as ``uptime`` prints it."""

    text: str


class GuestAnswer(base.Record):
    """What the driver said of the guest; its shape is that of `nova.virt.driver.console`."""

    value: fields.Json


class ConsolePlace(base.Record):
    """Where a console of a guest listens, and where users reach the proxy to it.

    Attributes:
        base_url: of the proxy, as the host's configuration has it.
        host, port, tls_port: where the hypervisor listens, for the proxy.
        internal_access_path: what the proxy has to say there; None is nothing.
    """

    base_url: str
    host: str
    port: int
    tls_port: int | None = None
    internal_access_path: fields.Secret | None = None
