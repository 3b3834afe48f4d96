"""The entries of `diagnostics.codes` for what is not about rules: evaluation, captures, output.

Contract: data only.  Tested by tests/diagnostics/test_codes.py.
"""

from __future__ import annotations

from ztfast.diagnostics.code import Code

OTHERS: tuple[Code, ...] = (
    Code(
        "ZT401",
        "frames that do not fit",
        "Columns or frames have a wrong shape, type or range.",
    ),
    Code(
        "ZT410",
        "a case that is not readable",
        "A JSON case for `ztfast eval` has a wrong key.",
    ),
    Code(
        "ZT411",
        "an entry was left out",
        "As ZT054: the network leaves out entries of unknown types, and a "
        "MATCH_CHARACTERISTICS whose `mask` is neither text nor number.",
    ),
    Code(
        "ZT412",
        "entries were cut off",
        "As ZT057: the network takes no more entries.",
    ),
    Code(
        "ZT413",
        "a line is too long",
        "A case of `ztfast eval` is one line of at most 64 MiB.",
    ),
    Code(
        "ZT414",
        "a frame's text is not readable",
        "`--frame` of `ztfast explain`, and `frame` of a test case, take one line such as `tcp "
        "10.1.1.2:5555 > 10.1.1.7:443 syn`. docs/explain.md has the notation.",
    ),
    Code(
        "ZT415",
        "no such frame",
        "The capture holds fewer frames than the number asked for; frames count from 1.",
    ),
    Code(
        "ZT440",
        "a test file is not readable",
        "A file of test cases cannot be read, is not TOML or YAML, or has an unknown key, a wrong "
        "type or a name that nothing has. The message has the line and column, or the key's path. "
        "docs/test.md has the form.",
    ),
    Code(
        "ZT420",
        "the native evaluator is missing",
        "This installation has no compiled part. Install with a C compiler, or use `--backend "
        "reference` (ZTFAST_BACKEND=reference), which gives the same verdicts slowly.",
    ),
    Code(
        "ZT421",
        "an instruction level is missing",
        "The processor or build lacks that level.",
    ),
    Code(
        "ZT422",
        "an optional library is missing",
        "An adapter needs a library that is not installed here; the message names the extra "
        "that brings it.",
    ),
    Code(
        "ZT430",
        "a table that does not verify",
        "An instruction table has a number that cannot be: an unknown operation, a column, "
        "entry, look-up or jump that is not there, or no end. Nothing of it was run.",
    ),
    Code(
        "ZT431",
        "a file that is not a table",
        "A saved program could not be read back, or an optimised one was to be saved.",
    ),
    Code(
        "ZT501",
        "a damaged capture",
        "A record or block cannot be: its length is over the limit, its two lengths differ, or it "
        "belongs to no interface. The message has file and byte offset; every complete frame "
        "before it was handled. `--resync` continues at the next valid record.",
    ),
    Code(
        "ZT502",
        "a capture that ends early",
        "The file, or the compressed stream around it, ends inside a record. Every frame before "
        "that was handled. A capture that is still being written ends so: see `--follow`.",
    ),
    Code(
        "ZT503",
        "no readable capture",
        "The file is missing, empty, a folder without captures, or not pcap or pcapng (plain or in "
        "gzip, zstd or lz4). As a note: a file of a folder that was left out for that reason.",
    ),
    Code(
        "ZT504",
        "bytes were skipped",
        "`--resync` passed over so many bytes between damage and the next record, or the end.",
    ),
    Code(
        "ZT505",
        "an unknown link type",
        "Frames of that interface are counted but not judged; other interfaces go on. "
        "docs/captures.md lists the link types that are read.",
    ),
    Code(
        "ZT506",
        "a compression library is missing",
        "The capture is compressed: `pip install 'ztfast[compression]'`.",
    ),
    Code(
        "ZT551",
        "a network's description cannot be read",
        "The file is missing, is not allowed to be read, or is larger than 512 MiB (TOML: 64 MiB).",
    ),
    Code(
        "ZT552",
        "neither JSON nor TOML",
        "A network's description, or a case of `ztfast eval`, does not parse: not UTF-8, wrong "
        "syntax, a key twice in one object, NaN, nested too deep, or a number of thousands of "
        "digits. The message has the line and column where there is one.",
    ),
    Code(
        "ZT553",
        "a wrong value in a network's description",
        "The value at the path that the message names has a wrong type, is out of range, is not "
        "an address, or is missing. docs/network.md has the forms that are read.",
    ),
    Code(
        "ZT554",
        "given twice",
        "Two members of a network have one ZeroTier address or one MAC, or a member has a tag "
        "twice. Which of them counts could only be guessed.",
    ),
    Code(
        "ZT555",
        "a document that is not a network",
        "The message says what it is, and what to give instead: a list of addresses and "
        "revisions, several networks, rules, an error of an API, an empty file. docs/network.md "
        "has a table of the documents that are known.",
    ),
    Code(
        "ZT556",
        "too many members times tags",
        "The members' facts are held as a table of members by tags and capabilities. This "
        "network and these rules would need more memory than any real network does.",
    ),
    Code(
        "ZT557",
        "addresses that members do not own",
        "What `ipauth` asks for is a certificate of ownership. It holds 16 addresses, first those "
        "of RFC 4193 and 6PLANE (not for a member with `noAutoAssignIps`), then the assignments "
        "in their order, without those outside the network's routes. Frames from other assigned "
        "addresses are not `ipauth`.",
    ),
    Code(
        "ZT558",
        "default capabilities that members do not hold",
        "A controller writes the capabilities marked default into a member's list when it first "
        "sees that member, and never again. A list without them is the truth: the member does "
        "not hold them, as happens where a capability became default later.",
    ),
    Code(
        "ZT559",
        "a network without members",
        "Its document was read and holds no member, or none that is authorised. What rules ask of "
        "members is then assumed, as with a network id alone, and `ztfast deliver` has nobody to "
        "deliver to. A controller's answer about a network has no members in it: they are asked "
        "for one by one, and stand beside its file in `controller.d`.",
    ),
    Code(
        "ZT560",
        "columns of different lengths",
        "The columns that describe one batch of frames must have one item a frame each.",
    ),
    Code(
        "ZT561",
        "more tags or capabilities than a member gets",
        "A controller gives a member at most 128 capabilities and 128 tags (its own and those with "
        "a default), and leaves out the rest silently. ztfast judges as if the member had all.",
    ),
    Code(
        "ZT562",
        "a network without its id",
        "A member's MAC is made of its address and the network's id. Without the id no frame of a "
        "capture is known to be a member's, so tags, capabilities and addresses of members do not "
        "count, and nothing is delivered. Give the id, or each member's MAC.",
    ),
    Code(
        "ZT570",
        "settings that cannot be read",
        "A `ztfast.toml`, or `[tool.ztfast]` in a pyproject.toml, was found from the working folder"
        " upwards and has something that is not a setting. `ZTFAST_CONFIG=FILE` names another file,"
        " an empty `ZTFAST_CONFIG` none.",
    ),
    Code(
        "ZT601",
        "output failed",
        "The output could not be written; the message says what was kept.",
    ),
    Code(
        "ZT602",
        "frames of two link types for one pcap",
        "A classic pcap holds one link type. Write pcapng.",
    ),
    Code(
        "ZT606",
        "a compression library is missing for an output",
        "The output's suffix asks for a compression: `pip install 'ztfast[compression]'`.",
    ),
    Code(
        "ZT607",
        "a table library is missing",
        "Parquet and Arrow need `pip install 'ztfast[table]'`; CSV and NPY need numpy alone.",
    ),
    Code(
        "ZT608",
        "a text too long for an NPY table",
        "NPY's texts have a fixed width. Write Parquet, Arrow or CSV.",
    ),
    Code(
        "ZT609",
        "an output over what is read",
        "The output would take the place of a file that is being read: the same file by device and "
        "inode, also behind a link, or in a folder that is read. What the rules drop would be lost "
        "from it. Nothing was written.",
    ),
    Code(
        "ZT610",
        "an earlier run's files",
        "`--split` or a rotated `-w` would mix this run's files with those of another. `--force` "
        "replaces those of the same name and leaves the others, `--clean` also removes the others, "
        "once this run's are whole.",
    ),
    Code(
        "ZT611",
        "a time that the output cannot hold",
        "A classic pcap has times from 1970 to February 2106, a pcapng that is written anew those "
        "up to 2262. A frame of another time is not written with a wrong one: write pcapng, or "
        "correct the times before.",
    ),
    Code(
        "ZT612",
        "results of an archive that are not readable",
        "A file that `ztfast archive` wrote was changed or damaged since. Remove the segment's "
        "folder and run again with `--resume`: it is judged anew.",
    ),
    Code(
        "ZT613",
        "a capture that changed during the work",
        "Its size or time of change is not what it was when the work was planned, so its figures "
        "would fit neither. Leave out files that are still written.",
    ),
    Code(
        "ZT614",
        "a segment that failed",
        "A file, or a part of it, could not be read, its results could not be written, or three "
        "workers died of it. The others are done; `--resume` tries it again.",
    ),
    Code(
        "ZT615",
        "workers that are gone",
        "A cluster of Dask or Ray does not answer, or has no workers. What was committed "
        "stays; start workers and run again with `--resume`.",
    ),
    Code(
        "ZT650",
        "a controller without a usable answer",
        "The controller or Central could not be asked, refused the token, or gave something "
        "other than a network. The message says which, and what is in force where rules had "
        "been sent.",
    ),
    Code(
        "ZT651",
        "a plan that cannot be applied",
        "The file is not a plan of `ztfast plan -o`, or was changed by hand: its digests are not "
        "those of the rules in it. Make it anew.",
    ),
    Code(
        "ZT652",
        "a page that cannot be served",
        "The port of `ztfast serve` is taken or not allowed, or the address is none of this "
        "machine's. Leave out `--port` for a free one.",
    ),
)
