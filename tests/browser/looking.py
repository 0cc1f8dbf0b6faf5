# SPDX-License-Identifier: Apache-2.0
"""What a person with weak eyes or a narrow screen would notice, measured in the page itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["broken", "faint", "overflow", "own_words", "unmarked"]

_FAINT = """() => {
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3)
    .map((each) => each / 255)
    .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4))
    .reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parts(getComputedStyle(each).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const shown = (element) => element.getClientRects().length && getComputedStyle(element).visibility === "visible";
  return [...document.querySelectorAll("body *")]
    .filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) && shown(each))
    .map((each) => {
      const [high, low] = [light(parts(getComputedStyle(each).color)), light(behind(each))].sort((a, b) => b - a);
      return [(high + 0.05) / (low + 0.05), each.textContent.trim().slice(0, 40)];
    })
    .filter(([ratio]) => ratio < 4.5);
}"""


def faint(page: Page) -> list[Any]:
    """Return texts whose contrast is below 4.5, WCAG's AA."""
    found: list[Any] = page.evaluate(_FAINT)
    return found


def overflow(page: Page) -> int:
    """Return by how many pixels the page must be scrolled sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def own_words(page: Page) -> str:
    """Return the page's text without what is said to be in another language: names."""
    return str(
        page.evaluate("""() => {
          const copy = document.body.cloneNode(true);
          copy.querySelectorAll("[lang]").forEach((each) => each.remove());
          return copy.textContent;
        }""")
    )


def unmarked(page: Page) -> list[str]:
    """Return Japanese texts that are not said to be Japanese."""
    found: list[str] = page.evaluate("""() => {
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const texts = [];
      while (walk.nextNode()) texts.push(walk.currentNode);
      return texts
        .filter((each) => /[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}]/u.test(each.data))
        .filter((each) => each.parentElement.closest("[lang]").lang !== "ja")
        .map((each) => each.data.trim());
    }""")
    return found


_WORDS = """() => {
  const lines = (node, from, to) => {
    const range = document.createRange();
    range.setStart(node, from);
    range.setEnd(node, to);
    return new Set([...range.getClientRects()].map((each) => Math.round(each.top))).size;
  };
  const found = [];
  for (const each of document.querySelectorAll("#live thead th, #live .number, #live .badge, #live td code")) {
    const head = each.closest("thead");
    if (head && getComputedStyle(head).position === "absolute") continue; // out of sight
    const walk = document.createTreeWalker(each, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
      const node = walk.currentNode;
      const whole = each.matches("tbody .number, .badge") ? /\\S.*\\S|\\S/g : /\\S+/g;
      for (const word of node.data.matchAll(whole)) {
        if (lines(node, word.index, word.index + word[0].length) > 1) found.push(word[0]);
      }
    }
  }
  return found;
}"""


def broken(page: Page) -> list[str]:
    """Return words of heads, figures and codes of tables that go over more than one line."""
    found: list[str] = page.evaluate(_WORDS)
    return found
