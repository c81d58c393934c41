"""Guests that go from one host to another.

The flow of a move tells both hosts what to do; what one host has to know of the other is in the `Move`, or in
the data that the two checks of a live migration fill in, which is the driver's affair alone: it has a JSON
form, and the flow hands it on.
"""

from typing import Protocol

from nova.objects import Flavor
from nova.task.handles import Host

LiveData = dict[str, object]
"""What source and destination tell each other about a live migration."""


class Move(Protocol):
    """What a driver has to know of a move: `nova.objects.Move`.

    Attributes:
        migration: uuid of the migration.
        kind: resize, migration, live-migration or evacuation.
        dest_ip: where the source reaches the destination.
        same_host: the server stays where it is, and only changes its flavor.
    """

    migration: str
    kind: str
    source: str
    dest: str
    dest_ip: str | None
    old_flavor: Flavor
    new_flavor: Flavor

    @property
    def same_host(self) -> bool: ...


class LiveMove(Move, Protocol):
    """A live migration.

    Attributes:
        block_migration: local disks are copied, too; None leaves that to the driver, which sees whether the
            hosts share them.
    """

    block_migration: bool | None


class ColdDriver(Protocol):
    """The guest is off while it moves. Every method may be repeated."""

    def migrate_out(self, h: Host, move: Move) -> None:
        """On the source: shut the guest down, keep its disks aside, and bring a copy to the destination.

        Also of a move within one host, whose copy stays here. Long: tells progress, and stops when cancelled;
        `revert_migration` makes good. `destroy` leaves alone what is kept aside.

        Raises:
            errors.virt.MigrationImpossible: the disks do not fit the new flavor.
        """

    def migrate_in(self, h: Host, move: Move, start: bool, paused: bool = False) -> None:
        """On the destination: make the guest from what came, its disks grown to the new flavor, its volumes
        connected already; claims what it needs. Its undo is `destroy`.

        Args:
            start: it ran before.
            paused: it does not run until `unpause`.
        """

    def confirm_migration(self, h: Host, move: Move) -> None:
        """On the source: forget what was kept, with interfaces and claims."""

    def revert_migration(self, h: Host, move: Move, start: bool) -> None:
        """On the source: the guest is as before the move, its volumes connected already; runs if `start`."""


    def leave_evacuated(self, h: Host, move: Move) -> None:
        """On a source that has returned: the server lives elsewhere; its guest, local disks, interfaces and
        claims here go. Disks that the hosts share stay, for they are in use."""


class LiveDriver(Protocol):
    """The guest runs while it moves. Every method may be repeated."""

    def check_destination(self, h: Host, move: LiveMove) -> LiveData:
        """On the destination: whether the guest can come, as far as this host knows.

        Raises:
            errors.virt.MigrationImpossible: it cannot.
        """

    def check_source(self, h: Host, move: LiveMove, data: LiveData) -> LiveData:
        """On the source: whether the guest can go there; where the move leaves open whether disks are copied,
        it is decided here (``data['block_migration']``).

        Raises:
            errors.virt.MigrationImpossible: it cannot.
        """

    def prepare_live_migration(self, h: Host, move: LiveMove, data: LiveData) -> LiveData:
        """On the destination: claims, interfaces and empty disks are there, its volumes connected already."""

    def live_migrate(self, h: Host, move: LiveMove, data: LiveData) -> None:
        """On the source: bring the guest over; it runs there when this returns.

        Long: tells progress, stops when cancelled or signalled `ABORT` (the guest then runs here still,
        `errors.task.Cancelled`), ends the copying by force when signalled `FORCE_COMPLETE`, and goes post-copy
        when signalled `POST_COPY`. A repetition goes on with a migration that is under way, and is done when
        the guest is gone from here because it has arrived.

        Raises:
            errors.virt.MigrationFailed: the guest runs here as before.
        """

    def finish_live_migration(self, h: Host, move: LiveMove, data: LiveData) -> None:
        """On the destination: the guest that has arrived is this host's for good."""

    def leave_after_live_migration(self, h: Host, move: LiveMove, data: LiveData) -> None:
        """On the source: disks, interfaces and claims of the guest that has left go; shared disks stay."""

    def rollback_live_migration(self, h: Host, move: LiveMove, data: LiveData) -> None:
        """On the destination: nothing of what was prepared is left; shared disks stay.

        Raises:
            errors.virt.GuestArrived: the guest runs here, and nothing was done.
        """


class MoveDriver(ColdDriver, LiveDriver, Protocol):
    """Both."""
