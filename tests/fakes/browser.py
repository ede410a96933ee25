"""A real Chromium without a window, driven through its debugging pipe: open a page from disk, press keys, look at it.

No driver package: JSON messages over two pipes, as DevTools defines them (--remote-debugging-pipe).
"""

import base64
import fcntl
import json
import os
import re
import select
import shutil
import time
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --mute-audio "
    "--disable-component-update --disable-sync --hide-scrollbars --remote-debugging-pipe "
    "--autoplay-policy=no-user-gesture-required"
).split()
_ANSWER_S = 60.0
KEYS = {
    "ArrowRight": (39, "ArrowRight", ""), "ArrowLeft": (37, "ArrowLeft", ""), " ": (32, "Space", " "),
    "Escape": (27, "Escape", ""), "Tab": (9, "Tab", ""), "Enter": (13, "Enter", "\r"), "?": (191, "Slash", "?"),
}  # fmt: skip


class Browser:
    """One browser process with one page."""

    def __init__(self, profile: Path) -> None:
        self._number = 0
        self._rest = b""
        self._session = ""
        self.console: list[str] = []
        """What the page wrote to the console, its errors and what its own content policy refused."""
        self.requests: list[str] = []
        """Every address that the page asked for."""
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        high_in, high_out = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in (theirs_in, theirs_out))
        nowhere = os.open(os.devnull, os.O_RDWR)
        high_null = fcntl.fcntl(nowhere, fcntl.F_DUPFD_CLOEXEC, 20)
        actions = [(os.POSIX_SPAWN_DUP2, high_null, 0), (os.POSIX_SPAWN_DUP2, high_null, 1),
                   (os.POSIX_SPAWN_DUP2, high_null, 2), (os.POSIX_SPAWN_DUP2, high_in, 3),
                   (os.POSIX_SPAWN_DUP2, high_out, 4)]  # fmt: skip
        command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._pid = os.posix_spawn(str(CHROMIUM), command, dict(os.environ), file_actions=actions)
        for end in (theirs_in, theirs_out, high_in, high_out, nowhere, high_null):
            os.close(end)
        self._read, self._write = ours_in, ours_out
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    # Any: what DevTools answers is JSON of a hundred shapes.
    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._number:
                assert "error" not in found, found
                result: dict[str, Any] = found["result"]
                return result

    def open(self, page: Path, anchor: str = "", *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Open a page from disk with every other address out of reach."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.show_as("screen", dark=dark)
        self.ask("Network.setBlockedURLs", urls=["http://*", "https://*", "ws://*", "wss://*"])
        self.ask("Page.navigate", url="about:blank")
        self.console.clear()
        self.requests.clear()
        self.ask("Page.navigate", url=page.as_uri() + anchor)
        end = time.monotonic() + _ANSWER_S
        while self.run("document.readyState") != "complete" or self.run("location.protocol") != "file:":
            assert time.monotonic() < end, "the page did not load"
            time.sleep(0.02)

    def show_as(self, media: str, *, dark: bool) -> None:
        """Screen or print, light or dark."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.ask("Emulation.setEmulatedMedia", media=media, features=[scheme, still])

    def run(self, script: str) -> Any:
        """Value of an expression in the page; promises are awaited."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, script: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + _ANSWER_S
        while not self.run(script):
            assert time.monotonic() < end, f"never came true: {script}"
            time.sleep(0.02)

    def press(self, key: str) -> None:
        """Press and release one key."""
        code, name, text = KEYS[key] if key in KEYS else (ord(key.upper()), f"Key{key.upper()}", key)
        shown = {"key": key, "code": name, "windowsVirtualKeyCode": code}
        self.ask("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", text=text, **shown)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **shown)

    def click(self, selector: str) -> None:
        """Click into the middle of the first element that fits."""
        self.run(f"document.querySelector({selector!r}).scrollIntoView({{block: 'center'}})")
        box = self.run(f"document.querySelector({selector!r}).getBoundingClientRect().toJSON()")
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def picture(self, target: Path, *, whole: bool = True) -> bytes:
        """A PNG of the page, or of what is in view."""
        target.parent.mkdir(parents=True, exist_ok=True)
        extra: dict[str, Any] = {}
        if whole:
            size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
            box = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 16_000), "scale": 1}
            extra = {"clip": box, "captureBeyondViewport": True}
        content = base64.b64decode(self.ask("Page.captureScreenshot", format="png", **extra)["data"])
        target.write_bytes(content)
        return content

    def print(self, target: Path) -> bytes:
        """The page as it is printed, as PDF."""
        target.parent.mkdir(parents=True, exist_ok=True)
        content = base64.b64decode(self.ask("Page.printToPDF", printBackground=False)["data"])
        target.write_bytes(content)
        return content

    def close(self) -> None:
        """End the browser and wait for it."""
        self._session = ""
        os.write(self._write, json.dumps({"id": 0, "method": "Browser.close"}).encode() + b"\0")
        os.waitpid(self._pid, 0)
        os.close(self._read)
        os.close(self._write)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], _ANSWER_S)
            assert ready, "the browser does not answer"
            self._rest += os.read(self._read, 1 << 20)
        line, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        self._note(found.get("method", ""), found.get("params", {}))
        return found

    def _note(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Runtime.consoleAPICalled":
                self.console.append(str([argument.get("value") for argument in params["args"]]))
            case "Runtime.exceptionThrown":
                self.console.append(json.dumps(params["exceptionDetails"]))
            case "Log.entryAdded":
                self.console.append(params["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(re.sub(r"^(data:[^;,]*).*", r"\1", params["request"]["url"], flags=re.S))
