"""A visitor without a browser: Streamlit's own messages over its websocket, and a page's timers."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Set
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 120  # seconds after which a visitor gives up


class Visitor:
    """One browser tab.

    Attributes
    ----------
    page: the elements on the page after the last finished run, by their place.
    received: bytes that came from the server.
    heard: everything the server ever said to this visitor, to be searched for what belongs to others.
    """

    def __init__(self, socket: ClientConnection, page: str, query: str) -> None:
        self._socket, self._page, self._query = socket, page, query
        self._drawn: dict[tuple[int, ...], Any] = {}
        self._known: dict[str, ForwardMsg] = {}
        self._widgets: dict[str, Any] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._renewed: set[str] = set()
        self.page: dict[tuple[int, ...], Any] = {}
        self.received, self.heard = 0, ""

    async def run(self, *, until: Callable[[Visitor], bool]) -> float:
        """Run the page's script and follow its timers until the page is as wanted; returns the seconds it took."""
        began = time.perf_counter()
        await self._ask()
        async with asyncio.timeout(PATIENCE):
            while not (await self._next_run_finished() and until(self)):
                pass
        return time.perf_counter() - began

    async def set_slider(self, name: str, value: float, *, until: Callable[[Visitor], bool]) -> float:
        """Move a slider, named as in the address, and run the page."""
        slider = next(e.slider for e in self.page.values() if e.slider.query_param_key == name)
        self._widgets[slider.id] = [value]
        return await self.run(until=until)

    def text(self) -> str:
        """All words on the page."""
        return "\n".join(e.markdown.body for e in self.page.values() if e.WhichOneof("type") == "markdown")

    def charts(self) -> int:
        """Number of charts and linked maps on the page."""
        return self._count("plotly_chart") + self._count("bidi_component")

    def waiting(self) -> int:
        """Number of things still being computed."""
        return self._count("progress")

    def complaints(self) -> list[str]:
        """What went wrong, as the visitor reads it."""
        bad = [e.exception.message for e in self.page.values() if e.WhichOneof("type") == "exception"]
        return bad + [e.alert.body for e in self.page.values() if e.WhichOneof("type") == "alert"]

    async def leave(self) -> None:
        """Close the tab."""
        self._stop_timers(self._timers.keys())
        await self._socket.close()

    def _count(self, kind: str) -> int:
        return sum(e.WhichOneof("type") == kind for e in self.page.values())

    async def _ask(self, *, fragment: str = "") -> None:
        message = BackMsg()
        state = message.rerun_script
        state.page_name, state.query_string = self._page, self._query
        state.fragment_id, state.is_auto_rerun = fragment, bool(fragment)
        state.cached_message_hashes.extend(self._known)
        state.context_info.url = self._query
        for widget, values in self._widgets.items():
            found = state.widget_states.widgets.add()
            found.id = widget
            found.double_array_value.data.extend(values)
        await self._socket.send(message.SerializeToString())

    async def _next_run_finished(self) -> bool:
        """Take messages in until a run has ended; whether the page is whole then."""
        while True:
            data = await self._socket.recv(decode=False)
            self.received += len(data)
            message = ForwardMsg.FromString(data)
            if message.WhichOneof("type") == "script_finished":
                return self._finish(message.script_finished)
            self._take(message)

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            known = self._known[message.ref_hash]
            self._drawn[tuple(message.metadata.delta_path)] = known.delta.new_element
        elif kind == "new_session":
            self._drawn, self._renewed = {}, set()
        elif kind == "auto_rerun":
            self._start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            if message.metadata.cacheable:
                self._known[message.hash] = message
            self._drawn[tuple(message.metadata.delta_path)] = message.delta.new_element
            self._record_words(message.delta.new_element)

    def _record_words(self, element: Any) -> None:
        for words in (element.markdown.body, element.toast.body, element.alert.body):
            if words:
                self.heard += f"{words}\n"

    def _finish(self, status: int) -> bool:
        if status == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY:
            self.page |= self._drawn
            return True
        if status == ForwardMsg.FINISHED_SUCCESSFULLY:
            self.page = self._drawn
            self._stop_timers(self._timers.keys() - self._renewed)
            return True
        return False

    def _start_timer(self, fragment: str, interval: float) -> None:
        async def tick() -> None:
            while True:
                await asyncio.sleep(interval)
                await self._ask(fragment=fragment)

        self._stop_timers({fragment})
        self._timers[fragment] = asyncio.create_task(tick())
        self._renewed.add(fragment)

    def _stop_timers(self, fragments: Set[str]) -> None:
        for fragment in fragments & self._timers.keys():
            self._timers.pop(fragment).cancel()


@contextlib.asynccontextmanager
async def visiting(address: str, query: str = "", *, page: str = "") -> AsyncIterator[Visitor]:
    """A visitor of a page, Explore unless another is named, that has just connected; leaves at the end."""
    url = f"ws://{urlsplit(address).netloc}/_stcore/stream"
    async with connect(url, subprotocols=["streamlit"], origin=address, max_size=None) as socket:  # type: ignore[arg-type, list-item]
        visitor = Visitor(socket, page, query)
        try:
            yield visitor
        finally:
            await visitor.leave()
