"""Whether a broker answers: seen from outside of the library, which waits for one that is silent."""

import socket
import ssl

_GREETING = b'AMQP\0\0\x09\x01'
"""What a client of AMQP 0-9-1 says first; any broker answers, be it that it speaks something else."""


def answers(address: tuple[str, int], seconds: float, tls: bool = False) -> bool:
    """Connect and hear a first word, each within `seconds`; nothing secret is said.

    A machine that has gone, a black hole on the way and a process that stands still accept connections, or seem
    to, and say nothing.
    """
    try:
        with socket.create_connection(address, seconds) as connection:
            connection.settimeout(seconds)
            if tls:
                with _unchecked().wrap_socket(connection):
                    return True
            connection.sendall(_GREETING)
            return connection.recv(1) != b''
    except OSError:
        return False


def _unchecked() -> ssl.SSLContext:
    """Who it is that answers is for the connection to check over which something is sent."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made
