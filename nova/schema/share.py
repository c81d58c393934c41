"""Shares of a server, as they are shown and taken."""

from nova.context import RequestContext
from nova.objects import Instance, ShareMapping
from nova.objects.share_mapping import ShareStatus
from nova.rest import types
from nova.rest.field import ABSENT, Document, Field, Get
from nova.states import VM

SINCE = '2.97'
_TAG = types.text(1, 255, 'share-tag')
_OFF = frozenset({VM.STOPPED, VM.ERROR})


class Looked:
    """What a view of a share reads beside it: who looks, and at whose share."""

    def __init__(self, context: RequestContext, instance: Instance) -> None:
        self.instance, self.admin = instance, bool(context.is_admin)


def _for_administrators(name: str) -> Get:
    return lambda share, look: getattr(share, name) if look.admin else ABSENT


def _status(share: ShareMapping, look: Looked) -> str:
    """A guest that is on has the shares that it found when it started."""
    inactive = share.status == ShareStatus.INACTIVE
    return str(ShareStatus.ACTIVE) if inactive and look.instance.vm_state not in _OFF else share.status


class Share(Document):
    """Faces: ``create`` (body) and ``show``, of a `ShareMapping`."""

    uuid = Field(types.UUID, 'Of the attachment, for administrators.', maybe=True,
                 get=_for_administrators('uuid'), show=SINCE)
    share_id = Field(types.UUID, 'Of the share.', required=True, create=SINCE, show=SINCE)
    tag = Field(_TAG, 'What the guest knows it by: its id, unless something else is said.', create=SINCE,
                show=SINCE)
    status = Field(types.enum(*ShareStatus), 'Whether the guest has it: from its next start on, when inactive.',
                   get=_status, show=SINCE)
    export_location = Field(types.TEXT, 'Where it is, for administrators.', maybe=True,
                            get=_for_administrators('export_location'), show=SINCE)
