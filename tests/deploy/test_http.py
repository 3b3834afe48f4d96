"""Answers that are none, and a token that goes nowhere else."""

from __future__ import annotations

import pytest

from tests.deploy.controller import NETWORK, TOKEN, cut_off, running
from ztfast.deploy.http import Api, DeployError
from ztfast.deploy.target import parse_target

PATH = f"/controller/network/{NETWORK}"


def api(url: str, token: str = TOKEN, timeout: float = 5.0) -> Api:
    return Api(parse_target(f"controller:{NETWORK}@{url}"), token, timeout)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (401, "the token is refused"),
        (403, "may not do that"),
        (429, "too many requests"),
        (500, "status 500"),
        (302, "status 302"),
        (b"<html>", "is not JSON"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_answers_of_no_use(fault: object, says: str) -> None:
    with running() as fake:
        fake.faults["GET"].append(fault)
        with pytest.raises(DeployError, match=says) as error:
            api(fake.url).get(PATH)
        assert not error.value.unsure
        assert TOKEN not in str(error.value)
        assert len(fake.requests) == 1  # nothing is asked elsewhere, or again


def test_a_wrong_token_and_a_network_that_is_not_there() -> None:
    with running() as fake:
        with pytest.raises(DeployError, match="the token is refused"):
            api(fake.url, "other").get(PATH)
        with pytest.raises(DeployError, match="no such network"):
            api(fake.url).get("/controller/network/0000000000000000")
        assert api(fake.url).get("/elsewhere", missing={"a": 1}) == {"a": 1}


def test_nobody_answers() -> None:
    with running() as fake:
        url = fake.url
    with pytest.raises(DeployError, match="no answer") as error:
        api(url).get(PATH)
    assert not error.value.unsure
    with pytest.raises(DeployError, match="no answer") as error:
        api(url).post(PATH, {})
    assert error.value.unsure


def test_what_was_sent_may_have_had_an_effect() -> None:
    with running() as fake:
        for fault in (cut_off, 500, b"no json"):
            fake.faults["POST"].append(fault)
            with pytest.raises(DeployError) as error:
                api(fake.url).post(PATH, {"rules": []})
            assert error.value.unsure, fault
        fake.faults["POST"].append(400)
        with pytest.raises(DeployError) as error:
            api(fake.url).post(PATH, {"rules": []})
        assert not error.value.unsure
