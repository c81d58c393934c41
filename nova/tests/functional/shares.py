"""What a user does with shares, at the share service and at Compute."""

from nova.tests.fixtures.waiting import until

MANILA = {'X-OpenStack-Manila-API-Version': '2.82'}


class Shares:
    """The shares of a user, and what Compute does with them."""

    def __init__(self, user):
        self.user = user

    def call(self, method, path, body=None):
        return self.user.call(method, f'/v2{path}', body, service='share', headers=MANILA)

    def make(self, protocol='NFS'):
        body = {'share': {'share_proto': protocol, 'size': 1}}
        return self.call('POST', '/shares', body).json()['share']['id']

    def rules(self, ident):
        return self.call('GET', f'/share-access-rules?share_id={ident}').json()['access_list']

    def attach(self, server, ident, **more):
        return self.user.call('POST', f'/servers/{server}/shares', {'share': {'share_id': ident, **more}},
                              version='2.97')

    def attached(self, server, ident, **more):
        answer = self.attach(server, ident, **more)
        assert answer.status_code == 201, answer.text
        assert answer.json()['share']['status'] == 'attaching'
        self.wait(server, ident, 'inactive')

    def detach(self, server, ident):
        return self.user.call('DELETE', f'/servers/{server}/shares/{ident}', version='2.97')

    def detached(self, server, ident):
        answer = self.detach(server, ident)
        assert answer.status_code == 200, answer.text
        until(lambda: self.show(server, ident).status_code == 404)

    def of(self, server, user=None):
        return (user or self.user).get(f'/servers/{server}/shares', version='2.97')['shares']

    def show(self, server, ident, user=None):
        return (user or self.user).call('GET', f'/servers/{server}/shares/{ident}', version='2.97')

    def wait(self, server, ident, status):
        def reached():
            now = self.show(server, ident).json()['share']['status']
            assert now in (status, 'attaching'), now
            return now == status
        until(reached, told=lambda: self.show(server, ident).text)
