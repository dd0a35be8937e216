"""The certificates of the indicators: all of them on the page, filtered by it and, without scripts, by the server."""

from playwright.sync_api import expect


def test_certificates_are_filtered_with_and_without_scripts(visit):
    for has_scripts in (True, False):
        page = visit("/conformance/", java_script_enabled=has_scripts)
        rows = page.locator("tr[data-said]:visible")
        expect(rows).to_have_count(203)
        page.locator("[name=q]").fill("bollinger")
        if not has_scripts:
            page.locator("form[data-filters] button").click()
        expect(rows).to_have_count(3)
        expect(page.locator("[data-shown]")).to_have_text("3 of 203")
        expect(page).to_have_url(
            page.url.split("?")[0] + "?q=bollinger" + ("" if has_scripts else "&group=&reference=")
        )
        page.locator("[name=reference]").select_option("unchecked")
        if not has_scripts:
            page.locator("form[data-filters] button").click()
        expect(rows).to_have_count(0)
        expect(page.locator("[data-none]")).to_be_visible()
