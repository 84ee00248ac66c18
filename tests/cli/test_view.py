"""``graphcore view``: the page holds the whole record, needs nothing from outside, and does in a browser what it says.

The tests in a browser need Chromium with its driver, and selenium; they are skipped where these are not installed.
"""
from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
import time
from pathlib import Path

import pytest

from graphcore.viewer import page

ROOT = Path(__file__).resolve().parent.parent.parent
TARGET = (f"{ROOT / 'examples' / 'digits.py'}:Net", "--input", "f32[2,1,8,8]", "--input", "i32[2]", "--train")


def data_of(text: str) -> dict:
    packed = re.search(r'id="data">([^<]*)<', text)[1]
    return json.loads(gzip.decompress(base64.b64decode(packed)))


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The page of the training step of the example's net, made once."""
    from graphcore.cli import main
    path = tmp_path_factory.mktemp("view") / "net.html"
    assert main.main(["view", *TARGET, "--profile", "2", "-o", str(path)]) == 0
    return path


def test_one_file_with_everything_in_it(written):
    text = written.read_text()
    assert len(text) < 3_000_000
    assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg", "", text.replace("http-equiv", ""))
    data = data_of(text)
    assert data["format"] == "graphcore-compilation 1" and data["stages"][0]["title"] == "00_capture"
    assert all(k["assembly"] and "llvm" not in k for k in data["kernels"])
    assert sum(data["profile"]["launches"].values()) > 0
    assert any(name.endswith("digits.py") and "class Net" in source for name, source in data["sources"].items())


