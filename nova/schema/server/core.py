"""What a server is called, what state it is in, and to whom it belongs."""


from nova import states
from nova.common import clock
from nova.objects.instance import Instance
from nova.rest import types
from nova.rest.field import ABSENT, Document, Field, Span
from nova.schema.server import faces
from nova.schema.server.look import Look


def status(server: Instance, look: Look) -> str:
    return states.status(server.vm_state, server.task_state, bool(server.deleted))


def _progress(server: Instance, look: Look) -> object:
    return (server.progress or 0) if status(server, look) in states.PROGRESS_STATUSES else ABSENT


def _fault(server: Instance, look: Look) -> object:
    """The last failure; its details, tracebacks and what hosts have room for, are for administrators."""
    found = look.faults.get(server.uuid) if status(server, look) in states.FAULT_STATUSES else None
    if not found:
        return ABSENT
    fault = {'code': found['code'], 'created': look.time(found['created']), 'message': found['message']}
    if found.get('details') and look.is_admin:
        fault['details'] = found['details']
    return fault


FAULT = {'type': 'object', 'properties': {
    'code': types.INTEGER, 'created': types.TIME, 'message': types.TEXT, 'details': types.TEXT},
    'required': ['code', 'created', 'message'], 'additionalProperties': False}
DESCRIPTION = types.nullable(types.DESCRIPTION)
USER_DATA = types.BASE64


class Core(Document):
    id = Field(types.UUID, 'UUID of the server.', attribute='uuid', list='2.1', **faces.ALWAYS)
    name = Field(types.NAME, 'Name of the server.', attribute='display_name', required=('create',),
                 create='2.1', update='2.1', rebuild='2.1', list='2.1', **faces.ALWAYS)
    status = Field(types.enum(*states.statuses()), 'State in one word.', get=status, **faces.ALWAYS)
    tenant_id = Field(types.TEXT, 'The project it belongs to.', attribute='project_id',
                      **faces.ALWAYS)
    user_id = Field(types.TEXT, 'Who created it.', **faces.ALWAYS)
    metadata = Field(types.METADATA, 'Items of the user.', attribute='metadata', needs=('metadata',),
                     create='2.1', rebuild='2.1', **faces.ALWAYS)
    created = Field(types.TIME, 'When it was created.', get=lambda s, look: clock.isotime(s.created_at),
                    **faces.ALWAYS)
    updated = Field(types.TIME, 'When it changed last.',
                    get=lambda s, look: clock.isotime(s.updated_at or s.created_at), **faces.ALWAYS)
    links = Field(types.LINKS, get=lambda s, look: look.links.of('servers', s.uuid), list='2.1', **faces.ALWAYS)
    progress = Field(types.INTEGER, 'Percent of what is being done.', get=_progress, maybe=True, **faces.ALWAYS)
    fault = Field(FAULT, 'What went wrong, when the status is ERROR or DELETED.', get=_fault, maybe=True,
                  needs=('fault',), **faces.ALWAYS)
    description = Field(DESCRIPTION, 'Free text.', attribute='display_description',
                        create='2.19', update='2.19', rebuild='2.19', **faces.since('2.19'))
    locked = Field(types.BOOLEAN, 'Whether only administrators may act on it.',
                   get=lambda s, look: bool(s.locked_by), **faces.since('2.9'))
    locked_reason = Field(types.nullable(types.TEXT), 'Why it is locked.',
                          get=lambda s, look: (s.system_metadata or {}).get('locked_reason'),
                          **faces.since('2.73'))
    tags = Field(types.array(types.TAG, high=50), 'Labels.', needs=('tags',), get=lambda s, look: list(s.tags),
                 create='2.52', **faces.since('2.26'))
    key_name = Field(types.nullable(types.TEXT), 'Name of the key pair.', show='2.1', detail='2.1',
                     updated='2.75', rebuilt='2.54',
                     create=Span(type=types.NAME), rebuild=Span('2.54', type=types.nullable(types.KEY)))
    user_data = Field(types.nullable(USER_DATA), 'Base64 text handed to the guest.', attribute='user_data',
                      rebuilt='2.57', create=Span(type=USER_DATA), rebuild='2.57')
    config_drive = Field(types.TEXT, '``True`` when it has a drive with its metadata.',
                         get=lambda s, look: 'True' if s.config_drive else '',
                         create=Span(type=types.BOOLISH), **faces.EXTENDED)
    adminPass = Field(types.TEXT, 'Password of the administrator.', create='2.1', rebuild='2.1', rebuilt='2.1',
                      maybe=True, get=lambda s, look: look.password or ABSENT)
    personality = Field(types.array({
        'type': 'object', 'properties': {'path': types.TEXT, 'contents': types.text(format='base64')},
        'additionalProperties': False}), 'Files for the guest.',
        create=Span('2.1', '2.56'), rebuild=Span('2.1', '2.56'))
    min_count = Field(types.integer(1), 'How many servers at least.', create='2.1')
    max_count = Field(types.integer(1), 'How many servers at most.', create='2.1')
    return_reservation_id = Field(types.BOOLISH, 'Answer with a reservation id instead of a server.',
                                  create='2.1')
