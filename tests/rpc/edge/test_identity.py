# SPDX-License-Identifier: Apache-2.0
"""Who calls is proven by the certificate on TLS, believed on plaintext loopback, and never guessed."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from cryptography import x509
from prometheus_client import CollectorRegistry

from chukan.client import Client, ClientTls
from chukan.edge import (
    Caller,
    ChannelTransport,
    DevelopmentPki,
    EdgeConfig,
    EdgeConfigError,
    TlsFiles,
    build_server,
    make_development_pki,
)
from chukan.edge.errors import error_of_call
from chukan.edge.pki import ORGANIZATION_URN, issue_certificate
from chukan.monitoring import Metrics
from chukan.standard.clock import FixedClock, SystemClock
from chukan.standard.reasons import ChukanError
from tests.rpc.edge.servers import FULL_NAME, METADATA, ORGANIZATION, OTHER_ORGANIZATION, Edge, Start, finished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import SimpleNamespace

INDIVIDUAL_NUMBER = "123456789018"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> DevelopmentPki:
    directory = tmp_path_factory.mktemp("pki")
    return make_development_pki(directory, [ORGANIZATION, OTHER_ORGANIZATION], clock=SystemClock())


@pytest.fixture(scope="module")
def tls_edge(echo: SimpleNamespace, pki: DevelopmentPki) -> Iterator[Edge]:
    running = Edge(echo, EdgeConfig("127.0.0.1:0", tls=pki.server))
    yield running
    running.close()


def refused(edge: Edge, echo: SimpleNamespace, *metadata: tuple[str, str]) -> ChukanError:
    with pytest.raises(grpc.RpcError) as caught:
        edge.stub.Say(echo.SayRequest(), metadata=metadata, timeout=5)
    return error_of_call(caught.value)


def said(edge: Edge, echo: SimpleNamespace, tls: TlsFiles, organization: str) -> str:
    transport = ChannelTransport(edge.target, tls=tls)
    try:
        caller = Caller(organization=organization)
        request = echo.SayRequest(what="caller")
        text: str = transport.call(f"/{FULL_NAME}/Say", request, echo.SayResponse, caller=caller, timeout=5).text
    finally:
        transport.close()
    return text


def test_plaintext_believes_the_header_and_refuses_a_call_without(edge: Edge, echo: SimpleNamespace) -> None:
    answer = edge.stub.Say(echo.SayRequest(what="caller"), metadata=METADATA, timeout=5)
    assert f"organization='{ORGANIZATION}'" in answer.text

    error = refused(edge, echo)
    assert (error.code, error.reason.status, error.field) == (
        "CALLER_UNKNOWN",
        "UNAUTHENTICATED",
        "chukan-organization",
    )


@pytest.mark.parametrize("shape", ["Pour", "Gather", "Watch", "Relay"])
def test_no_shape_of_rpc_works_without_a_caller(edge: Edge, echo: SimpleNamespace, shape: str) -> None:
    request = echo.SayRequest()
    before = edge.behaviour.calls
    call = getattr(edge.stub, shape)

    with pytest.raises(grpc.RpcError) as caught:
        finished(call(iter([request]) if shape in {"Pour", "Gather"} else request, timeout=5))

    assert error_of_call(caught.value).code == "CALLER_UNKNOWN"
    assert edge.behaviour.calls == before


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("chukan-organization", "131041"),
        ("chukan-organization", "０２２０１１３１０４１０１７００".encode().hex()[:16]),
        ("chukan-mode", "prod"),
        ("chukan-department", "d" * 129),
    ],
)
def test_a_malformed_value_is_refused_by_its_key(edge: Edge, echo: SimpleNamespace, key: str, value: str) -> None:
    metadata = [item for item in METADATA if item[0] != key]

    error = refused(edge, echo, *metadata, (key, value))

    assert (error.code, error.field) == ("CALLER_METADATA_INVALID", key)
    assert value not in str(error)


@pytest.mark.parametrize("key", ["chukan-user", "chukan-department", "chukan-terminal", "chukan-system"])
def test_nobody_is_known_by_an_individual_number(edge: Edge, echo: SimpleNamespace, key: str) -> None:
    metadata = [item for item in METADATA if item[0] != key]

    error = refused(edge, echo, *metadata, (key, INDIVIDUAL_NUMBER))

    assert (error.code, error.field) == ("INDIVIDUAL_NUMBER_REFUSED", key)
    assert INDIVIDUAL_NUMBER not in str(error)


def test_a_key_given_twice_is_refused(edge: Edge, echo: SimpleNamespace) -> None:
    error = refused(edge, echo, *METADATA, ("chukan-organization", OTHER_ORGANIZATION))

    assert (error.code, error.field) == ("CALLER_METADATA_INVALID", "chukan-organization")


def test_a_world_is_refused_by_a_server_without_worlds(edge: Edge, echo: SimpleNamespace) -> None:
    assert refused(edge, echo, *METADATA, ("chukan-world", "w1")).code == "WORLDS_NOT_OFFERED"


def test_a_server_with_worlds_passes_the_world_on(start: Start, echo: SimpleNamespace) -> None:
    edge = start(EdgeConfig("127.0.0.1:0", worlds=True))

    answer = edge.stub.Say(echo.SayRequest(what="caller"), metadata=(*METADATA, ("chukan-world", "w1")))

    assert "world='w1'" in answer.text


def test_on_tls_the_certificate_says_who_calls(tls_edge: Edge, echo: SimpleNamespace, pki: DevelopmentPki) -> None:
    mine = pki.organizations[OTHER_ORGANIZATION]

    assert f"organization='{OTHER_ORGANIZATION}'" in said(tls_edge, echo, mine, "")
    assert f"organization='{OTHER_ORGANIZATION}'" in said(tls_edge, echo, mine, OTHER_ORGANIZATION)


def test_a_header_that_contradicts_the_certificate_is_denied(
    tls_edge: Edge, echo: SimpleNamespace, pki: DevelopmentPki
) -> None:
    with pytest.raises(ChukanError) as caught:
        said(tls_edge, echo, pki.organizations[OTHER_ORGANIZATION], ORGANIZATION)

    assert (caught.value.code, caught.value.reason.status) == ("ORGANIZATION_MISMATCH", "PERMISSION_DENIED")


def test_a_certificate_that_names_no_organization_is_not_enough(
    tls_edge: Edge, echo: SimpleNamespace, pki: DevelopmentPki
) -> None:
    nameless = [x509.DNSName("localhost")]
    nobody = issue_certificate(pki.server.ca.parent, "nobody", names=nameless, now=datetime.now(UTC))
    for organization in ("", ORGANIZATION):
        with pytest.raises(ChukanError) as caught:
            said(tls_edge, echo, nobody, organization)
        assert (caught.value.code, caught.value.reason.status) == ("CERTIFICATE_NOT_ACCEPTED", "UNAUTHENTICATED")


def test_a_certificate_of_several_organizations_says_in_the_header_for_which_it_calls(
    tls_edge: Edge, echo: SimpleNamespace, pki: DevelopmentPki
) -> None:
    names = [x509.UniformResourceIdentifier(ORGANIZATION_URN + code) for code in (ORGANIZATION, OTHER_ORGANIZATION)]
    both = issue_certificate(pki.server.ca.parent, "both", names=names, now=datetime.now(UTC))

    assert f"organization='{ORGANIZATION}'" in said(tls_edge, echo, both, ORGANIZATION)
    assert f"organization='{OTHER_ORGANIZATION}'" in said(tls_edge, echo, both, OTHER_ORGANIZATION)
    with pytest.raises(ChukanError) as caught:
        said(tls_edge, echo, both, "")
    assert caught.value.code == "CALLER_UNKNOWN"


def test_the_development_server_calls_in_the_name_of_every_organization_served(
    tls_edge: Edge, echo: SimpleNamespace, pki: DevelopmentPki
) -> None:
    """A network apart and the middle servers call each other with the certificates they serve with."""
    for organization in (ORGANIZATION, OTHER_ORGANIZATION):
        assert f"organization='{organization}'" in said(tls_edge, echo, pki.server, organization)


def test_a_caller_without_a_certificate_of_our_ca_does_not_get_in(
    tls_edge: Edge, echo: SimpleNamespace, pki: DevelopmentPki, tmp_path: Path
) -> None:
    stranger = make_development_pki(tmp_path / "other", [ORGANIZATION], clock=SystemClock()).organizations[ORGANIZATION]
    mixed = TlsFiles(cert=stranger.cert, key=stranger.key, ca=pki.server.ca)

    for tls in (stranger, mixed):
        with pytest.raises(ChukanError) as caught:
            said(tls_edge, echo, tls, ORGANIZATION)
        assert caught.value.code == "PEER_UNREACHABLE"


def test_the_client_speaks_mutual_tls(tls_edge: Edge, echo: SimpleNamespace, pki: DevelopmentPki) -> None:
    files = pki.organizations[ORGANIZATION]
    with Client(tls_edge.target, organization="", tls=ClientTls(files.cert, files.key, files.ca)) as client:
        client.wait_until_reachable()
        answer = echo.Stub(client.calls()).Say(echo.SayRequest(what="caller"))

    assert f"organization='{ORGANIZATION}'" in answer.text


def test_keys_are_for_their_owner_only_and_kept_when_made_again(pki: DevelopmentPki) -> None:
    directory = pki.server.ca.parent
    before = {path.name: path.read_bytes() for path in directory.iterdir()}

    make_development_pki(directory, [ORGANIZATION], clock=SystemClock())

    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.glob("*.key")} == {0o600}
    authority = x509.load_pem_x509_certificate(pki.server.ca.read_bytes())
    assert "CHUKAN DEVELOPMENT" in authority.subject.rfc4514_string()
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    assert [name.value for name in constraints.permitted_subtrees or []] == ["localhost"]


def _build(config: EdgeConfig, clock: Any = None) -> None:
    server = build_server(
        config, [], metrics=Metrics(CollectorRegistry()), clock=clock or SystemClock(), ready=lambda: True
    )
    server.stop(None)


def test_what_is_wrong_with_a_set_up_is_said_before_anything_listens(pki: DevelopmentPki, tmp_path: Path) -> None:
    missing = TlsFiles(cert=tmp_path / "none.pem", key=pki.server.key, ca=pki.server.ca)
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("no certificate")
    later = FixedClock(datetime.now(UTC) + timedelta(days=500))
    cases: list[tuple[EdgeConfig, Any, str]] = [
        (EdgeConfig("0.0.0.0:0"), None, "can be reached from other machines"),  # what is refused
        (EdgeConfig("192.0.2.1:0"), None, "can be reached from other machines"),
        (EdgeConfig("[::]:0"), None, "can be reached from other machines"),
        (EdgeConfig("somewhere:0"), None, "can be reached from other machines"),
        (EdgeConfig("50051"), None, "got listen address 50051, expected host:port"),
        (EdgeConfig("127.0.0.1:70000"), None, "expected host:port"),
        (EdgeConfig("127.0.0.1:0", profile="prod"), None, "got profile prod, expected emulator or production"),
        (EdgeConfig("127.0.0.1:0", profile="production"), None, "the production profile refuses plaintext"),
        (EdgeConfig("127.0.0.1:0", profile="production", tls=pki.server), None, "is of the development CA"),
        (EdgeConfig("127.0.0.1:0", tls=missing), None, r"the TLS file .*none\.pem is not there"),
        (EdgeConfig("127.0.0.1:0", tls=TlsFiles(garbage, pki.server.key, pki.server.ca)), None, "is not a PEM"),
        (EdgeConfig("127.0.0.1:0", tls=pki.server), later, "is valid from .* and today is"),
        (EdgeConfig("127.0.0.1:0", profile="production", worlds=True), None, "has no worlds"),
    ]
    for config, clock, sentence in cases:
        with pytest.raises(EdgeConfigError, match=sentence):
            _build(config, clock)


def test_a_port_in_use_is_said_so(edge: Edge) -> None:
    with pytest.raises(EdgeConfigError, match="the address is in use"):
        _build(EdgeConfig(f"127.0.0.1:{edge.server.port}"))


def test_the_control_port_asks_for_its_token_and_knows_no_organization(start: Start, echo: SimpleNamespace) -> None:
    edge = start(EdgeConfig("127.0.0.1:0", control_token="t0ken"))  # noqa: S106  # a test's

    token = ("authorization", "Bearer t0ken")
    for metadata in ((token,), (*METADATA, token)):
        answer = edge.stub.Say(echo.SayRequest(what="caller"), metadata=metadata, timeout=5)
        assert "organization=''" in answer.text

    for metadata in ((), (("authorization", "Bearer other"),), METADATA):
        error = refused(edge, echo, *metadata)
        assert (error.code, error.reason.status) == ("CONTROL_TOKEN_INVALID", "UNAUTHENTICATED")
    assert "t0ken" not in repr(EdgeConfig("127.0.0.1:0", control_token="t0ken"))  # noqa: S106  # a test's


@pytest.mark.parametrize("shape", ["Say", "Pour", "Watch"])
def test_a_call_in_another_mode_than_its_organizations_is_refused(
    start: Start, echo: SimpleNamespace, shape: str
) -> None:
    """Whatever the RPC; a call that says no mode is one of the organization's."""
    edge = start(mode_of=lambda organization: "production" if organization == OTHER_ORGANIZATION else "test")

    def outcome(organization: str, *mode: str) -> str:
        metadata = [("chukan-organization", organization), *(("chukan-mode", each) for each in mode)]
        sent = iter([echo.SayRequest()]) if shape == "Pour" else echo.SayRequest()
        try:
            answer = getattr(edge.stub, shape)(sent, metadata=metadata, timeout=5)
            next(answer) if shape != "Say" else None
        except grpc.RpcError as error:
            return error_of_call(error).code
        return ""

    assert [outcome(ORGANIZATION), outcome(ORGANIZATION, "test")] == ["", ""]
    assert [outcome(OTHER_ORGANIZATION), outcome(OTHER_ORGANIZATION, "production")] == ["", ""]
    assert outcome(ORGANIZATION, "production") == outcome(OTHER_ORGANIZATION, "test") == "MODE_MISMATCH"
