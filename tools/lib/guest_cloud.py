"""What `tools/quickstart --libvirt` runs: a cloud in one process whose guests are those of QEMU.

Its host is a simulated one with a libvirtd of its own. The machine's libvirt and network are left alone, and at
the end nothing is left.
"""

import os
import pathlib
import shutil
import signal
import sys
import tempfile

import guest_hosts

from nova.standalone import demo


def main(words: list[str]) -> int:
    """Returns the exit code.

    Args:
        words: further options of nova-standalone.
    """
    if os.geteuid() != 0:
        print('Hosts for guests are namespaces, which root alone can make: sudo tools/quickstart --libvirt',
              file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    image = guest_hosts.build()
    hosts = guest_hosts.Hosts.up(['compute1'])
    os.environ |= hosts.environment(1)
    options = ['--driver', 'libvirt', '--libvirt-uri', hosts.uri(1), '--image', str(image)]
    # Guests end with their host: a cloud that nobody gave a place is a new one, and does not outlive them.
    directory = pathlib.Path(tempfile.mkdtemp(prefix='nova-quickstart-'))
    directory.chmod(0o755)
    try:
        code = demo.main([*options, '--state-dir', str(directory), *words])
    finally:
        hosts.down()
    if code == 0:
        shutil.rmtree(directory)
    return code


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
