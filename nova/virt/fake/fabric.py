"""What fake hosts have, and how it goes from one to another."""

import pathlib

from nova import errors
from nova.virt.fake.shelf import Shelf
from nova.virt.fake.things import Connected, Disk, Guest, Mounted, Prepared


class Site:
    """Everything that is on one host.

    Attributes:
        disks: server uuid to the local disks that are here.
        kept: server uuid to the disks that a move left behind, until it is confirmed or reverted.
        arriving: server uuid to what was prepared for a guest that comes running.
        volumes: volume id to who uses it here.
        mounted: server uuid to its shares that are mounted here.
    """

    def __init__(self, host: str, directory: pathlib.Path | None = None) -> None:
        def below(name: str) -> pathlib.Path | None:
            return directory / name if directory else None
        self.host = host
        self.guests = Shelf(Guest, below('guests'))
        self.disks = Shelf(Disk, below('disks'))
        self.kept = Shelf(Disk, below('kept'))
        self.arriving = Shelf(Prepared, below('arriving'))
        self.volumes = Shelf(Connected, below('volumes'))
        self.mounted = Shelf(Mounted, below('mounted'))


class Fabric:
    """The hosts that reach one another.

    Args:
        directory: state directories of hosts in other processes are below it, by host; None knows only those of
            this process.
        shared: local disks are on storage that all hosts see.
    """

    def __init__(self, directory: pathlib.Path | None = None, shared: bool = False) -> None:
        self._dir, self.shared = directory, shared
        self._sites: dict[str, Site] = {}

    def join(self, site: Site) -> None:
        """A host can be reached from now on."""
        self._sites[site.host] = site

    def reach(self, name: str, server: str) -> Site:
        """A host.

        Raises:
            errors.virt.MigrationFailed: it cannot be reached.
        """
        if name in self._sites:
            return self._sites[name]
        if self._dir is not None and (self._dir / name / 'guests').is_dir():
            return Site(name, self._dir / name)
        raise errors.virt.MigrationFailed(server=server, reason=f'host {name} cannot be reached')
