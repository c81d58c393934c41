"""The vocabulary of policy: who counts as what, and a rule as one declaration."""

import dataclasses

from oslo_policy import policy

from nova.common import registry
from nova.common.jsonutil import JsonObject

ADMIN = 'rule:context_is_admin'
PROJECT_READER_OR_ADMIN = 'rule:project_reader_or_admin'
PROJECT_MEMBER_OR_ADMIN = 'rule:project_member_or_admin'
PROJECT_MANAGER_OR_ADMIN = 'rule:project_manager_or_admin'
SERVICE = 'rule:service_or_admin'
OWNER_USER = 'rule:context_is_admin or user_id:%(user_id)s'
ANY = '@'
NOBODY = '!'

ROLES = {
    'context_is_admin': ('role:admin', 'Who may do everything.'),
    'project_reader_api': ('role:reader and project_id:%(project_id)s', 'Who may look at a project.'),
    'project_member_api': ('role:member and project_id:%(project_id)s', 'Who may use a project.'),
    'project_manager_api': ('role:manager and project_id:%(project_id)s', 'Who runs a project.'),
    'service_api': ('role:service', 'Other services.'),
    'project_reader_or_admin': ('rule:project_reader_api or rule:context_is_admin',
                                'Readers of the project, and administrators.'),
    'project_member_or_admin': ('rule:project_member_api or rule:context_is_admin',
                                'Members of the project, and administrators.'),
    'project_manager_or_admin': ('rule:project_manager_api or rule:context_is_admin',
                                 'Managers of the project, and administrators.'),
    'service_or_admin': ('rule:service_api or rule:context_is_admin', 'Services, and administrators.'),
    'admin_or_owner': ('is_admin:True or project_id:%(project_id)s',
                       'Anyone in the project: what most rules were before roles were split.'),
    'admin_api': ('is_admin:True', 'Administrators, before roles were split.'),
}
"""Rules that other rules refer to, and that operators redefine to move whole groups of users."""

_LEGACY = {ADMIN: 'rule:admin_api', SERVICE: 'rule:admin_api', PROJECT_MANAGER_OR_ADMIN: 'rule:admin_api'}

_rules: registry.Registry['Rule'] = registry.Registry('policy rule')


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """Who may do one thing; declaring it registers it.

    Attributes:
        name: what policy.yaml calls it.
        check: default check string.
        description: what it allows, for the sample file.
        was: older name; what policy.yaml says under it counts while the new name is not given.
    """

    name: str
    check: str
    description: str
    was: str | None = None

    def __post_init__(self) -> None:
        _rules.add(self.name, self)

    @property
    def legacy(self) -> str:
        """The check of the time before roles were split."""
        return _LEGACY.get(self.check, 'rule:admin_or_owner')

    def default(self, operations: list[policy.Operation] | None = None) -> policy.RuleDefault:
        """The rule as oslo.policy knows it; `operations` are the API calls it guards, ``{method, path}``."""
        options: JsonObject = {'description': self.description, 'scope_types': ['project']}
        if self.was:
            options['deprecated_rule'] = policy.DeprecatedRule(
                self.was, self.legacy, deprecated_since='21.0.0',
                deprecated_reason='The rule was split, so that readers and members differ.')
        if operations:
            return policy.DocumentedRuleDefault(self.name, self.check, operations=operations, **options)
        return policy.RuleDefault(self.name, self.check, **options)


def role_defaults() -> list[policy.RuleDefault]:
    """`ROLES` as oslo.policy knows them."""
    return [policy.RuleDefault(name, check, description) for name, (check, description) in ROLES.items()]


def declared() -> list[Rule]:
    """Every rule that was declared so far, by name; `nova.policies.load` declares all."""
    return _rules.values()
