"""Transport URLs of cells."""

import urllib.parse

from nova import errors


def fill(template: str, base: str | None) -> str:
    """A cell mapping's URL with its ``{username}``, ``{password}``, ``{hostname}``, ``{port}``, ``{scheme}``,
    ``{path}``, ``{query}`` and ``{fragment}`` taken from the URL in the configuration, so that mappings need
    not hold passwords.

    Raises:
        errors.Invalid: the template names something else, or something the configuration does not have.
    """
    if '{' not in template:
        return template
    parts = urllib.parse.urlsplit(base or '')
    values: dict[str, str | int] = {
        'scheme': parts.scheme, 'path': parts.path.lstrip('/'), 'query': parts.query,
        'fragment': parts.fragment}
    for number, netloc in enumerate(parts.netloc.split(','), 1):
        part = urllib.parse.urlsplit(f'//{netloc}')
        found = {'username': part.username, 'password': part.password, 'hostname': part.hostname,
                 'port': part.port}
        values.update({f'{key}{number}': value for key, value in found.items() if value is not None})
        if number == 1:
            values.update({key: value for key, value in found.items() if value is not None})
    try:
        return template.format(**values)
    except (KeyError, IndexError, ValueError) as error:
        raise errors.Invalid(f'The transport URL template of a cell cannot be filled: {error}') from None
