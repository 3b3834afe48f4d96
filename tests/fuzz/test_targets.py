"""Each fuzz target: its corpus, and a few rounds of mutations; `make fuzz` runs many more.

ZTFAST_SEED and ZTFAST_ROUNDS choose another run; the seed is in every failure.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from fuzz.choices import ByteRandom

from fuzz import driver
from tests import seeds

SEED = seeds.seed(1)
ROUNDS = {
    "capture": 150,
    "frame": 60,
    "batch": 300,
    "table": 400,
    "rules": 600,
    "policy": 600,
    "network": 600,
}


@pytest.mark.parametrize("name", driver.TARGETS)
def test_a_few_rounds(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    rounds = seeds.rounds(ROUNDS[name])
    print(f"{name}: seed {SEED}, {rounds} rounds")
    monkeypatch.setattr(driver, "OUT", tmp_path)
    one, judged = driver.target(name), []
    monkeypatch.setattr(driver, "target", lambda _: lambda data: judged.append(one(data)))
    driver.run_plain(name, rounds, SEED)
    assert len(judged) == len(driver.corpus(name)) + rounds


@pytest.mark.parametrize("name", driver.TARGETS)
def test_the_corpus_is_small(name: str) -> None:
    seeds = driver.corpus(name)
    assert len(seeds) >= 4
    assert all(0 < len(data) <= driver.TARGETS[name] for data in seeds)
    rng = random.Random(SEED)
    made = [driver.mutated(rng, seeds, driver.words(name)) for _ in range(200)]
    assert len(set(made)) > 150


@pytest.mark.parametrize("name", ["table", "rules", "policy", "network"])
def test_seeds_are_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutations start from behind the checks: no seed of these is refused."""
    one = driver.target(name)

    def refused(error: Exception) -> None:
        raise AssertionError(error)

    monkeypatch.setattr(f"fuzz.fuzz_{name}.refused", refused)
    if name == "rules":  # their findings and what no text can say are told by the same way
        monkeypatch.setattr("fuzz.fuzz_rules.check", lambda _: (None, []))
        monkeypatch.setattr("fuzz.fuzz_rules._printed", lambda _: None)
    for data in driver.corpus(name):
        one(data)


def test_batches_are_both_refused_and_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the target would say nothing of one of them."""
    found: dict[str, int] = {"refused": 0, "judged": 0}

    def count(what: str) -> Callable[..., None]:
        return lambda *_, **__: found.update({what: found[what] + 1})

    monkeypatch.setattr("fuzz.fuzz_batch.refused", count("refused"))
    monkeypatch.setattr("fuzz.fuzz_batch.same_verdicts", count("judged"))
    for data in driver.corpus("batch"):
        driver.target("batch")(data)
    assert min(found.values()) >= 5, found


def test_a_finding_is_kept_and_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    def one(data: bytes) -> None:
        assert b"accept" not in data

    monkeypatch.setattr(driver, "OUT", tmp_path)
    monkeypatch.setattr(driver, "target", lambda _: one)
    with pytest.raises(AssertionError):
        driver.run_plain("rules", 10, SEED)
    assert b"accept" in (driver.OUT / "rules" / "failing").read_bytes()
    assert "failing" in capsys.readouterr().err


def test_choices_come_from_the_bytes() -> None:
    rng = ByteRandom(b"\x01\x80\x02\xff")
    assert rng.getrandbits(1) == 1
    assert rng.random() == 0.5
    assert rng.choice("abcd") == "c"
    assert rng.randbytes(3) == b"\xff\0\0"
