"""Twilio as effectors see it: dial, transfer, send a text, hang up. Implements `model.ports.Carrier`.

In: our call ids and names of desks. Out: what the carrier did. Numbers come from the call and from configuration only.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from voicewarden.model.error import CarrierFailed
from voicewarden.model.ports import Receipt
from voicewarden.runtime.calls import Calls, LiveCall
from voicewarden.telephony import document
from voicewarden.telephony.account import Account
from voicewarden.telephony.rest import Rest

DIAL_TIMEOUT_S: Final = 20
TRANSFER_S: Final = 60.0
"""How long an answer at the desk is waited for; after that the outcome is unknown."""


class TwilioCarrier:
    """The carrier of this process."""

    def __init__(
        self, account: Account, calls: Calls, destinations: Mapping[str, str], *, longest_s: int = 720
    ) -> None:
        self._account = account
        self._calls = calls
        self._transfers: dict[str, asyncio.Future[Receipt]] = {}
        self._away: set[str] = set()
        self._destinations = destinations
        self._longest_s = longest_s
        self.rest = Rest(account)

    async def dial(self, call: str, to_number: str) -> str:
        """Start an outbound call."""
        live = self._live(call)
        base = f"/twilio/calls/{live.id}"
        sid = await self.rest.create(
            to_number, url=self._account.webhook(f"{base}/answered"),
            status_url=self._account.webhook(f"{base}/status"), amd_url=self._account.webhook(f"{base}/amd"),
            longest_s=self._longest_s,
        )  # fmt: skip
        self._calls.name(live, sid)
        return sid

    async def transfer(self, call: str, desk: str) -> Receipt:
        """Connect the caller with a desk; the receipt waits for the carrier's word on the other leg."""
        live = self._live(call)
        number = self._destinations.get(desk)
        if number is None:
            return Receipt("refused", {"why": "no number is configured for this desk"})
        waiting: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._transfers[live.id] = waiting
        base = self._account.webhook(f"/twilio/calls/{live.id}")
        text = document.dial(
            number, f"{base}/transferred", f"{base}/leg", caller_id=self._account.from_number, timeout_s=DIAL_TIMEOUT_S
        )
        # From here on the call may be somebody else's, even if the carrier's answer gets lost on the way.
        self._away.add(live.id)
        try:
            await self.rest.redirect(live.sid, text)
            return await asyncio.wait_for(asyncio.shield(waiting), TRANSFER_S)
        except CarrierFailed as failed:
            if len(failed.args) > 1:
                self._away.discard(live.id)
                return Receipt("failed", {"why": str(failed.args[0])})
            return Receipt("unknown", {"why": str(failed.args[0])})
        except TimeoutError:
            return Receipt("unknown", {"why": "the carrier did not report in time that somebody picked up"})
        finally:
            self._transfers.pop(live.id, None)

    def forget(self, call: str) -> None:
        """The carrier says that the call is over."""
        self._away.discard(call)

    def transferred(self, call: str, status: str) -> bool:
        """The carrier's word on the other leg; True when somebody answered there."""
        answered = status in ("completed", "answered", "in-progress")
        waiting = self._transfers.get(call)
        if waiting is not None and not waiting.done():
            waiting.set_result(Receipt("done" if answered else "failed", {"leg": status or "unknown"}))
        return answered

    async def send_text(self, call: str, text: str) -> str:
        """Send a text to the caller's own number."""
        return await self.rest.send_text(self._live(call).number, text)

    async def hang_up(self, call: str) -> None:
        """End the call; one that never reached the carrier, or is over, is no error.

        A call that was put through is not ours to end any more: two people may be talking. Its own document ends it.
        """
        live = self._calls.get(call)
        if live is not None and live.sid and call not in self._away:
            await self.rest.end(live.sid)
        self._away.discard(call)

    def _live(self, call: str) -> LiveCall:
        live = self._calls.get(call)
        if live is None:
            raise CarrierFailed("the call is not live any more; nothing was done")
        return live
