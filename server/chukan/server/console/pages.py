# SPDX-License-Identifier: Apache-2.0
"""The pages: each reads by RPC, and shows what it found or the sentence of what failed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from chukan.server.console.exchange import exchange_of
from chukan.server.console.files import static_file
from chukan.server.console.inquiries import PAGE, STATE_NAMES, inquiries_of
from chukan.server.console.language import Language, preferred
from chukan.server.console.organizations import lanes_of, status_of
from chukan.server.console.problem import Problem, problem_of
from chukan.server.console.texts import TEXTS
from chukan.server.console.unexpected import log_unexpected
from chukan.server.console.words import INQUIRY_STATES, organization_name
from chukan.standard.reasons import ChukanError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from chukan.server.console.alerts import AlertSource
    from chukan.server.console.callers import Callers
    from chukan.server.console.newest import Newest
    from chukan.server.console.overview import Overview
    from chukan.server.console.rendering import Rendering
    from chukan.standard.clock import Clock

__all__ = ["Pages", "application"]

_MOST_LANES: Final = 40
_NEWEST: Final = "newest"
_STATE_LIST: Final = [(STATE_NAMES[state], badge) for state, badge in INQUIRY_STATES.items()]


@dataclass(frozen=True, slots=True)
class Pages:
    """What the pages are made of."""

    callers: Callers
    overview: Overview
    newest: Newest
    alerts: AlertSource
    clock: Clock
    rendering: Rendering

    def show_overview(self, _request: Request) -> tuple[str, Mapping[str, Any]]:
        """Show every organization, lanes, alerts."""
        look = self.overview.look()
        lanes = look.lanes
        return "overview.html", {
            "look": look,
            "lanes": lanes[:_MOST_LANES],
            "more_lanes": max(len(lanes) - _MOST_LANES, 0),
            "held": sum(lane.held for lane in lanes),
            "alerts": self.alerts.look(),
            "states": INQUIRY_STATES,
            "state_names": STATE_NAMES,
        }

    def show_organization(self, request: Request) -> tuple[str, Mapping[str, Any]]:
        """Show one organization: components, waiting work, lanes."""
        code = request.path_params["organization"]
        client = self.callers.of(code)
        return "organization.html", {**_named(code), "status": status_of(client), "lanes": lanes_of(client, code)}

    def show_inquiries(self, request: Request) -> tuple[str, Mapping[str, Any]]:
        """Show a page of an organization's inquiries, oldest or newest first."""
        code = request.path_params["organization"]
        client = self.callers.of(code)
        state, token = request.query_params.get("state", ""), request.query_params.get("page", "")
        newest = request.query_params.get("order", "") == _NEWEST
        if newest:
            page, token = self.newest.look(client, code, state=state), ""
        else:
            page = inquiries_of(client, state=state, token=token)
        return "inquiries.html", {
            **_named(code),
            "page": page,
            "token": token,
            "state": state,
            "order": _NEWEST if newest else "",
            "most": PAGE,
            "state_list": _STATE_LIST,
        }

    def show_exchange(self, request: Request) -> tuple[str, Mapping[str, Any]]:
        """Show one exchange with its three records."""
        code = request.path_params["organization"]
        found = exchange_of(self.callers, code, request.path_params["exchange"])
        return "exchange.html", {**_named(code), "exchange": found}

    def show_alerts(self, _request: Request) -> tuple[str, Mapping[str, Any]]:
        """Show what the Alertmanager holds."""
        return "alerts.html", {"alerts": self.alerts.look()}

    def answer(self, show: Callable[[Request], tuple[str, Mapping[str, Any]]], request: Request) -> Response:
        """Make a page; every failure becomes one, too."""
        try:
            template, values = show(request)
            return HTMLResponse(self._page(request, template, values))
        except ChukanError as error:
            return self.failed(request, problem_of(error))
        except Exception as error:  # noqa: BLE001  # whatever it is, a page says so and the log says where
            log_unexpected(error, page=request.url.path)
            problem = Problem("INTERNAL_ERROR", TEXTS["unexpected"], TEXTS["unexpected_todo"])
            return self.failed(request, problem._replace(status=HTTPStatus.INTERNAL_SERVER_ERROR))

    def failed(self, request: Request, problem: Problem) -> Response:
        """Make the page that says what failed."""
        return HTMLResponse(self._page(request, "problem.html", {"problem": problem}), problem.status)

    def unknown(self, request: Request, _error: Exception) -> Response:
        """Answer for an address that is no page."""
        problem = Problem("", TEXTS["page_unknown"], TEXTS["page_unknown_todo"], HTTPStatus.NOT_FOUND)
        return self.failed(request, problem)

    def _page(self, request: Request, template: str, values: Mapping[str, Any]) -> str:
        path = request.url.path
        named = next((each for each in Language if path.startswith(f"/{each}/")), None)
        language = named or preferred(request.headers.get("accept-language", ""))
        rest = path.removeprefix(f"/{named}/") if named else ""
        query = f"?{request.url.query}" if request.url.query and named else ""
        return self.rendering.page(
            template, language, {**values, "here": f"{rest}{query}", "now": self.clock.now(), "template": template}
        )


def _named(code: str) -> dict[str, str]:
    return {"code": code, "name": organization_name(code)}


def application(pages: Pages) -> Starlette:
    """Return the pages as an application."""
    shown = {
        "": pages.show_overview,
        "alerts": pages.show_alerts,
        "organizations/{organization}": pages.show_organization,
        "organizations/{organization}/inquiries": pages.show_inquiries,
        "organizations/{organization}/exchanges/{exchange}": pages.show_exchange,
    }
    routes = [
        Route("/", _to_language),
        Route("/static/{name}", static_file),
    ]
    routes += [
        Route(f"/{language}/{path}", partial(pages.answer, show))
        for language in Language
        for path, show in shown.items()
    ]
    routes += [Route(f"/{language}", partial(_to_overview, language)) for language in Language]
    made = Starlette(routes=routes, exception_handlers={HTTPException: pages.unknown})
    made.router.redirect_slashes = False  # an address that is no page says so
    return made


def _to_overview(language: Language, _request: Request) -> Response:
    return RedirectResponse(f"/{language}/")


def _to_language(request: Request) -> Response:
    return RedirectResponse(f"/{preferred(request.headers.get('accept-language', ''))}/")
