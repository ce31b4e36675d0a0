"""What tests of the pages share: the app on a server, a browser, and a broker whose engine the test plays."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from relviz.jobs.broker import Broker
from relviz.ui import wishes
from tests.app import server
from tests.jobs.engines import FakeEngine


@pytest.fixture(scope="module")
def address(own_environment: Any) -> Iterator[str]:
    with server.serving() as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with server.browser() as found:
        yield found


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def broker(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    made = Broker(engine)
    monkeypatch.setattr(wishes, "broker", lambda: made)
    yield made
    made.close()