def test_two_pages_without_times_are_the_same_bytes(command):
    for name in ("a.html", "b.html"):
        code, out, _ = command("view", *TARGET, "--no-code", "-o", name)
        assert code == 0 and out.startswith(name)
    (a, b) = (data_of(Path(name).read_text()) for name in ("a.html", "b.html"))
    for data in (a, b):
        for p in data["passes"]:
            del p["seconds"]
    assert a == b and "assembly" not in a["kernels"][0]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    chromium, driver = shutil.which("chromium") or shutil.which("chromium-browser"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--disable-sync",
                     f"--user-data-dir={tmp_path_factory.mktemp('chromium')}", "--window-size=1500,950"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield opened
    opened.quit()


class Page:
    """The page in a browser."""

    def __init__(self, browser, path):
        self.browser = browser
        browser.get(f"file://{path}")
        self.wait(lambda: self.run("return document.body.dataset.ready === 'yes'"))

    def run(self, script: str, *arguments):
        return self.browser.execute_script(script, *arguments)

    def wait(self, condition, seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.browser.get_log("browser")
            time.sleep(0.02)

    def find(self, selector: str):
        return self.browser.find_element("css selector", selector)

    def all(self, selector: str) -> list:
        return self.browser.find_elements("css selector", selector)

    def texts(self, selector: str) -> list:
        return self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.textContent)", selector)

    def press(self, keys: str) -> None:
        self.find("#graph").send_keys(keys)

    def errors(self) -> list:
        return [entry for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture
def shown(browser, written):
    opened = Page(browser, written)
    yield opened
    assert opened.errors() == []


def click(shown: Page, element) -> None:
    """A click as the page sees it, wherever the element stands."""
    shown.run("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", element)


def test_the_last_stage_is_shown_and_passes_are_steps(shown):
    titles = shown.texts("#stage option")
    assert shown.run("return app.stage.title") == titles[-1] and titles[0] == "00_capture"
    assert shown.all("#ir .made") and shown.all("#ir .gone"), "what the pass made and what it removed"
    for title in reversed(titles[:-1]):
        shown.press("[")
        assert shown.run("return app.stage.title") == title
    assert not shown.all("#ir .made"), "nothing is before the capture"
    shown.press("]")
    assert shown.run("return app.stage.title") == titles[1]


def test_a_selection_is_one_in_source_ir_kernel_and_graph(shown):
    [line] = [row for row in shown.all("#source .line") if "conv1(" in row.text]
    click(shown, line)
    selected = shown.texts("#ir .line.selected")
    assert any("conv2d(" in text for text in selected)
    assert "selected" in line.get_attribute("class")
    assert "linked" in shown.find("#kernel-source").get_attribute("class")
    assert shown.all("#graph .selected")
    click(shown, shown.find("#kernel-source .line"))
    nodes = shown.run("return [...app.selected]")
    assert nodes and shown.texts("#source .line.selected")
    shown.press("\ue00c")                                       # Esc
    assert shown.run("return app.selected.size") == 0


def test_search_finds_and_goes_there(shown):
    box = shown.find("#search")
    box.send_keys("conv2d\n")
    assert re.fullmatch(r"\d+ found", shown.find("#found").text)
    assert "conv2d" in shown.find("#details .first").text
    box.clear()
    box.send_keys("no such thing")
    assert shown.find("#found").text == "nothing found"


def test_cells_fold_and_unfold(shown):
    click(shown, shown.find("#unfold"))
    before = len(shown.all("#graph .value"))
    assert not shown.all("#graph .cell:not(.open)")
    assert any("conv1" in title for title in shown.texts("#graph .cell.open > .title"))
    click(shown, shown.find("#fold"))
    folded = len(shown.all("#graph .value"))
    assert folded < before and shown.all("#graph .cell:not(.open)")
    cell = shown.find("#graph .cell:not(.open) .title")
    click(shown, cell)
    assert len(shown.all("#graph .value")) > folded


def test_memory_and_tables_lead_to_values(shown):
    shown.press("2")
    [buffer, *_] = shown.all("#memory .buffer")
    click(shown, buffer)
    assert shown.run("return app.selected.size") > 0 and shown.all("#memory .buffer.selected")
    shown.press("4")
    rows = shown.all("#kernels tbody tr")
    assert len(rows) == shown.run("return app.model.data.kernels.length")
    click(shown, rows[1])
    assert shown.run("return app.selected.size") > 0
    shown.press("3")
    click(shown, shown.find("#passes tbody tr.changed"))
    assert shown.run("return app.stage.index") == 1


def test_heat_theme_and_keys(shown):
    shown.run("heat.value = 'time'; heat.dispatchEvent(new Event('change'))")
    assert shown.run("return [...document.querySelectorAll('#graph rect')].some(r => r.style.fill.includes('--hot'))")
    colour = "return getComputedStyle(document.body).backgroundColor"
    light = shown.run(colour)
    shown.press("t")
    assert shown.run(colour) != light
    shown.press("j")
    first = shown.run("return [...app.selected]")
    shown.press("j")
    assert len(first) == 1 and shown.run("return [...app.selected]") != first
    shown.press("?")
    assert shown.find("#keys").is_displayed()


@pytest.mark.slow
def test_five_thousand_values_stay_usable(browser, tmp_path, command, file):
    net = file("deep.py", """
from graphcore import nn, ops
class Block(nn.Cell):
    def __init__(self, number):
        super().__init__()
        self.factors = [number + i / 100 for i in range(50)]
    def construct(self, x):
        for factor in self.factors:
            x = ops.tanh(x * factor) + ops.sin(x)
        return x
class Deep(nn.Cell):
    def __init__(self):
        super().__init__()
        self.blocks = nn.CellList([Block(i) for i in range(25)])
    def construct(self, x):
        for block in self.blocks:
            x = block(x)
        return x
""")
    assert command("view", f"{net}:Deep", "--input", "f32[4]", "--no-code", "-o", tmp_path / "deep.html")[0] == 0
    started = time.monotonic()
    shown = Page(browser, tmp_path / "deep.html")
    assert shown.run("return app.stage.all.size") >= 5000
    assert time.monotonic() - started < 10
    for action in ("e", "c", "]", "["):
        started = time.monotonic()
        shown.press(action)
        assert time.monotonic() - started < 10, action
    assert not shown.errors()


def test_titles_are_text(tmp_path):
    data = {"name": "<b>", "stages": []}
    assert "<title>&lt;b&gt;</title>" in page(data, "<b>")
