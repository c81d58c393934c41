"""nova-manage: what operators do to a deployment."""

import argparse
import os
import sys
import traceback

from oslo_log import log

from nova import conf as nova_conf
from nova import version
from nova.cmd.manage import command
from nova.common import folder

_PASSED_ON = ('--config-file', '--config-dir', '--log-config-append', '--log-file', '--log-dir')
_FLAGS_PASSED_ON = ('--debug', '--use-syslog', '--use-json', '--use-journal', '--watch-log-file')


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    folder.modules(__name__)  # each declares its commands
    top = argparse.ArgumentParser(prog='nova-manage', description='Manage an OpenStack compute deployment.')
    top.add_argument('--version', action='version', version=version.package())
    top.add_argument('--post-mortem', action='store_true', help='show the traceback of an unexpected error')
    for name in _PASSED_ON:
        top.add_argument(name, action='append', default=[], metavar='PATH')
    for name in _FLAGS_PASSED_ON:
        top.add_argument(name, action='store_true')
    categories = top.add_subparsers(dest='category', required=True, metavar='CATEGORY')
    parsers: dict[str, argparse._SubParsersAction] = {}
    for (category, name), one in sorted(command.COMMANDS.items()):
        if not name:  # the category is the command
            _fill(categories.add_parser(category, help=one.what, description=one.run.__doc__,
                                        formatter_class=argparse.RawDescriptionHelpFormatter), one)
            continue
        if category not in parsers:
            parsers[category] = categories.add_parser(category).add_subparsers(
                dest='command', required=True, metavar='COMMAND')
        sub = parsers[category].add_parser(name, help=one.what, description=one.run.__doc__,
                                           formatter_class=argparse.RawDescriptionHelpFormatter)
        _fill(sub, one)
    return top


def _fill(parser: argparse.ArgumentParser, one: command.Command) -> None:
    parser.set_defaults(command=one.name)
    for argument in one.arguments:
        parser.add_argument(*argument.names, **argument.options)


def _conf_args(options: argparse.Namespace) -> list[str]:
    args: list[str] = []
    for name in _PASSED_ON:
        for value in getattr(options, name.strip('-').replace('-', '_')):
            args += [name, value]
    return args + [name for name in _FLAGS_PASSED_ON if getattr(options, name.strip('-').replace('-', '_'))]


def run(argv: list[str], env: command.Env | None = None) -> int:
    """Run one command line; returns its exit code, 255 for an error that nobody expected.

    Args:
        env: by default built from the configuration that the command line names.
    """
    options = parser().parse_args(argv)
    one = command.COMMANDS[options.category, options.command]
    try:
        if env is None:
            conf = nova_conf.new(args=_conf_args(options))
            log.setup(conf, 'nova')
            env = command.Env(conf)
        return one.run(env, options) or 0
    except Exception as error:  # noqa: BLE001  the contract: whatever was not expected is 255
        if options.post_mortem or options.debug:
            traceback.print_exc()
        sys.stderr.write(f'An error has occurred: {command.masked(str(error))}\n')
        return 255


def main() -> int:
    """Entry point."""
    try:
        return run(sys.argv[1:])
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 255
