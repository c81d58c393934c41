"""What shelving and its end carry with them."""

from nova.objects.move import Placing
from nova.steps.images import ImageState


class ShelveState(ImageState):
    """`offloads`: the server leaves its host at once."""

    passing = ImageState.passing

    offloads: bool = False


class UnshelveState(Placing):
    """
    Attributes:
        offloaded: the server has no host, and has to get one.
        image_id: has its disk, where that is none of a volume's.
        unplugged: see `nova.ops.build.wire.BuildState`.
        pins: the zone that it is tied to changes to `pin`; None is none.
        pinned: what it was before.
    """

    offloaded: bool = False
    image_id: str | None = None
    unplugged: list[str] = []
    pins: bool = False
    pin: str | None = None
    pinned: str | None = None
