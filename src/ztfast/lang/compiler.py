"""The second pass: trees of actions and matches to the entries of a policy.

Contract: docs/spec/rules-language.md sections 4 and 5; the JSON equals the official
compiler's, quirks included.  All errors of a text are found in one run.  No recursion:
includes are expanded with an explicit stack, bounded in number (a macro bomb is an error).
Tested by tests/lang/test_compiler.py and the compile vectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ztfast.errors import Fix, Source, Span, usage
from ztfast.lang.definitions import Definitions, Macro, define, split_list
from ztfast.lang.errors import Errors, match_help, suggestion
from ztfast.lang.matches import MATCHES, BadArgument, quote
from ztfast.lang.numbers import parse_number
from ztfast.lang.parser import Block, Node, Tree, parse
from ztfast.lang.pasted import ACTIONS_ELSEWHERE, range_of
from ztfast.lang.rewrites import replaced, without_block
from ztfast.lang.tokens import Word, scan
from ztfast.model.names import ACTION_WORDS, BLOCK_WORDS, MATCH_WORDS, OBJECT_WORDS, RESERVED
from ztfast.model.policy import Capability, Policy, Rule, Tag

# A network holds at most 9,216 entries; more than this from macros is a bomb, not a policy.
MAX_EXPANDED = 250_000

_SKIP = frozenset({"and", "or", "not"})
_READ_AGAIN = ACTION_WORDS | {"include", "priority"} | ACTIONS_ELSEWHERE.keys()


def compile_text(text: str, name: str = "<text>") -> Policy:
    """A rules text as a policy; raises RulesError with every error found.

    `name` is what the errors call the text (a path).  Follows docs/spec/rules-language.md.
    """
    if not hasattr(text, "splitlines") or hasattr(text, "decode"):  # bytes, a path, a file
        raise usage(f"rules must be a str, not {type(text).__name__}", "use ztfast.load(path)")
    return compile_source(Source(name, text))


def compile_source(source: Source) -> Policy:
    """As `compile_text`, for a Source."""
    return compile_tree(source, parse(source))[0]


def compile_tree(
    source: Source, tree: Tree, record: bool = False
) -> tuple[Policy, Definitions, Used]:
    """A parsed text as a policy, with what the linter needs: definitions and their use.

    The arguments of matches are kept only where `record`.
    """
    errors = Errors(source)
    found = define(tree.items, errors)
    compiler = _Compiler(found, errors, tree)
    compiler.used.arguments = [] if record else None
    rules = compiler.rules(found.rules)
    capabilities = tuple(
        Capability(
            text.id, text.default, compiler.rules(text.body), text.name, errors.lines.of(text.word)
        )
        for text in found.capabilities.values()
    )
    _refuse_object_words(source, errors)
    errors.raise_if_any()
    policy = Policy(rules, capabilities, tuple(found.tags.values()), source)
    return policy, found, compiler.used


def _refuse_object_words(source: Source, errors: Errors) -> None:
    """Refuse what nothing else refused of the names that every JavaScript object has."""
    if errors.found or not any(text in source.text for text in OBJECT_WORDS):
        return
    for word in scan(source.text):
        if word.text.removesuffix(";") in OBJECT_WORDS:
            message = f"{quote(word.text)} is a name that the official compiler cannot take"
            errors.add("ZT031", word, message, "every JavaScript object has it: choose another")


class Used:
    """The names that rules refer to, and the words that are read otherwise than they look."""

    def __init__(self) -> None:
        self.macros: set[str] = set()
        self.tags: set[str] = set()
        self.unreplaced: list[Word] = []  # `$` words that stay as written
        self.includes: list[Word] = []  # with arguments
        # (match word, arguments with `$x` replaced, place), for warnings about odd ones.
        self.arguments: list[tuple[str, list[str], Span]] | None = None


class _Scope:
    """A list of actions being compiled: the base rules, a capability, or a macro's body."""

    __slots__ = ("arguments", "items", "macro", "parent", "position")

    def __init__(
        self,
        items: Block,
        arguments: Mapping[str, str],
        macro: str | None = None,
        parent: Span | None = None,
    ) -> None:
        self.items = items
        self.position = 0
        self.arguments = arguments
        self.macro = macro
        self.parent = parent


