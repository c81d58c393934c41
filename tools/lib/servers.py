"""Real servers for tests: MariaDB, PostgreSQL and RabbitMQ, private, on loopback, started by hand.

    python tools/lib/servers.py up DIR [mariadb] [postgresql] [rabbitmq]
    python tools/lib/servers.py down DIR

`up` prints NAME=URL lines for the environment.

Everything a server needs lives below DIR; nothing that runs on the machine already is touched. What is
committed outlives the server but not the machine (no fsync), since what is tested is our behaviour, not theirs.
No systemd, no container.
"""

import contextlib
import glob
import itertools
import json
import os
import pathlib
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import NoReturn

ALL = ('mariadb', 'postgresql', 'rabbitmq')


class NotStarted(RuntimeError):
    """A server or a process did not come up, or a command that prepares it failed; says what it told."""


RESERVED = pathlib.Path(tempfile.gettempdir()) / f'nova-ports.{os.getuid()}'
"""One file for each port that was given away lately, whose server may not have taken it yet."""
RESERVED_SECONDS = 3600.0


def _lasting_ports() -> list[int]:
    """Those that the system does not take for outgoing connections, so that what is free stays free."""
    first, last = map(int, pathlib.Path('/proc/sys/net/ipv4/ip_local_port_range').read_text().split())
    return [port for port in range(10000, 65536) if not first <= port <= last] or list(range(first, last + 1))


def _reserve(port: int) -> bool:
    """Whether the port is now this caller's: commands that run side by side choose different ones."""
    file = RESERVED / str(port)
    with contextlib.suppress(FileNotFoundError):
        if time.time() - file.stat().st_mtime > RESERVED_SECONDS:
            file.unlink()
    try:
        file.touch(exist_ok=False)
    except FileExistsError:
        return False
    with contextlib.closing(socket.socket()) as probe:
        # As the server will do it: what lingers of an earlier connection does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            probe.bind(('127.0.0.1', port))
            return True
    return False


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody has now, and that nobody is likely to take."""
    RESERVED.mkdir(exist_ok=True)
    ports = _lasting_ports()
    random.shuffle(ports)
    return list(itertools.islice(filter(_reserve, ports), count))


def wait_for(what: str, ready, seconds: float = 60.0, log: pathlib.Path | None = None) -> None:
    """Poll `ready` until it is true; say what the log says when it never is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        time.sleep(0.1)
    tail = log.read_text(errors='replace')[-3000:] if log and log.exists() else ''
    raise NotStarted(f'{what} did not start within {seconds:.0f} s.\n{tail}')


def listens(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(('127.0.0.1', port)) == 0


def ready(name: str, port: int) -> bool:
    """Whether a server takes clients: PostgreSQL listens somewhat earlier."""
    if not listens(port):
        return False
    return name != 'postgresql' or subprocess.run(
        [postgresql_programs() / 'pg_isready', '-q', '-h', '127.0.0.1', '-p', str(port)]).returncode == 0


def start(directory: pathlib.Path, name: str, command: list[str], user: str | None = None,
          env: dict[str, str] | None = None) -> None:
    """Start a server in a session of its own; keep its pid, and how to start it again."""
    (directory / f'{name}.start').write_text(json.dumps([command, user, env]))
    with open(directory / f'{name}.log', 'ab') as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                   start_new_session=True, user=user, env={**os.environ, **(env or {})},
                                   cwd=directory / name)
    (directory / f'{name}.pid').write_text(str(process.pid))


def start_again(directory: pathlib.Path, name: str) -> None:
    """Start a server that has ended, on its port and with its data; returns at once."""
    command, user, env = json.loads((directory / f'{name}.start').read_text())
    start(directory, name, command, user, env)


def processes(directory: pathlib.Path, name: str) -> list[int]:
    """Every process of a server: those whose working directory is its own, whoever of them has died."""
    home, found = str((directory / name).resolve()), []
    for entry in pathlib.Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError):
            if os.readlink(entry / 'cwd') == home:
                found.append(int(entry.name))
    return found


