"""What of a fake host one guest has to itself."""

from nova.task.handles import Host
from nova.virt.driver import claims, kept
from nova.virt.fake.guests import Guests


class FakeClaims(Guests):
    """See `nova.virt.driver.claims`."""

    def claim(self, h: Host) -> claims.Claim:
        return claims.Claim()

    def unclaim(self, h: Host) -> None:
        h.journal.put(kept.CLAIM, None)
