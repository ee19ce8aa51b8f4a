"""The report in a real browser: it opens, is seen, and asks nobody for anything."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from skdistill import DistilledClassifier
from skdistill.inspection import distillation_report
from skdistill.students import TreeStudentClassifier

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is missing")

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="there is no chromium"),
    pytest.mark.skipif(DRIVER is None, reason="there is no chromedriver"),
]

HOSTILE = "<script>document.title = 'taken'</script>"
WIDTHS = {"phone": 375, "desk": 1280}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Return the address of a report with long and hostile names."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            HOSTILE: rng.choice(["a", HOSTILE, "$x_1$ 漢字"], 600),
            "a_name_without_any_space_" * 6: rng.normal(size=600),
            "plain": rng.integers(0, 5, 600),
        }
    )
    y = np.where(X.iloc[:, 1] + rng.normal(size=600) > 0, "yes " * 20, HOSTILE)
    model = DistilledClassifier(
        TreeStudentClassifier(max_leaf_nodes=16),
        TreeStudentClassifier(max_leaf_nodes=4),
        cv=2,
        augmenter=None,
        random_state=0,
    )
    report = distillation_report(model.fit(X, y), X, y, X_train=X, random_state=0)
    folder = tmp_path_factory.mktemp("report")
    path = folder / "report.html"
    report.write_html(path)
    frame = f"<!DOCTYPE html><title>notebook</title>{report._repr_html_()}"
    (folder / "notebook.html").write_text(frame, encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = BROWSER
    for argument in (
        "--headless=new",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        # Containers run it as root, which its sandbox refuses. It opens own files only.
        "--no-sandbox",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(argument)
    options.set_capability(
        "goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"}
    )
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def open_page(browser, address, *, width=1280, scheme="light"):
    """Open a page afresh; return the addresses that it asked for."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    browser.get("about:blank")
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.get(address)
    events = [
        json.loads(entry["message"])["message"]
        for entry in browser.get_log("performance")
    ]
    return [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_it_opens_and_asks_for_nothing(browser, address, width, scheme):
    asked = open_page(browser, address, width=width, scheme=scheme)
    assert [url for url in asked if not url.startswith("data:")] == [address]
    assert browser.get_log("browser") == []
    assert browser.title.startswith("Distillation report")
    entries = "return performance.getEntriesByType('resource').map(e => e.name)"
    left = [name for name in browser.execute_script(entries) if name[:5] != "data:"]
    assert left == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_figures_are_seen(browser, address, width, scheme):
    open_page(browser, address, width=width, scheme=scheme)
    figures = browser.execute_script(
        """
        return Promise.all([...document.images].map(image => image.decode().then(
            () => [image.naturalWidth, image.naturalHeight,
                   image.getBoundingClientRect().width, image.currentSrc])))
        """
    )
    assert len(figures) == 3
    for natural_width, natural_height, shown_width, _ in figures:
        assert natural_width > 100
        assert natural_height > 100
        assert 100 < shown_width <= width
    dark = browser.execute_script(
        """
        return [...document.querySelectorAll('picture')].map(
            p => p.querySelector('img').currentSrc === p.querySelector('source').srcset)
        """
    )
    assert dark == [scheme == "dark"] * 3


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_only_tables_scroll_sideways(browser, address, width):
    open_page(browser, address, width=width)
    reached = browser.execute_script("return document.documentElement.scrollWidth")
    assert reached <= width
    wide = browser.execute_script(
        """
        return [...document.querySelectorAll('body *')].filter(
            e => !e.closest('.scroll') && e.getBoundingClientRect().right > innerWidth
        ).map(e => e.outerHTML.slice(0, 100))
        """
    )
    assert wide == []


def test_the_page_follows_the_scheme(browser, address):
    colors = {}
    for scheme in ("light", "dark"):
        open_page(browser, address, scheme=scheme)
        colors[scheme] = browser.execute_script(
            "const s = getComputedStyle(document.body);"
            "return [s.color, s.backgroundColor]"
        )
    (ink, page), (dark_ink, dark_page) = colors["light"], colors["dark"]
    assert page == "rgb(255, 255, 255)"
    assert len({ink, page, dark_ink, dark_page}) == 4


def test_names_do_nothing(browser, address):
    open_page(browser, address)
    assert browser.execute_script("return document.scripts.length") == 0
    text = browser.execute_script("return document.body.innerText")
    assert HOSTILE in text


def test_a_notebook_shows_it(browser, address):
    notebook = address.replace("report.html", "notebook.html")
    asked = open_page(browser, notebook)
    assert {url for url in asked if url[:5] != "data:"} <= {notebook, "about:srcdoc"}
    assert browser.title == "notebook"
    browser.switch_to.frame(0)
    assert "Distillation report" in browser.page_source
    assert browser.get_log("browser") == []
    browser.switch_to.default_content()
