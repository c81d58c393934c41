"""nova-policy: what may a user do?"""

import argparse
import sys

from oslo_config import cfg

from nova import conf as nova_conf
from nova import context, policies, version
from nova.policies import enforcer


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog='nova-policy', description='Show what policy allows.')
    top.add_argument('--version', action='version', version=version.package())
    top.add_argument('--config-file', action='append', default=[], metavar='PATH')
    check = top.add_subparsers(dest='command', required=True).add_parser(
        'check', help='list the rules that a user passes')
    check.add_argument('--os-roles', default='', help='roles, separated by commas')
    check.add_argument('--os-user-id')
    check.add_argument('--os-tenant-id')
    check.add_argument('--api-name', help='only rules whose name contains this')
    check.add_argument('--target', action='append', default=[], metavar='KEY=VALUE',
                       help='what is acted upon, such as project_id=... or user_id=...; by default one\'s own')
    return top


def main(argv: list[str] | None = None) -> int:
    """Entry point: 0 rules were listed, 1 no rule has such a name, 255 the
    configuration cannot be read."""
    options = parser().parse_args(argv if argv is not None else sys.argv[1:])
    caller = context.RequestContext(
        options.os_user_id, options.os_tenant_id,
        roles=[role.strip() for role in options.os_roles.split(',') if role.strip()])
    target = dict(pair.partition('=')[::2] for pair in options.target)
    own = {'user_id': options.os_user_id, 'project_id': options.os_tenant_id}
    rules = [rule for rule in policies.load() if (options.api_name or '') in rule.name]
    if not rules:
        sys.stdout.write(f'No rule matches {options.api_name}\n')
        return 1
    try:
        asked = enforcer.Enforcer(nova_conf.new(config_files=options.config_file or None))
    except cfg.Error as error:
        sys.stderr.write(f'nova-policy: {error}\n')
        return 255
    for rule in rules:
        if asked.can(caller, rule, {**own, **target}):
            sys.stdout.write(f'{rule.name}\n')
    return 0
