"""Rules: create backup."""

from nova.policies.base import PROJECT_MEMBER_OR_ADMIN, Rule

CREATE_BACKUP = Rule('os_compute_api:os-create-backup', PROJECT_MEMBER_OR_ADMIN, 'Back up a server.')