class _Compiler:
    def __init__(self, found: Definitions, errors: Errors, tree: Tree) -> None:
        self.found = found
        self.errors = errors
        self.used = Used()
        self.tags: Mapping[str, Tag] = found.tags
        self._of = errors.lines.of
        self._tree = tree
        self._expanded = 0

    def rules(self, items: Block) -> tuple[Rule, ...]:
        """The entries of one list of actions, includes expanded."""
        rules: list[Rule] = []
        scopes = [_Scope(items, {})]
        active: set[str] = set()
        while scopes:
            scope = scopes[-1]
            if scope.position >= len(scope.items):
                scopes.pop()
                if scope.macro is not None:
                    active.discard(scope.macro)
                continue
            inner = self._action(scope, rules)
            if inner is None:
                continue
            assert inner.macro is not None
            if inner.macro in active:
                self._recursion(scope)
            else:
                active.add(inner.macro)
                scopes.append(inner)
        return tuple(rules)

    # --- actions

    def _action(self, scope: _Scope, rules: list[Rule]) -> _Scope | None:
        """Compile the item at the scope's position; a scope to enter for an include."""
        word = scope.items[scope.position]
        scope.position += 1
        if not isinstance(word, Word):
            return None  # a nested list where a word is expected is skipped silently
        action = word.text.lower()
        if action in ACTION_WORDS:
            block: Block | None = None
            if scope.position < len(scope.items):
                following = scope.items[scope.position]
                if type(following) is list:
                    block = following
                    scope.position += 1
            self._emit(action, word, block, scope, rules)
        elif action == "include":
            return self._include(word, scope)
        else:
            self._not_an_action(word, scope)
        return None

    def _emit(
        self, action: str, word: Word, block: Block | None, scope: _Scope, rules: list[Rule]
    ) -> None:
        entry: dict[str, Any] = {"type": f"ACTION_{action.upper()}"}
        first = 0
        span = self._of(word)
        if action in ("tee", "watch"):
            first = 2
            last = self._copy(word, action, block, entry)
        elif action == "redirect":
            first = 1
            last = self._target(word, action, block, 0, entry)
        else:
            last = None
        if last is not None:
            span = span._replace(end=last.end)
        before = len(rules)
        if block is not None and len(block) > first:
            self._matches(block, first, scope, rules)
        rules.append(Rule(entry, span, scope.parent))
        if scope.macro is not None:
            self._count(len(rules) - before, word)

    def _copy(
        self, word: Word, action: str, block: Block | None, entry: dict[str, Any]
    ) -> Word | None:
        """The length and address of a tee or watch; neither is replaced where it has a `$`."""
        length = block[0] if block else None
        if not isinstance(length, Word):
            self._lacks(word, action)
            return None
        number = parse_number(length.text)
        number = -1 if number is None else number
        if not -1 <= number <= 0xFFFF:
            self.errors.add(
                "ZT022",
                length,
                f"{quote(length.text)} is not a length for {action}",
                "expected -1 (all of the frame) or a number from 0 to 65535",
            )
        if length.text.startswith("$"):
            self.used.unreplaced.append(length)
        elif self.used.arguments is not None:
            self.used.arguments.append((action, [length.text], self._of(length)))
        last = self._target(word, action, block, 1, entry)
        entry["length"] = number
        return last

    def _target(
        self, word: Word, action: str, block: Block | None, index: int, entry: dict[str, Any]
    ) -> Word | None:
        target = block[index] if block is not None and len(block) > index else None
        if target is None or not isinstance(target, Word):
            self._lacks(word, action)
            return None
        if _utf16_length(target.text) != 10:
            help = "expected a ZeroTier address: 10 hex digits, as in 8e30f50a25"
            if target.text.startswith("$"):
                help = "a macro's parameters are not replaced here: write the address itself"
            self.errors.add(
                "ZT022", target, f"{quote(target.text)} is not a target for {action}", help
            )
        elif target.text.startswith("$"):
            self.used.unreplaced.append(target)
        entry["address"] = target.text
        return target

    def _lacks(self, word: Word, action: str) -> None:
        shape = "redirect ADDRESS" if action == "redirect" else f"{action} LENGTH ADDRESS"
        help = f"expected: {shape} MATCHES… ;"
        if word.text != action:
            help = f"only `{action}` in lower case opens a block; {help}"
        self.errors.add("ZT022", word, f"`{word.text}` lacks its arguments", help)

    def _not_an_action(self, word: Word, scope: _Scope) -> None:
        text = word.text.lower()
        help = "expected drop, accept, break, tee, watch, redirect or include"
        fix: Fix | None = None
        if text in ACTIONS_ELSEWHERE:
            message = f"`{word.text}` is not an action"
            meant = ACTIONS_ELSEWHERE[text]
            help = f"did you mean `{meant}`?"
            fix = replaced(self.errors.source, word, word.text, meant, safe=True)
        elif text == "priority":
            message = "`priority` is reserved, but the rules language has no such action"
        elif text in MATCH_WORDS or text in _SKIP:
            message = f"the match `{word.text}` stands where an action is expected"
            help += "; matches go between an action word (in lower case) and its `;`"
        elif text.startswith("\ufeff"):
            message = f"{quote(word.text)} is not an action"
            help = "the text starts with a byte order mark: save it as UTF-8 without one"
        elif ")" in text and "(" not in text:
            message = f"{quote(word.text)} is not an action"
            help += "; a macro's parameters and arguments stand in parentheses without spaces"
        elif text in ("macro", "tag", "cap"):
            message = f"`{word.text}` cannot stand inside a macro or capability"
            help += "; is a `;` missing above, or did `accept ;` leave a block open?"
        else:
            message = f"{quote(word.text)} is not an action"
            help += suggestion(word.text, (*ACTION_WORDS, "include", "macro", "tag", "cap"))
        self.errors.add("ZT010", word, message, help, fix)
        self._skip_to_action(scope)

    @staticmethod
    def _skip_to_action(scope: _Scope) -> None:
        """One error for a run of words that cannot be read, not one a word."""
        items = scope.items
        while scope.position < len(items):
            item = items[scope.position]
            if isinstance(item, Word) and item.text.lower() in _READ_AGAIN:
                return
            scope.position += 1

    # --- includes

    def _include(self, word: Word, scope: _Scope) -> _Scope | None:
        target = scope.items[scope.position] if scope.position < len(scope.items) else None
        if not isinstance(target, Word):
            self.errors.add(
                "ZT040",
                word,
                "`include` lacks a macro's name",
                "expected: include NAME or include NAME(v1,v2)",
            )
            return None
        scope.position += 1
        name, paren, rest = target.text.partition("(")
        macro = self.found.macros.get(name)
        if macro is None:
            self._no_macro(target, name)
            return None
        self.used.macros.add(name)
        values = [value for value in split_list(rest) if value]
        if paren:
            self.used.includes.append(target)
        if any(value.startswith("$") for value in values):
            self.used.unreplaced.append(target)
        if any(place >= len(values) for place in macro.parameters.values()):
            self._too_few(macro, target, len(values))
            return None
        self._count(1, target)
        arguments = {text: values[place] for text, place in macro.parameters.items()}
        span = self.errors.lines.span(word.start, target.end)
        return _Scope(macro.body, arguments, name, scope.parent or span)

    def _no_macro(self, word: Word, name: str) -> None:
        help = "expected the name of a macro that is defined at the top level"
        if name.lower() in self.found.macros:
            help = f"names are lowered when defined but not when used: write {quote(name.lower())}"
        else:
            help += suggestion(name, list(self.found.macros)[:1000])
        self.errors.add("ZT040", word, f"there is no macro {quote(name)}", help)

    def _too_few(self, macro: Macro, word: Word, given: int) -> None:
        needed = max(macro.parameters.values()) + 1
        self.errors.add(
            "ZT041",
            word,
            f"the macro `{macro.name}` needs {needed} arguments, {given} given",
            f"expected: include {macro.name}({','.join(macro.parameters)[:80]}) with values, "
            "without spaces",
        )

    def _recursion(self, scope: _Scope) -> None:
        word = scope.items[scope.position - 1]
        assert isinstance(word, Word)
        self.errors.add(
            "ZT042",
            word,
            f"the macro {quote(word.text)} includes itself",
            "a macro cannot be part of its own body, directly or through others",
        )

    def _count(self, entries: int, word: Word) -> None:
        self._expanded += entries
        if self._expanded > MAX_EXPANDED:
            self.errors.add(
                "ZT043",
                word,
                f"macros expand to more than {MAX_EXPANDED:,} entries",
                "a network holds 1,024 base entries and 64 in each capability",
            )
            self.errors.raise_if_any()

    # --- matches

    def _matches(self, block: Block, position: int, scope: _Scope, rules: list[Rule]) -> None:
        inverted = alternative = False
        end = len(block)
        while position < end:
            word = block[position]
            position += 1
            if type(word) is list:
                continue  # as above: skipped silently
            assert isinstance(word, Word)
            text = word.text.lower()
            match = MATCHES.get(text)
            if match is None:
                if text == "not":
                    inverted = True
                elif text == "or":
                    alternative = True
                elif text != "and":
                    position = self._unknown_match(word, block, position)
                continue
            args, position, last = self._arguments(
                word, len(match.arguments), block, position, scope
            )
            if args is not None:
                entry = {"type": match.type, "not": inverted, "or": alternative}
                try:
                    entry.update(match.read(args, self.tags))
                except BadArgument as bad:
                    place = block[position - len(args) + bad.index]
                    assert isinstance(place, Word)
                    self._bad_argument(bad, place, args[bad.index])
                else:
                    if match.arguments[0] == "tag":
                        self.used.tags.add(args[0])
                    span = self.errors.lines.span(word.start, last.start + len(last.text))
                    rules.append(Rule(entry, span, scope.parent))
                    if self.used.arguments is not None:
                        self.used.arguments.append((text, args, span))
            inverted = alternative = False

    def _arguments(
        self, word: Word, count: int, block: Block, position: int, scope: _Scope
    ) -> tuple[list[str] | None, int, Word]:
        """The argument texts, `$x` replaced, or None after an error; the next position."""
        args: list[str] = []
        last = word
        for argument in range(count):
            item = block[position] if position < len(block) else None
            if not isinstance(item, Word) or item.text in RESERVED:
                self._missing(word, argument, item)
                return None, _next_match(block, position), last
            position += 1
            last = item
            text = item.text
            if text[0] == "$":
                value = scope.arguments.get(text)
                if value is None:
                    self._undefined(item, scope)
                    return None, position + count - argument - 1, last
                text = value
            args.append(text)
        return args, position, last

    def _missing(self, word: Word, argument: int, item: Node | None) -> None:
        names = MATCHES[word.text.lower()].arguments
        message = f"`{word.text}` lacks its {names[argument]}"
        help = f"expected: {word.text.lower()} {' '.join(name.upper() for name in names)}"
        if isinstance(item, Word):
            message += f": {quote(item.text)} is a reserved word"
            if word.text.lower() == "ipprotocol" and item.text == "icmp":
                help = "write `ipprotocol icmp4` or `ipprotocol 1`"
        place = item if isinstance(item, Word) else word
        self.errors.add("ZT012", place, message, help)

    def _undefined(self, word: Word, scope: _Scope) -> None:
        names = [name for name in scope.arguments if name.startswith("$")]
        help = "no macro's parameters are bound here"
        if word.text.lower() in names:
            help = f"a macro's head is lowered, its body is not: write {quote(word.text.lower())}"
        elif names:
            help = f"the macro's parameters are {', '.join(names[:20])}; `$x` must be a whole word"
        elif scope.arguments:
            help = "a parameter's name must start with `$` in the macro's head too"
        self.errors.add("ZT019", word, f"{quote(word.text)} is not defined", help)

    def _bad_argument(self, bad: BadArgument, place: Word, value: str) -> None:
        message = bad.message
        if place.text != value:
            message += f" ({quote(place.text)} is {quote(value)} here)"
        meant = range_of(place.text) if bad.code == "ZT014" else None
        fix = None
        if meant is not None:
            fix = replaced(self.errors.source, place, place.text, meant, safe=True)
        self.errors.add(bad.code, place, message, bad.help, fix)

    def _unknown_match(self, word: Word, block: Block, position: int) -> int:
        """Report a word that is no match; skip to where matches can be read again."""
        text = word.text.lower()
        fix = None
        if text in BLOCK_WORDS or text == "include":
            message = f"`{word.text}` stands where a match is expected"
            help, fix = self._open_block_help(word)
        else:
            message = f"{quote(word.text)} is not a match"
            help = match_help(word.text, MATCHES)
        self.errors.add("ZT011", word, message, help, fix)
        return _next_match(block, position)

    def _open_block_help(self, word: Word) -> tuple[str, Fix | None]:
        """Why a block is still open here: usually `accept;` or `accept ;` above."""
        for opener, close in reversed(self._tree.not_closed):
            if close.start < word.start:
                written, line = opener.text, self._of(opener).line
                fix = without_block(self.errors.source, opener, close)
                return (
                    f"the block of `{written}` on line {line} is still open, since `;` does not "
                    f"close an empty block: write `{written.capitalize()}` there, which opens none",
                    None if fix is None else fix._replace(safe=True),
                )
        return "a `;` is missing before it: close the block above", None


def _next_match(block: Block, position: int) -> int:
    """Where matches can be read again after an error: one error for a run of odd words."""
    while position < len(block):
        item = block[position]
        if isinstance(item, Word) and (item.text.lower() in MATCHES or item.text.lower() in _SKIP):
            break
        position += 1
    return position


def _utf16_length(text: str) -> int:
    """The length that the official compiler sees."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
