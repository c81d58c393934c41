"""Policy of Placement: upstream's rule names, defaults made from the route table, policy.yaml on top."""

import sys

from oslo_config import cfg
from oslo_policy import policy

from nova.common import policy as common
from nova.placement import routes

_BASE = (
    policy.RuleDefault('admin_api', 'role:admin', 'Administrators.', scope_types=['project']),
    policy.RuleDefault('service_api', 'role:service', 'Services of the cloud.', scope_types=['project']),
    policy.RuleDefault('admin_or_service_api', 'role:admin or role:service',
                       'Administrators and services of the cloud.', scope_types=['project']),
    policy.RuleDefault('project_reader_api', 'role:reader and project_id:%(project_id)s',
                       'Readers of a project.', scope_types=['project']),
    policy.RuleDefault('admin_or_project_reader_or_service_api',
                       'rule:admin_or_service_api or rule:project_reader_api',
                       'Administrators, services, and readers of the project in question.',
                       scope_types=['project']),
)


def name_of(rule: str) -> str:
    """Full name of a rule of the route table."""
    return f'placement:{rule}'


def list_rules() -> list[policy.RuleDefault]:
    """Every rule with its default, for the enforcer and for oslopolicy-sample-generator."""
    by_rule: dict[str, list[routes.Route]] = {}
    for route in routes.TABLE:
        if route.rule is not None:
            by_rule.setdefault(route.rule, []).append(route)
    return [*_BASE, *(_documented(rule, entries) for rule, entries in by_rule.items())]


def _documented(rule: str, entries: list[routes.Route]) -> policy.RuleDefault:
    name = name_of(rule)
    older = None
    if entries[0].role == routes.SERVICE:
        older = policy.DeprecatedRule(
            name, 'rule:admin_api', deprecated_since='14.0.0',
            deprecated_reason='Only services reshape; administrators may until new defaults are enforced.')
    return policy.DocumentedRuleDefault(
        name=name, check_str=entries[0].role, description=(entries[0].handler.__doc__ or '').partition('\n')[0],
        operations=[{'method': method, 'path': path}
                    for method, path in dict.fromkeys((entry.method, entry.path) for entry in entries)],
        scope_types=['project'], deprecated_rule=older)


def rules(conf: cfg.ConfigOpts) -> common.Rules:
    """The defaults, and the operator's policy file."""
    return common.Rules(conf, list_rules())


def get_enforcer() -> policy.Enforcer:
    """For the command line tools of oslo.policy, which load it by entry point and pass options in argv."""
    conf = cfg.ConfigOpts()
    arguments = [word for number, word in enumerate(sys.argv[1:], 1)
                 if word not in ('--namespace',) and sys.argv[number - 1] != '--namespace'
                 and not word.startswith('--namespace=')]
    known = [word for word in arguments if word.startswith(('--config-file', '--config-dir'))]
    conf(known, project='placement')
    enforcer = policy.Enforcer(conf)
    enforcer.register_defaults(list_rules())
    return enforcer
