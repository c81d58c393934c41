"""What a rebuild carries with it."""

from nova.objects import base, fields
from nova.objects.instance import Instance
from nova.steps.injection import InjectedFile


class RebuildState(base.State):
    """
    Attributes:
        new: what the server's record is to say, those fields alone.
        old: what these fields said before.
        image_id: what the root disk is to be made of.
        reimages: the root disk is a volume, whose data the volume service replaces.
        stopped: the server was off, and is to be off again.
        lost: there is nothing any more to go back to.
        trust, files, password: see `nova.ops.build.wire.BuildState`.
    """

    passing = ('trust', 'files', 'password')

    new: Instance
    old: Instance | None = None
    image_id: str
    reimages: bool = False
    stopped: bool = False
    lost: bool = False
    trust: fields.Secret | None = None
    files: list[InjectedFile] = []
    password: fields.Secret | None = fields.since('1.1', None)