def end(directory: pathlib.Path, name: str, how: int = signal.SIGTERM, seconds: float = 20.0) -> None:
    """Send a signal to a server and wait until all of its processes are gone, by force after `seconds`."""
    pid = int((directory / f'{name}.pid').read_text())
    if name == 'postgresql' and how == signal.SIGTERM:
        how = signal.SIGINT  # does not wait for its clients to leave
    limit = time.monotonic() + (0 if how == signal.SIGKILL else seconds)
    left = processes(directory, name)
    if how != signal.SIGKILL and pid in left:
        os.killpg(pid, how)
    while left:
        if time.monotonic() >= limit:
            for one in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
        time.sleep(0.05)
        left = processes(directory, name)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    # PostgreSQL refuses to start while its last process has not been buried by whoever is to do that.
    while pathlib.Path(f'/proc/{pid}').exists() and time.monotonic() < limit + 10:
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be noticed by its parent does not."""
    try:
        state = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in 'ZX'


def unprivileged(name: str) -> str | None:
    """The user to run a server as: `name` when we are root, since PostgreSQL refuses to be."""
    if os.getuid() != 0:
        return None
    pwd.getpwnam(name)
    return name


def mariadb(directory: pathlib.Path) -> str:
    data, [port] = directory / 'mariadb', free_ports(1)
    user = 'root' if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
    install = shutil.which('mariadb-install-db') or shutil.which('mysql_install_db') or 'mariadb-install-db'
    subprocess.run([install, '--no-defaults', f'--datadir={data}', '--auth-root-authentication-method=normal',
                    '--skip-test-db', f'--user={user}'], check=True, stdout=subprocess.DEVNULL)
    daemon = shutil.which('mariadbd') or '/usr/sbin/mariadbd'
    sock = directory / 'm.sock'
    password = secrets.token_hex(8)
    temporary = directory / 'mariadb-tmp'  # a server that starts deletes all tables of others in the one it has
    temporary.mkdir(exist_ok=True)
    init = directory / 'mariadb-init.sql'
    init.write_text(f"CREATE USER IF NOT EXISTS 'nova'@'127.0.0.1' IDENTIFIED BY '{password}';\n"
                    "GRANT ALL ON *.* TO 'nova'@'127.0.0.1' WITH GRANT OPTION;\n")
    start(directory, 'mariadb', [
        daemon, '--no-defaults', f'--datadir={data}', f'--tmpdir={temporary}', f'--port={port}',
        '--bind-address=127.0.0.1', f'--socket={sock}', f'--user={user}', '--innodb-flush-log-at-trx-commit=2',
        '--skip-name-resolve', '--max-connections=2000', f'--init-file={init}',
        '--character-set-server=utf8mb4', '--innodb-buffer-pool-size=256M'])
    wait_for('MariaDB', lambda: listens(port), log=directory / 'mariadb.log')
    return f'NOVA_TEST_MYSQL_URL=mysql+pymysql://nova:{password}@127.0.0.1:{port}'


def postgresql_programs() -> pathlib.Path:
    found = sorted(glob.glob('/usr/lib/postgresql/*/bin/postgres'))
    return pathlib.Path(found[-1] if found else shutil.which('postgres') or 'postgres').parent


def postgresql(directory: pathlib.Path) -> str:
    data, [port] = directory / 'postgresql', free_ports(1)
    user = unprivileged('postgres')
    binary = postgresql_programs()
    data.mkdir()
    password = secrets.token_hex(8)
    secret = directory / 'pg.pw'
    secret.write_text(password)
    if user:
        shutil.chown(data, user)
        shutil.chown(secret, user)
        # The daemon's user must be able to walk down to its data.
        for parent in [directory, *directory.parents]:
            if parent.stat().st_uid == 0 and parent != pathlib.Path('/'):
                with contextlib.suppress(PermissionError):
                    parent.chmod(parent.stat().st_mode | 0o011)
    subprocess.run([binary / 'initdb', '-D', data, '-U', 'nova', '-A', 'scram-sha-256', f'--pwfile={secret}',
                    '-E', 'UTF8', '--no-sync', '--locale=C.UTF-8'], check=True, stdout=subprocess.DEVNULL,
                   user=user, cwd=data)
    log = directory / 'postgresql.log'
    log.touch()
    start(directory, 'postgresql', [
        str(binary / 'postgres'), '-D', str(data), '-p', str(port), '-h', '127.0.0.1', '-k', str(data),
        '-c', 'fsync=off', '-c', 'max_connections=500'], user=user)
    wait_for('PostgreSQL', lambda: ready('postgresql', port), log=log)
    return f'NOVA_TEST_POSTGRESQL_URL=postgresql+psycopg://nova:{password}@127.0.0.1:{port}'


def rabbitmq(directory: pathlib.Path, definitions: dict | None = None) -> str:
    """`definitions` (users, vhosts, permissions) replace the one user and the one vhost."""
    base = directory / 'rabbitmq'
    base.mkdir()
    port, dist, epmd = free_ports(3)
    home = base / 'home'
    home.mkdir()
    cookie = home / '.erlang.cookie'
    cookie.write_text(secrets.token_hex(16))
    cookie.chmod(0o400)
    config = base / 'rabbitmq.conf'
    password = secrets.token_hex(8)
    config.write_text(f'listeners.tcp.1 = 127.0.0.1:{port}\nloopback_users = none\n'
                      f'default_user = nova\ndefault_pass = {password}\n'
                      'disk_free_limit.absolute = 50MB\n')
    if definitions is not None:
        file = base / 'definitions.json'
        file.touch(mode=0o600)
        file.write_text(json.dumps(definitions))
        config.write_text(config.read_text() + f'load_definitions = {file}\n')
    node = f'nova{os.getpid()}@localhost'
    env = {'HOME': str(home), 'RABBITMQ_NODENAME': node, 'RABBITMQ_CONFIG_FILE': str(config),
           'RABBITMQ_MNESIA_BASE': str(base), 'RABBITMQ_LOG_BASE': str(base), 'ERL_EPMD_PORT': str(epmd),
           'ERL_EPMD_ADDRESS': '127.0.0.1', 'RABBITMQ_DIST_PORT': str(dist), 'RABBITMQ_ENABLED_PLUGINS': '',
           'RABBITMQ_ENABLED_PLUGINS_FILE': str(base / 'plugins'), 'RABBITMQ_NODE_IP_ADDRESS': '127.0.0.1',
           'RABBITMQ_PID_FILE': str(base / 'pid'),
           # The emulator's threads sleep when there is nothing to do, rather than spin.
           'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS': '-kernel inet_dist_use_interface {127,0,0,1} '
                                                  '+sbwt none +sbwtdcpu none +sbwtdio none'}
    (base / 'plugins').write_text('[].\n')
    (directory / 'rabbitmq.env').write_text('\n'.join(f'{k}={v}' for k, v in env.items()))
    # Debian's wrapper insists on its own user; the script behind it does not.
    found = glob.glob('/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server')
    start(directory, 'rabbitmq', [found[0] if found else 'rabbitmq-server'], env=env)
    wait_for('RabbitMQ', lambda: listens(port), seconds=90, log=directory / 'rabbitmq.log')
    return f'NOVA_TEST_RABBIT_URL=rabbit://nova:{password}@127.0.0.1:{port}/'


def rabbitmqctl(directory: pathlib.Path, *words: str) -> list[str]:
    """What the broker that lives in `directory` says to its operator, by lines."""
    env = dict(line.partition('=')[::2] for line in (directory / 'rabbitmq.env').read_text().splitlines())
    found = glob.glob('/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmqctl')
    return subprocess.run([found[0] if found else 'rabbitmqctl', *words], env={**os.environ, **env}, check=True,
                          capture_output=True, text=True).stdout.splitlines()


def memcached(directory: pathlib.Path) -> str:
    """Returns host:port."""
    [port] = free_ports(1)
    (directory / 'memcached').mkdir()
    user = ['-u', 'nobody'] if os.getuid() == 0 else []
    start(directory, 'memcached', [shutil.which('memcached') or 'memcached', *user, '-l', '127.0.0.1',
                                   '-p', str(port), '-m', '64'])
    wait_for('memcached', lambda: listens(port), log=directory / 'memcached.log')
    return f'127.0.0.1:{port}'


def up(directory: pathlib.Path, names: list[str]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name in names:
        print(globals()[name](directory), flush=True)


def down(directory: pathlib.Path) -> None:
    """End every server below `directory` by its pid, and remove the directory."""
    for file in sorted(directory.glob('*.pid')):
        end(directory, file.stem)
    for line in (directory / 'rabbitmq.env').read_text().splitlines() if (
            directory / 'rabbitmq.env').exists() else []:
        if line.startswith('ERL_EPMD_PORT='):
            subprocess.run(['epmd', '-port', line.partition('=')[2], '-kill'], check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    shutil.rmtree(directory, ignore_errors=True)


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a command; what did not start is told without a traceback."""
    try:
        sys.exit(main())
    except NotStarted as error:
        sys.exit(str(error))


def main() -> None:
    if len(sys.argv) < 3 or sys.argv[1] not in ('up', 'down'):
        raise SystemExit(__doc__)
    directory = pathlib.Path(sys.argv[2]).absolute()
    if sys.argv[1] == 'down':
        down(directory)
        return
    names = sys.argv[3:] or list(ALL)
    unknown = set(names) - set(ALL)
    if unknown:
        raise SystemExit(f'unknown servers: {", ".join(sorted(unknown))}; there are {", ".join(ALL)}')
    up(directory, names)


if __name__ == '__main__':
    run(main)
