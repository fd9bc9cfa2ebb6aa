"""The report in a browser: it draws, answers to keys and pointer, plays replays, and asks the network for nothing."""

import re
import shutil
import threading

import pytest

from coterie.campaign.report import page, serve
from coterie.training.files import write_json
from tests.campaign.test_report import fabricate

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run"]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    known = fabricate(tmp_path_factory.mktemp("browser") / "demo-laptop")
    path = known.directory / "report.html"
    page.write(known, path)
    return path


@pytest.fixture
def tab(browser, report):
    """The report in a window of its own; at the end it must have complained of nothing and asked for nothing."""
    window = browser.new_page(viewport={"width": 1200, "height": 900})
    complaints, requests = [], []
    window.on("console", lambda message: complaints.append(message.text))
    window.on("pageerror", lambda error: complaints.append(str(error)))
    window.on("request", lambda request: requests.append(request.url))
    window.goto(report.as_uri())
    yield window
    window.close()
    assert complaints == [] and requests == [report.as_uri()]


def until(window, condition):
    """Wait; Playwright's own way evaluates text inside the page, which the page's policy forbids."""
    for _ in range(100):
        if window.evaluate(condition):
            return
        window.wait_for_timeout(100)
    raise AssertionError(f"never came true: {condition}")


def test_curves_are_drawn(tab):
    lengths = tab.eval_on_selector_all("#learning path.line", "all => all.map(path => path.getTotalLength())")
    assert len(lengths) == 9 and min(lengths) > 150
    boxes = tab.eval_on_selector_all("#learning figure svg", "all => all.map(svg => svg.getBoundingClientRect().width)")
    assert min(boxes) > 200
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    cut = """all => all.filter(text => {
        const own = text.getBoundingClientRect(), room = text.closest("svg").getBoundingClientRect();
        return own.width && (own.right > room.right + 1 || own.left < room.left - 1);
    }).map(text => text.textContent)"""
    assert tab.eval_on_selector_all("svg text", cut) == []


def test_the_legend_hides_a_method_everywhere_by_keyboard(tab):
    tab.locator("#method-1").focus()
    marked = tab.locator('[data-m="1"]')
    assert marked.count() > 30 and tab.locator('#learning g[data-m="1"]').first.is_visible()
    tab.keyboard.press("Space")
    assert not tab.locator("#method-1").is_checked()
    assert all(not one.is_visible() for one in marked.all())
    assert tab.locator('#learning g[data-m="0"]').first.is_visible()
    tab.keyboard.press("Space")
    assert tab.locator('#learning g[data-m="1"]').first.is_visible()


def test_a_chart_can_be_read_by_pointer_and_by_keys(tab):
    chart = tab.locator("#learning .probe").first
    chart.scroll_into_view_if_needed()
    chart.hover()
    words = chart.locator(".readout").inner_text()
    assert "steps" in words and all(name in words for name in ("mappo", "happo", "a2po")) and "[" in words
    tab.mouse.move(0, 0)
    assert chart.locator(".readout").count() == 0
    chart.focus()
    tab.keyboard.press("Home")
    first = chart.locator(".readout").inner_text()
    tab.keyboard.press("ArrowRight")
    assert first.startswith("6,400 steps") and chart.locator(".readout").inner_text().startswith("12,800 steps")
    tab.keyboard.press("Escape")
    assert chart.locator(".readout").count() == 0


def test_the_keyboard_reaches_the_content_first(tab):
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    outline = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    tab.keyboard.press("Enter")
    assert tab.url.endswith("#claims")


def test_a_replay_plays_and_another_can_be_chosen(tab):
    assert tab.locator("iframe[srcdoc]").count() == 0
    tab.locator("#replay-0-0").scroll_into_view_if_needed()
    frame = tab.frame_locator("#replay-0-0")
    frame.locator("canvas").first.wait_for()
    pictures = set()
    for _ in range(30):  # it rests for a while on its last frame
        pictures.add(frame.locator("canvas").first.evaluate("canvas => canvas.toDataURL()"))
        tab.wait_for_timeout(100)
        if len(pictures) > 2:
            break
    assert len(pictures) > 2
    sync_api.expect(tab.locator("#replay-0-0")).to_have_attribute("style", re.compile(r"height: \d+px"))
    tab.locator("#replays select").first.select_option("replay-0-2")
    assert tab.locator("#replay-0-2").is_visible() and not tab.locator("#replay-0-0").is_visible()
    assert tab.locator("#replay-0-0").get_attribute("srcdoc") is None
    assert "a2po" in tab.frame_locator("#replay-0-2").locator("h1").inner_text()


def test_dark_mode_and_print(tab):
    def background():
        return tab.evaluate("getComputedStyle(document.body).backgroundColor")

    light = background()
    tab.emulate_media(color_scheme="dark")
    dark = background()
    assert light == "rgb(244, 245, 248)" and dark == "rgb(20, 22, 27)"
    tab.emulate_media(media="print", color_scheme="dark")
    assert not tab.locator("nav").is_visible() and not tab.locator("iframe").first.is_visible()
    assert tab.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink')").strip() == "#22242c"
    assert tab.locator("#learning svg").first.is_visible()
    assert tab.pdf(format="A4").startswith(b"%PDF")


def test_the_page_works_without_scripts(browser, report):
    window = browser.new_context(java_script_enabled=False).new_page()
    window.goto(report.as_uri())
    assert window.locator("#learning path.line").first.is_visible()
    window.locator("#method-0").uncheck()
    assert not window.locator('#learning g[data-m="0"]').first.is_visible()
    window.close()


def test_narrow_windows(browser, report):
    window = browser.new_page(viewport={"width": 390, "height": 800})
    window.goto(report.as_uri())
    assert window.evaluate("document.documentElement.scrollWidth") <= 390
    window.close()


def test_a_live_page_comes_back_to_where_it_was(browser, tmp_path):
    known = fabricate(tmp_path / "c", done=8)
    running = serve.server(known.directory, 0)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        window = browser.new_page(viewport={"width": 1200, "height": 900})
        complaints = []
        window.on("console", lambda message: complaints.append(message.text))
        window.goto(f"http://127.0.0.1:{running.server_address[1]}/")
        window.locator("#method-2").uncheck()
        window.evaluate("document.documentElement.style.scrollBehavior = 'auto'; window.scrollTo(0, 1500)")
        write_json(known.entries[8].directory / "failure.json", {"error": "out of memory"})
        window.get_by_text("out of memory").wait_for(timeout=20_000)
        until(window, "Math.abs(window.scrollY - 1500) < 3")
        assert not window.locator("#method-2").is_checked()
        assert complaints == []
        window.close()
    finally:
        running.shutdown()
        running.server_close()
        thread.join()
