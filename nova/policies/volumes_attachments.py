"""Rules: volumes attachments."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, SERVICE, Rule

CREATE = Rule(
    'os_compute_api:os-volumes-attachments:create', PROJECT_MEMBER_OR_ADMIN,
    'Attach a volume to a server.')
DELETE = Rule(
    'os_compute_api:os-volumes-attachments:delete', PROJECT_MEMBER_OR_ADMIN,
    'Detach a volume from a server.')
INDEX = Rule(
    'os_compute_api:os-volumes-attachments:index', PROJECT_READER_OR_ADMIN,
    'List volume attachments of a server.')
SHOW = Rule(
    'os_compute_api:os-volumes-attachments:show', PROJECT_READER_OR_ADMIN,
    'Show a volume attachment of a server.')
SWAP = Rule('os_compute_api:os-volumes-attachments:swap', SERVICE, 'Replace an attached volume by another one.')
UPDATE = Rule(
    'os_compute_api:os-volumes-attachments:update', PROJECT_MEMBER_OR_ADMIN,
    'Change a volume attachment of a server.')
