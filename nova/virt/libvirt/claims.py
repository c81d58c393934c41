"""What of this host one guest has to itself, kept in the host's journal."""

from oslo_config import cfg

from nova.task.handles import Host
from nova.virt.driver import kept
from nova.virt.driver.claims import Claim


class Claims:
    """The claims of one host."""

    def __init__(self, conf: cfg.ConfigOpts) -> None:
        self._conf = conf

    def of(self, h: Host) -> Claim:
        """What a guest has claimed."""
        return Claim()

    def claim(self, h: Host) -> Claim:
        return Claim()

    def unclaim(self, h: Host) -> None:
        h.journal.put(kept.CLAIM, None)
