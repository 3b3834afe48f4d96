"""Makes fuzz/corpus and the dictionaries out of the tests' data: python -m fuzz.make_corpus.

Small on purpose: a handful of inputs a target that reach each format and kind of rule.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.capture.building import DATA
from tests.differential.generate import random_payload

from fuzz.checks import BATCH
from fuzz.driver import HERE
from ztfast.lang import compile_text
from ztfast.model.kinds import KINDS
from ztfast.model.names import ACTION_WORDS, DEFINITION_WORDS
from ztfast.model.view import make_view
from ztfast.program.encode import encode
from ztfast.program.serialize import save_program

EXAMPLES = HERE.parent / "examples"
TEXTS = (
    (EXAMPLES / "office.ztrules").read_text(encoding="utf-8"),
    "accept;\n",
    "tag team id 1 default 0 enum 1 one flag 3 red; cap more id 5 default accept dport 80; ;\n"
    "drop not chr ipauth and not ethertype arp; break tdiff team 0 or tand team red; drop;\n",
    "macro open($port) accept ipprotocol tcp and dport $port; ;\ninclude open(443)\n# end\ndrop;",
    "tee 64 1122334455 chr tcp_syn; watch -1 1122334455 icmp 8 0; redirect 1122334455 vlan 5;\n"
    "accept random 0.25 or framesize 60-1500; accept ipsrc fd00::/8 or iptos 3 1-2; drop;",
)

OWN = """\
id = "8056c2e21c000001"

[[member]]
address = "1122334455"
name = "anna"
ips = ["10.0.0.1", "fd00::1"]
tags = { 1 = 2 }
capabilities = [5]

[[member]]
address = "2222222222"
authorized = false
"""


def main() -> None:
    shutil.rmtree(HERE / "corpus", ignore_errors=True)
    write("capture", captures())
    write("frame", frames())
    write("batch", batches())
    write("table", tables())
    write("rules", (text.encode() for text in TEXTS))
    write("policy", policies())
    write("network", networks())
    dictionaries()


def write(name: str, inputs: Iterable[bytes]) -> None:
    """The inputs of one target, numbered."""
    folder = HERE / "corpus" / name
    folder.mkdir(parents=True)
    for number, data in enumerate(inputs):
        (folder / f"{number:02}").write_bytes(data)


def captures() -> list[bytes]:
    """The smallest captures of each folder of the tests' data, with options that take turns."""
    paths = sorted(DATA.rglob("*.pcap*"), key=lambda path: (path.stat().st_size, path.name))
    small = [path for path in paths if path.is_file() and 100 < path.stat().st_size < 4000]
    chosen = [path.read_bytes() for path in small[:: max(1, len(small) // 16)]]
    chosen.append((EXAMPLES / "office.pcap").read_bytes()[:3000])
    return [bytes([number * 5 % 64]) + data for number, data in enumerate(chosen)]


def frames() -> list[bytes]:
    """Choices of many lengths, with frames for either form: a whole one, or its payload."""
    rng, found = random.Random(3), []
    for number in range(24):
        choices = bytes([number % 2]) + rng.randbytes(rng.choice((20, 60, 120, 254)))
        ethertype, payload = random_payload(rng)
        head = b"" if number % 2 == 0 else BATCH.buffer[:12].tobytes()
        frame = head + ethertype.to_bytes(2, "big") + payload
        found.append(bytes([len(choices)]) + choices + frame)
    return found


def batches() -> list[bytes]:
    """Choices for columns of each kind over a few frames in one buffer, some of it cut."""
    rng, found, buffer = random.Random(5), [], BATCH.buffer.tobytes()
    for number in range(32):
        choices = rng.randbytes(rng.choice((40, 90, 160)))
        cut = rng.randrange(600) if number % 4 else 0
        found.append(bytes([len(choices)]) + choices + buffer[cut : cut + 600])
    return found


def tables() -> list[bytes]:
    """Tables of the rules above, in pieces; the smallest also as it lies on the disk."""
    import numpy as np

    found, path = [], HERE / "corpus" / "table.npz"
    for text in TEXTS:
        for direction in ("out", "in"):
            save_program(encode(make_view(compile_text(text), direction)), path)
            with np.load(path) as file:
                about, rows = file["about"].tobytes(), file["table"].tobytes()
            found.append(b"\0" + len(about).to_bytes(2, "big") + about + rows)
            if text == TEXTS[1]:
                found.append(b"\1" + path.read_bytes())
    path.unlink()
    return found


def policies() -> list[bytes]:
    """Compiled texts as a controller takes them, and a bare list of rules."""
    made = [compile_text(text).to_json() for text in TEXTS]
    documents = [*made, made[0]["config"], made[2]["config"]["rules"]]
    documents.append({"rulesSource": TEXTS[2], **made[2]["config"]})
    return [json.dumps(document, separators=(",", ":")).encode() for document in documents]


def networks() -> list[bytes]:
    """Our own form, and what controllers write."""
    member = {"id": "1111111111", "authorized": True, "ipAssignments": ["10.0.0.1"]}
    member.update(tags=[[1, 2]], capabilities=[5])
    plain = {"network": {"nwid": "8056c2e21c000001", "rules": []}, "members": [member]}
    central = {"id": "8056c2e21c000001", "nodeId": "1111111111", "config": member}
    documents = [plain, [central], {**plain, "members": {"1111111111": member}}]
    return [OWN.encode(), *(json.dumps(document).encode() for document in documents)]


def dictionaries() -> None:
    """Words of the text targets, in libFuzzer's form."""
    words = {info.word for info in KINDS.values() if info.word} | set(ACTION_WORDS)
    words |= {"not ", "or ", "and ", "include ", "$a", "# ", ";", "(", ")", *DEFINITION_WORDS}
    keys = {field.json for info in KINDS.values() for field in info.fields}
    types = {kind.name for kind in KINDS}
    outer = {"rules", "config", "type", "not", "or", "capabilities", "tags", "id", "default"}
    members = {"members", "network", "nwid", "ipAssignments", "authorized", "address", "nodeId"}
    form("rules", words)
    form("policy", {f'"{word}"' for word in keys | types | outer})
    form("network", {f'"{word}"' for word in members | outer} | members | {"[[member]]", " = "})


def form(name: str, words: Iterable[str]) -> None:
    """One dictionary: a quoted word a line."""
    lines = [
        f'"{word}"' if '"' not in word else '"' + word.replace('"', r"\"") + '"' for word in words
    ]
    Path(HERE / f"{name}.dict").write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
