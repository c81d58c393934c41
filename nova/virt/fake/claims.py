"""What of a fake host one guest has to itself."""

from nova.common.jsonutil import JsonObject
from nova.task.handles import Host
from nova.virt.claiming import Claims
from nova.virt.driver.claims import Claim
from nova.virt.fake.guests import Guests


class FakeClaims(Guests):
    """See `nova.virt.driver.claims`; a host whose cells nobody says has one, of CPUs that are shared."""

    claims: Claims

    def claim(self, h: Host) -> Claim:
        return self.claims.take(h)

    def port_profiles(self, h: Host) -> dict[str, JsonObject]:
        return self.claims.port_profiles(h)

    def unclaim(self, h: Host) -> None:
        self.claims.unclaim(h)
