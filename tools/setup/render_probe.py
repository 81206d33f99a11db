"""`python render_probe.py CHROMIUM`: renders a page as the browser tests will, and says so.

Runs in `.venv`, which has the driver. Chromium's own `--dump-dom` is no substitute: in builds
that leave out its resources it waits for ever.
"""

import sys

from playwright.sync_api import sync_playwright

START_TIMEOUT = 30_000  # milliseconds, on a machine that may be busy
PAGE = "data:text/html,<title>rendered</title>"


def main() -> None:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=sys.argv[1], args=["--no-sandbox"], timeout=START_TIMEOUT
        )
        page = browser.new_page()
        page.goto(PAGE)
        print(page.title(), "by", browser.version)
        browser.close()


if __name__ == "__main__":
    main()
