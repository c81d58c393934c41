"""What a user does with volumes, at the volume service and at Compute."""

from nova.tests.fixtures.waiting import PATIENCE, until


class Volumes:
    """The volumes of a user."""

    def __init__(self, user):
        self.user = user
        self._base = f'/v3/{user.project}'

    def send(self, method, path, body=None):
        return self.user.call(method, self._base + path, body, service='volume',
                              headers={'OpenStack-API-Version': 'volume 3.59'})

    def call(self, method, path, body=None):
        answer = self.send(method, path, body)
        assert answer.status_code < 300, (path, answer.text)
        return answer.json() if answer.content else None

    def make(self, **values):
        ident = self.call('POST', '/volumes', {'volume': {'size': 1, **values}})['volume']['id']
        self.wait(ident, 'available')
        return ident

    def show(self, ident):
        return self.call('GET', f'/volumes/{ident}')['volume']

    def wait(self, ident, status, seconds=PATIENCE):
        until(lambda: self.show(ident)['status'] == status, seconds, told=lambda: self.show(ident))

    # What Compute does with them

    def attach(self, server, ident, version='2.101', **more):
        return self.user.call('POST', f'/servers/{server}/os-volume_attachments',
                              {'volumeAttachment': {'volumeId': ident, **more}}, version=version)

    def detach(self, server, ident, version='2.101'):
        return self.user.call('DELETE', f'/servers/{server}/os-volume_attachments/{ident}', version=version)

    def of(self, server, version='2.89'):
        return self.user.get(f'/servers/{server}/os-volume_attachments', version=version)['volumeAttachments']

    def settled(self, server, seconds=PATIENCE):
        """Poll until no attaching or detaching of the server is open."""
        path = f'/servers/{server}/os-instance-actions'

        def over():
            shown = [self.user.get(f'{path}/{one["request_id"]}')['instanceAction']
                     for one in self.user.get(path)['instanceActions']]
            return all(one['events'] and all(event['finish_time'] for event in one['events']) for one in shown)
        until(over, seconds)
