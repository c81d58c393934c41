"""What flows carry that bring a server to a host: where it is to go, and where it comes from."""

from nova.objects import base, fields
from nova.objects.flavor import Flavor
from nova.objects.selection import Selection

RESIZE, MIGRATION, LIVE, EVACUATION = 'resize', 'migration', 'live-migration', 'evacuation'


class Placing(base.State):
    """A server that gets a host of its cell.

    Attributes:
        wanted_host: the one that was named; None leaves it to the scheduler.
        forced: it is taken as it is, past every filter.
        ignored: names of hosts that will not do.
        new_flavor: the flavor that it is to have there; None is the one it has.
        selections: the hosts still to be tried, best first.
        claimed: the first of them holds the server's allocation already.
        dest, dest_node, dest_id: the host that is tried now, its node and that node's uuid.
        zone: of that host.
        serving: the providers there that serve what ports ask for (`nova.domain.port_requests`).
    """

    wanted_host: str | None = None
    forced: bool = False
    ignored: list[str] = []
    new_flavor: fields.Late[Flavor] = fields.NOT_YET
    selections: list[Selection] = []
    claimed: bool = False
    dest: fields.Late[str] = fields.NOT_YET
    dest_node: fields.Late[str] = fields.NOT_YET
    dest_id: fields.Late[str] = fields.NOT_YET
    zone: str | None = None
    serving: fields.Json = fields.since('1.2', {})


class Move(Placing):
    """A server on its way from one host to another; drivers are shown it, too.

    Attributes:
        migration: uuid of the `Migration`, which is the consumer that holds what the source gives.
        kind: resize, migration, live-migration or evacuation.
        source, source_node, source_id, source_zone: the host that it leaves, and what belongs to that.
        dest_ip: address of the host it goes to.
        old_flavor: the flavor that it has at the source.
        held: what it held in Placement at the source, by provider.
        served: the providers there that serve what ports ask for.
        runs: its guest ran when the move began.
        sources: the attachments of its volumes at the source, by the volume's id.
        targets: those that they have at the host it goes to.
        unplugged: ports that the host it goes to has to plug in once the guest is there.
    """

    migration: fields.Uuid
    kind: str
    source: str
    source_node: str | None = None
    source_id: str | None = None
    source_zone: str | None = None
    dest_ip: str | None = None
    old_flavor: fields.Late[Flavor] = fields.NOT_YET
    held: fields.Json = {}
    served: fields.Json = fields.since('1.2', {})
    runs: bool = True
    sources: fields.Json = {}
    targets: fields.Json = {}
    unplugged: list[str] = []

    @property
    def same_host(self) -> bool:
        """Whether the server stays where it is, and only changes its flavor."""
        return bool(self.dest == self.source and self.dest_node == self.source_node)


class LiveMove(Move):
    """A server that runs while it moves.

    Attributes:
        block_migration: its local disks are copied, too; None leaves that to the drivers.
        data: what the drivers of both hosts tell each other.
        unseen: the source has not said what became of its guest, which may be at either end.
        arrived: the guest was found at the destination when it was to be given up.
    """

    block_migration: bool | None = None
    data: fields.Json = {}
    unseen: bool = fields.since('1.1', False)
    arrived: bool = False
