"""What a server got in the way of networks: its interfaces, as the network service described them last."""

from typing import Any

import sqlalchemy as sa

from nova.db.cell.models import instance_extra
from nova.objects import base
from nova.objects.base import fields


class IP(base.Record):
    """An address; `type` is fixed or floating, and floating ones hang on a fixed one."""

    fields = {
        'address': fields.StringField(),
        'version': fields.IntegerField(default=4),
        'type': fields.StringField(default='fixed'),
        'floating_ips': fields.ListOfObjectsField('IP', default=[]),
    }


class Subnet(base.Record):
    """A subnet and the server's addresses in it; `routes` are ``{cidr, gateway}``."""

    fields = {
        'id': fields.maybe(fields.StringField),
        'cidr': fields.maybe(fields.StringField),
        'version': fields.IntegerField(default=4),
        'gateway': fields.maybe(fields.StringField),
        'dns': fields.ListOfStringsField(default=[]),
        'dhcp_server': fields.maybe(fields.StringField),
        'ipv6_address_mode': fields.maybe(fields.StringField),
        'routes': fields.JsonField(default=[]),
        'ips': fields.ListOfObjectsField('IP', default=[]),
    }


class Network(base.Record):
    fields = {
        'id': fields.StringField(),
        'label': fields.maybe(fields.StringField),
        'bridge': fields.maybe(fields.StringField),
        'mtu': fields.maybe(fields.IntegerField),
        'physical_network': fields.maybe(fields.StringField),
        'tunneled': fields.BooleanField(default=False),
        'project_id': fields.maybe(fields.StringField),
        'subnets': fields.ListOfObjectsField('Subnet', default=[]),
    }


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

    fields = {
        'id': fields.StringField(),
        'address': fields.maybe(fields.StringField),
        'network': fields.ObjectField('Network'),
        'type': fields.maybe(fields.StringField),
        'vnic_type': fields.StringField(default='normal'),
        'devname': fields.maybe(fields.StringField),
        'ovs_interfaceid': fields.maybe(fields.StringField),
        'details': fields.JsonField(default={}),
        'profile': fields.JsonField(default={}),
        'active': fields.BooleanField(default=False),
        'made_by_us': fields.BooleanField(default=False),
        'delegate_create': fields.BooleanField(default=True),
        'tag': fields.maybe(fields.StringField),
        'security_groups': fields.ListOfStringsField(default=[]),
    }

    def fixed_ips(self) -> list[IP]:
        return [ip for subnet in self.network.subnets for ip in subnet.ips]


class NetworkInfo(base.Record):
    """The interfaces of a server, in the order in which the guest sees them."""

    fields = {
        'vifs': fields.ListOfObjectsField('VIF', default=[]),
    }

    def fixed_ips(self) -> list[IP]:
        return [ip for vif in self.vifs for ip in vif.fixed_ips()]


def stored(conn: sa.Connection, uuid: str) -> Any:
    """What a server's row says of its interfaces, as it is stored; None where it says nothing."""
    table = instance_extra
    return conn.execute(sa.select(table.c.network_info).where(table.c.instance_uuid == uuid)).scalar()


def swap(conn: sa.Connection, uuid: str, old: Any, new: NetworkInfo) -> bool:
    """Write down a server's interfaces where the row still says `old`, a value of `stored`; whether it did."""
    table = instance_extra
    return conn.execute(table.update().where(
        table.c.instance_uuid == uuid, table.c.network_info == old).values(
        network_info=base.at_rest(new))).rowcount == 1
