"""The Compute API, one line a microversion; the last line is the newest that is served.

What a version changes in shape is declared on the fields; `Request.at` is for what it changes in behaviour.
"""

import dataclasses

from nova.common.microversion import V


@dataclasses.dataclass(frozen=True)
class Version:
    """One microversion, and the release that ended with it."""

    number: str
    what: str
    release: str | None = None


HISTORY = (
    Version('2.1', 'Requests are validated strictly'),
    Version('2.2', 'Key pairs have a type; creating one answers 201, deleting one 204'),
    Version('2.3', 'Administrators see more server attributes; volumes say if they go with it', 'Kilo'),
    Version('2.4', 'Fixed addresses say whether they are reserved'),
    Version('2.5', 'Anyone may filter servers by IPv6 address'),
    Version('2.6', 'Consoles are asked for at remote-consoles'),
    Version('2.7', 'Access to a public flavor is refused'),
    Version('2.8', 'MKS consoles'),
    Version('2.9', 'Servers show whether they are locked'),
    Version('2.10', 'Administrators reach the key pairs of others'),
    Version('2.11', 'Services can be forced down'),
    Version('2.12', 'Virtual interfaces show their network', 'Liberty'),
    Version('2.13', 'Server groups show project and user'),
    Version('2.14', 'Evacuation finds out itself about shared storage, and returns no password'),
    Version('2.15', 'Soft affinity and anti-affinity'),
    Version('2.16', 'Servers show the status of their host'),
    Version('2.17', 'A crash dump can be triggered'),
    Version('2.18', 'The project in paths is optional'),
    Version('2.19', 'Servers have descriptions'),
    Version('2.20', 'Volumes of shelved servers can be attached and detached'),
    Version('2.21', 'Actions of deleted servers can be read'),
    Version('2.22', 'Live migrations can be forced to complete'),
    Version('2.23', 'Live migrations of a server are listed'),
    Version('2.24', 'Live migrations can be aborted'),
    Version('2.25', 'Block migration is chosen automatically; disk over-commit is gone', 'Mitaka'),
    Version('2.26', 'Servers have tags'),
    Version('2.27', 'The header OpenStack-API-Version is understood'),
    Version('2.28', 'cpu_info of hypervisors is an object'),
    Version('2.29', 'The scheduler checks the host that an evacuation names'),
    Version('2.30', 'The scheduler checks the host that a live migration names'),
    Version('2.31', 'Tokens of every type of console can be looked up'),
    Version('2.32', 'Networks and block devices of a new server can be tagged'),
    Version('2.33', 'Hypervisors are paged'),
    Version('2.34', 'Live migration checks in the background'),
    Version('2.35', 'Key pairs are paged'),
    Version('2.36', 'Other services are not proxied any more'),
    Version('2.37', 'A new server says which networks it wants: auto, none, or a list'),
    Version('2.38', 'An unknown status in a filter is refused', 'Newton'),
    Version('2.39', 'Image metadata is not proxied any more'),
    Version('2.40', 'Usages are paged'),
    Version('2.41', 'Aggregates show their UUID'),
    Version('2.42', 'Tags of networks and block devices, again', 'Ocata'),
    Version('2.43', 'os-hosts is gone'),
    Version('2.44', 'Actions on addresses are gone'),
    Version('2.45', 'Snapshots answer with the id of the image'),
    Version('2.46', 'The header X-OpenStack-Request-ID is sent'),
    Version('2.47', 'Servers show what their flavor is, not which'),
    Version('2.48', 'Diagnostics look the same on every hypervisor'),
    Version('2.49', 'Interfaces and volumes can be attached with a tag'),
    Version('2.50', 'Quota classes have server groups, and no networks'),
    Version('2.51', 'Event for grown volumes; events of actions are visible to owners'),
    Version('2.52', 'A new server can have tags'),
    Version('2.53', 'Services and hypervisors are known by UUID', 'Pike'),
    Version('2.54', 'Rebuild can change the key'),
    Version('2.55', 'Flavors have descriptions'),
    Version('2.56', 'Cold migration can name a host'),
    Version('2.57', 'Files are not injected any more; rebuild can change user data'),
    Version('2.58', 'Actions of a server are paged'),
    Version('2.59', 'Migrations are paged and have a UUID'),
    Version('2.60', 'Volumes can be attached to several servers', 'Queens'),
    Version('2.61', 'Flavors show their extra specs'),
    Version('2.62', 'Events of actions show the host'),
    Version('2.63', 'Images are checked against trusted certificates'),
    Version('2.64', 'A server group has one policy, with rules'),
    Version('2.65', 'Live migrations that have not begun can be aborted', 'Rocky'),
    Version('2.66', 'Filter by changes-before'),
    Version('2.67', 'Block devices can name a volume type'),
    Version('2.68', 'Nothing is forced past the scheduler any more'),
    Version('2.69', 'Servers and services of cells that cannot be reached are listed in short'),
    Version('2.70', 'Attached volumes and interfaces show their tag'),
    Version('2.71', 'Servers show their groups'),
    Version('2.72', 'Ports of a new server may ask for resources', 'Stein'),
    Version('2.73', 'A lock has a reason'),
    Version('2.74', 'A new server can name a host'),
    Version('2.75', 'More requests with unknown keys are refused; update and rebuild show the whole server'),
    Version('2.76', 'Event for changed power'),
    Version('2.77', 'Unshelve can name a zone'),
    Version('2.78', 'Servers show their NUMA topology'),
    Version('2.79', 'An attached volume can go with the server', 'Train'),
    Version('2.80', 'Migrations show user and project'),
    Version('2.81', 'Images can be cached ahead on an aggregate'),
    Version('2.82', 'Event for bound accelerators'),
    Version('2.83', 'Anyone may use more filters of servers'),
    Version('2.84', 'Events of actions say what failed'),
    Version('2.85', 'Whether a volume goes with the server can be changed'),
    Version('2.86', 'Extra specs of flavors are validated'),
    Version('2.87', 'Servers that boot from a volume can be rescued', 'Ussuri, Victoria'),
    Version('2.88', 'Hypervisors show no resources; Placement does', 'Wallaby'),
    Version('2.89', 'Attached volumes show attachment and block device'),
    Version('2.90', 'The host name of a server can be chosen', 'Xena, Yoga'),
    Version('2.91', 'Unshelve can name a host, or let go of the zone'),
    Version('2.92', 'Key pairs are imported only'),
    Version('2.93', 'Servers that boot from a volume can be rebuilt with another image', 'Zed'),
    Version('2.94', 'The host name of a server may be fully qualified'),
    Version('2.95', 'Evacuated servers arrive stopped', '2023.1, 2023.2'),
    Version('2.96', 'Servers show the zone that they are pinned to', '2024.1, 2024.2'),
    Version('2.97', 'File shares can be attached'),
    Version('2.98', 'Servers show the properties of their image'),
    Version('2.99', 'SPICE consoles without a proxy'),
    Version('2.100', 'Servers show their scheduler hints', '2025.1, 2025.2'),
    Version('2.101', 'Attaching a volume answers before it is attached'),
    Version('2.102', 'Unknown query keys are always refused; flavors lose what nothing used'),
    Version('2.103', 'os-volumes_boot is gone', '2026.1'),
    Version('2.104', 'The zone that a server is pinned to can be changed'),
)

MIN = V(HISTORY[0].number)
MAX = V(HISTORY[-1].number)
UPDATED = '2013-07-23T11:33:21Z'
"""When the version document says that this API came to be; clients of old compare it."""
