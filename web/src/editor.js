// The editor: CodeMirror with the rules' words, the language server, and the tests' coverage.
// The Tab key moves on, as everywhere on a page: nobody is caught in the text.

import { autocompletion, closeBrackets } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import {
  EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers,
} from "@codemirror/view";
import { formatDocument } from "@codemirror/lsp-client";

import { coverage, setCoverage } from "./coverage.js";
import { rulesLanguage } from "./rules-language.js";

const look = EditorView.theme({
  "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--paper)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-content": { caretColor: "var(--text)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { backgroundColor: "var(--back)", color: "var(--soft)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine": { backgroundColor: "var(--active)" },
  ".cm-activeLineGutter": { backgroundColor: "var(--active)", color: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--selection)" },
  ".cm-selectionMatch": { backgroundColor: "var(--active)" },
  ".cm-tooltip": { backgroundColor: "var(--back)", color: "var(--text)", border: "1px solid var(--line)", maxWidth: "min(40rem, 90vw)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-panels": { backgroundColor: "var(--back)", color: "var(--text)" },
  ".cm-diagnosticAction": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-diagnosticSource": { opacity: "1", color: "var(--soft)" },
});

export function makeEditor(parent, start, nonce, language, onChange, onSave) {
  const separator = start.rules.includes("\r\n") ? "\r\n" : "\n";
  const save = { key: "Mod-s", run: () => (onSave(), true), preventDefault: true };
  const extensions = [
    EditorView.cspNonce.of(nonce),
    EditorState.lineSeparator.of(separator),
    EditorView.contentAttributes.of({ "aria-label": "Rules", tabindex: "0" }),
    EditorView.lineWrapping,
    EditorView.updateListener.of((update) => update.docChanged && onChange()),
    lineNumbers(), coverage, lintGutter(), highlightActiveLine(), highlightActiveLineGutter(), highlightSpecialChars(),
    history(), drawSelection(), highlightSelectionMatches(), closeBrackets(), autocompletion({ icons: false }),
    keymap.of([save, ...defaultKeymap, ...historyKeymap, ...searchKeymap, ...lintKeymap]),
    rulesLanguage(start.actions, start.matches), language, look,
  ];
  const view = new EditorView({ parent, state: EditorState.create({ doc: start.rules, extensions }) });
  return {
    view,
    text: () => view.state.sliceDoc(),
    goTo: (line) => goTo(view, view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines)).from),
    goToOffset: (offset) => goTo(view, Math.min(offset, view.state.doc.length)),
    lineOf: (offset) => view.state.doc.lineAt(Math.min(offset, view.state.doc.length)).number,
    format: () => formatDocument(view),
    cover: (lines) => view.dispatch({ effects: setCoverage.of(lines) }),
  };
}

function goTo(view, at) {
  view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
  view.focus();
}
