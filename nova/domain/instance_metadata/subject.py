"""A server as its metadata shows it."""

import dataclasses

from nova.common.jsonutil import JsonObject
from nova.domain import userdata
from nova.objects.instance import Instance
from nova.objects.keypair import KeyPair
from nova.objects.network_model import IP, VIF


@dataclasses.dataclass(frozen=True)
class Subject:
    """What metadata is made of; pure values.

    Attributes:
        instance: with its flavor, keypair, network info, metadata and block devices.
        zone: the availability zone it runs in.
        domain: appended to host names that have none ([api] dhcp_domain).
        seed: random bytes for the guest's entropy pool.
        password: the administrator's; only a config drive says it.
        files: path and contents of what the user has put into the guest.
        vendordata: what the operator says to every guest.
        vendordata_dynamic: what the operator's services say to this one, by name of the service.
    """

    instance: Instance
    zone: str | None
    domain: str = ''
    seed: bytes = b''
    password: str | None = dataclasses.field(default=None, repr=False)
    files: tuple[tuple[str, bytes], ...] = dataclasses.field(default=(), repr=False)
    vendordata: JsonObject = dataclasses.field(default_factory=dict)
    vendordata_dynamic: JsonObject = dataclasses.field(default_factory=dict)

    @property
    def hostname(self) -> str:
        """Fully qualified where a domain is known."""
        name = self.instance.hostname or self.instance.uuid
        return f'{name}.{self.domain}' if self.domain and '.' not in name else name

    @property
    def user_data(self) -> bytes | None:
        text = self.instance.user_data
        return userdata.decode(text) if text else None

    @property
    def key(self) -> KeyPair | None:
        """The key pair it was made with, as it was then; None without one."""
        return self.instance.keypair if self.instance.key_name else None

    @property
    def addresses(self) -> list[IP]:
        """Fixed addresses, in the order of the interfaces."""
        info = self.instance.network_info
        return info.fixed_ips() if info is not None else []

    @property
    def vifs(self) -> list[VIF]:
        info = self.instance.network_info
        return list(info.vifs) if info is not None else []
