"""A person at Horizon, for tools/horizon: what he does, page by page, with a picture of each.

Runs in .venv-horizon; reads ``{"url", "user", "password", "pictures"}`` from standard input.
"""

import json
import pathlib
import secrets
import sys

from selenium import webdriver
from selenium.common.exceptions import (
    NoSuchElementException,
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

SECONDS = 300
VOLUMES = '/project/volumes/'
NAME = f'from-horizon-{secrets.token_hex(2)}'


class Person:
    """What somebody sees and clicks."""

    def __init__(self, facts: dict[str, str]) -> None:
        options = Options()
        options.binary_location = '/usr/bin/chromium'
        for word in ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
                     '--window-size=1400,1100'):
            options.add_argument(word)
        self.browser = webdriver.Chrome(options, Service('/usr/bin/chromedriver'))
        self.browser.set_page_load_timeout(SECONDS)
        self._facts, self._count = facts, 0
        self._patience = WebDriverWait(
            self.browser, SECONDS, 0.5, (NoSuchElementException, StaleElementReferenceException))

    def go(self, path: str) -> None:
        self.browser.get(self._facts['url'] + path)

    def until(self, true):
        return self._patience.until(lambda _: true())

    def find(self, path: str):
        """The first element of an XPath that can be seen, once one can."""
        return self.until(lambda: next(
            (found for found in self.browser.find_elements(By.XPATH, path) if found.is_displayed()), None))

    def click(self, path: str) -> None:
        self._click(self.find(path))

    def _click(self, element) -> None:
        self.browser.execute_script(
            'arguments[0].scrollIntoView({block: "center"}); arguments[0].click()', element)

    def send(self, path: str) -> None:
        """Click what sends something, and wait until it was sent: then the page has made room for another."""
        element = self.find(path)
        self._click(element)
        self.until(lambda: self._is_gone(element))

    def _is_gone(self, element) -> bool:
        try:
            return not element.is_displayed()
        except (NoSuchElementException, StaleElementReferenceException):
            return True

    def write(self, path: str, text: str) -> None:
        element = self.find(path)
        element.clear()
        element.send_keys(text)

    def text(self) -> str:
        return self.browser.find_element(By.TAG_NAME, 'body').text

    def picture(self, name: str) -> None:
        self._count += 1
        file = pathlib.Path(self._facts['pictures']) / f'{self._count:02}-{name}.png'
        self.browser.save_screenshot(str(file))
        print(file, flush=True)

    # What he does

    def log_in(self) -> None:
        self.go('/auth/login/')
        if self.browser.find_elements(By.ID, 'id_domain'):
            self.write('//*[@id="id_domain"]', 'Default')
        self.write('//*[@id="id_username"]', self._facts['user'])
        self.write('//*[@id="id_password"]', self._facts['password'])
        self.picture('login')
        self.click('//button[@id="loginBtn" or @type="submit"]')
        self.find('//*[contains(text(), "Limit Summary")]')
        self.picture('overview')

    def step(self, title: str) -> None:
        """Another page of the wizard."""
        self.click(f'//wizard//li//*[normalize-space(text())="{title}"]')

    def allocate(self, what: str) -> None:
        """Take a row of the available ones, on the page of the wizard that is shown."""
        self.click(f'//wizard//tr[./td[normalize-space(.)="{what}"]]/td[last()]//button')

    def launch(self) -> None:
        self.go('/project/instances/')
        self.click('//*[@id="instances__action_launch-ng"]')
        self.write('//wizard//input[@name="name"]', NAME)
        self.picture('launch')
        self.step('Source')
        self.click('//wizard//label[normalize-space(.)="No" and contains(@ng-model, "vol_create")]')
        self.allocate('tiny')
        self.step('Flavor')
        self.allocate('m1.nano')
        self.step('Networks')
        self.allocate('private')
        self.picture('networks')
        self.send('//wizard//button[contains(@class, "finish")]')
        self.shows('Active')
        self.picture('instances')

    def row(self) -> str:
        return f'//tr[.//a[normalize-space(text())="{NAME}"]]'

    def shows(self, *words: str, page: str = '/project/instances/') -> None:
        """Until the row of what we made has these words, in the list of servers or another one."""
        def found():
            self.go(page)
            text = self.find(self.row()).text
            return all(word in text for word in words)
        self.until(found)

    def server(self) -> str:
        return self.find(f'//a[normalize-space(text())="{NAME}"]').get_attribute('href').rstrip('/')

    def look(self) -> None:
        """The server's page, and what its console says."""
        where = self.server()
        self.browser.get(f'{where}/')
        self.find('//*[contains(text(), "m1.nano")]')
        self.picture('instance')
        self.browser.get(f'{where}/?tab=instance_details__log')
        self.until(lambda: 'FAKE CONSOLE OUTPUT' in self.text())
        self.picture('log')

    def action(self, name: str) -> None:
        """One of the actions in the row, most of which are in a menu."""
        self._click(self.until(lambda: self.browser.find_element(
            By.XPATH, self.row() + f'//*[contains(@id, "__action_{name}")]')))

    def resize(self) -> None:
        self.shows('Active')
        self.action('resize')
        self.click('//select[@name="flavor"]/..//button')
        self.click('//select[@name="flavor"]/..//a[normalize-space(.)="m1.micro"]')
        self.picture('resize')
        self.send('//*[contains(@class, "modal")]//input[@type="submit"]')
        self.shows('Confirm')
        self.picture('resized')
        self.send(self.row() + '//*[contains(@id, "__action_confirm")]')
        self.shows('Active', 'm1.micro')
        self.picture('confirmed')

    def volume(self) -> None:
        """Make one."""
        self.go(VOLUMES)
        self.click('//*[@id="volumes__action_create"]')
        self.write('//input[@id="id_name"]', NAME)
        self.picture('volume')
        self.send('//*[contains(@class, "modal")]//input[@type="submit"]')

        self.shows('Available', page=VOLUMES)
        self.picture('volumes')

    def attach(self) -> None:
        """Give it to the server."""
        self.action('attachments')
        self.click('//select[@name="instance"]/..//button')
        self.click(f'//select[@name="instance"]/..//a[contains(normalize-space(.), "{NAME}")]')
        self.picture('attach')
        self.send('//*[contains(@class, "modal")]//input[@type="submit"]')
        self.shows('In-use', f'/dev/vdb on {NAME}', page=VOLUMES)
        self.picture('attached')

    def clean(self) -> None:
        """Delete what was made."""
        self.shows('Active')
        self.delete('/project/instances/')
        self.shows('Available', page=VOLUMES)
        self.delete(VOLUMES)
        self.picture('gone')

    def delete(self, path: str) -> None:
        """Delete what is in the row of the list that is shown, which is at `path`."""
        self.action('delete')
        self.send('//*[contains(@class, "modal-footer")]/a[not(contains(@class, "cancel"))]')

        def gone():
            self.go(path)
            return not self.browser.find_elements(By.XPATH, self.row())
        self.until(gone)


def main() -> int:
    person = Person(json.load(sys.stdin))
    try:
        for part in (person.log_in, person.launch, person.look, person.resize, person.volume, person.attach,
                     person.clean):
            print(part.__name__.replace('_', ' '), flush=True)
            part()
    except WebDriverException as error:
        print(f'{type(error).__name__}: {error}', file=sys.stderr)
        person.picture('failure')
        return 1
    finally:
        person.browser.quit()
    return 0


if __name__ == '__main__':
    sys.exit(main())
