"""What a server got in the way of networks: its interfaces, as the network service described them last."""


import sqlalchemy as sa

from nova.common.jsonutil import JsonObject
from nova.db.cell.models import instance_extra
from nova.objects import base, fields


class IP(base.Record):
    """An address; `type` is fixed or floating, and floating ones hang on a fixed one."""

    address: str
    version: int = 4
    type: str = 'fixed'
    floating_ips: list['IP'] = []


class Subnet(base.Record):
    """A subnet and the server's addresses in it; `routes` are ``{cidr, gateway}``."""

    id: str | None = None
    cidr: str | None = None
    version: int = 4
    gateway: str | None = None
    dns: list[str] = []
    dhcp_server: str | None = None
    ipv6_address_mode: str | None = None
    routes: fields.Json = []
    ips: list[IP] = []


class Network(base.Record):

    id: str
    label: str | None = None
    bridge: str | None = None
    mtu: int | None = None
    physical_network: str | None = None
    tunneled: bool = False
    project_id: str | None = None
    subnets: list[Subnet] = []


class VIF(base.Record):
    """An interface: a port with its network and how it is bound on the host.

    Attributes:
        id: of the port.
        type: how it is plugged: ovs, bridge, unbound, binding_failed ...
        details: the binding's details.
        profile: the binding's profile.
        made_by_us: we made the port, so it goes with the server.
        security_groups: names, as users know them; ids of groups that are gone.
    """

    id: str
    address: str | None = None
    network: Network
    type: str | None = None
    vnic_type: str = 'normal'
    devname: str | None = None
    ovs_interfaceid: str | None = None
    details: fields.Json = {}
    profile: fields.Json = {}
    active: bool = False
    made_by_us: bool = False
    delegate_create: bool = True
    tag: str | None = None
    security_groups: list[str] = []

    def fixed_ips(self) -> list[IP]:
        return [ip for subnet in self.network.subnets for ip in subnet.ips]


class NetworkInfo(base.Record):
    """The interfaces of a server, in the order in which the guest sees them."""

    vifs: list[VIF] = []

    def fixed_ips(self) -> list[IP]:
        return [ip for vif in self.vifs for ip in vif.fixed_ips()]


def stored(conn: sa.Connection, uuid: str) -> JsonObject | None:
    """What a server's row says of its interfaces, as it is stored; None where it says nothing."""
    table = instance_extra
    return conn.execute(sa.select(table.c.network_info).where(table.c.instance_uuid == uuid)).scalar()


def swap(conn: sa.Connection, uuid: str, old: object, new: NetworkInfo) -> bool:
    """Write down a server's interfaces where the row still says `old`, a value of `stored`; whether it did."""
    table = instance_extra
    return conn.execute(table.update().where(
        table.c.instance_uuid == uuid, table.c.network_info == old).values(
        network_info=base.at_rest(new))).rowcount == 1
