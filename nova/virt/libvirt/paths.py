"""Where a guest's files are."""

import pathlib


class Paths:
    """Below ``instances_path``.

    Attributes:
        home: the guest's own directory.
        kept: what a move has kept aside of it.
    """

    def __init__(self, instances: pathlib.Path, uuid: str) -> None:
        self.home = instances / uuid
        self.kept = instances / f'{uuid}_resize'
        self.leaving = instances / f'{uuid}_gone'

    @property
    def root(self) -> pathlib.Path:
        return self.home / 'disk'

    @property
    def swap(self) -> pathlib.Path:
        return self.home / 'disk.swap'

    def ephemeral(self, number: int) -> pathlib.Path:
        return self.home / f'disk.eph{number}'

    @property
    def config(self) -> pathlib.Path:
        """The config drive."""
        return self.home / 'disk.config'

    @property
    def rescue(self) -> pathlib.Path:
        """The root disk of a guest that is being rescued."""
        return self.home / 'disk.rescue'

    @property
    def console(self) -> pathlib.Path:
        """What the serial console has said."""
        return self.home / 'console.log'
