"""What processes of this machine have had, as its kernel and they themselves tell."""

import collections
import os
import pathlib
import urllib.request

import sqlalchemy as sa

TICK = os.sysconf('SC_CLK_TCK')
MIB = 1024


def processor(pid: int) -> float:
    """Seconds of processor time that a process has had."""
    words = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(words[11]) + int(words[12])) / TICK


def memory(pid: int) -> float:
    """MiB that a process has resident; of what is shared its part."""
    lines = pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()
    return next((int(line.split()[1]) / MIB for line in lines if line.startswith('Pss:')), 0.0)


def with_children(pid: int) -> list[int]:
    """A process, and those that it has begun, in whichever of its threads."""
    listed = [file.read_text() for file in pathlib.Path(f'/proc/{pid}/task').glob('*/children')]
    return [pid, *(one for child in ' '.join(listed).split() for one in with_children(int(child)))]


def mariadb(conn: sa.Connection) -> int:
    """The process of the MariaDB that is asked, on this machine."""
    folder, file = conn.exec_driver_sql('SELECT @@datadir, @@pid_file').one()
    return int((pathlib.Path(folder) / file).read_text())


def counted(port: int, *names: str) -> collections.Counter[str]:
    """What a process of ours has counted under these names of metrics: by method, where they have one."""
    found: collections.Counter[str] = collections.Counter()
    with urllib.request.urlopen(f'http://127.0.0.1:{port}/metrics', timeout=60) as page:
        for line in page.read().decode().splitlines():
            if line.startswith(tuple(f'{name}{{' for name in names)):
                labels, _, value = line.partition('{')[2].rpartition('} ')
                what = labels.partition('method="')[2].partition('"')[0] or line.partition('_total')[0]
                found[what] += float(value)  # type: ignore[assignment]  # counters are shown as such
    return found
