// The editor's language server: `ztfast lsp`, behind a socket of this page's own server.

import { setDiagnostics } from "@codemirror/lint";
import { keymap } from "@codemirror/view";
import {
  LSPClient, LSPPlugin, findReferencesKeymap, formatKeymap, hoverTooltips, jumpToDefinitionKeymap, renameKeymap,
  serverCompletion, serverDiagnostics, signatureHelp,
} from "@codemirror/lsp-client";

const SEVERITIES = ["error", "error", "warning", "info", "hint"];
const ALLOWED = new Set(["P", "PRE", "CODE", "STRONG", "EM", "UL", "OL", "LI", "BR", "SPAN", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD"]);

// findings: called with every new list of {from, to, severity, message, code, fixes}; lost: with no socket.
export function languageClient(uri, onFindings, onLost) {
  const client = new LSPClient({
    timeout: 10_000,
    sanitizeHTML: plainHTML,
    notificationHandlers: {
      "textDocument/publishDiagnostics": (from, params) => publish(from, params, onFindings),
    },
    extensions: [
      serverCompletion(), hoverTooltips(), signatureHelp(), serverDiagnostics(),
      keymap.of([...formatKeymap, ...renameKeymap, ...jumpToDefinitionKeymap, ...findReferencesKeymap]),
    ],
  });
  connect(client, onLost);
  return client.plugin(uri, "ztrules");
}

function connect(client, onLost) {
  const socket = new WebSocket(`ws://${location.host}/language`);
  const handlers = new Set();
  socket.onmessage = (event) => handlers.forEach((handler) => handler(event.data));
  socket.onclose = () => onLost();
  socket.onopen = () => {
    client.connect({
      send: (message) => socket.readyState === WebSocket.OPEN && socket.send(message),
      subscribe: (handler) => handlers.add(handler),
      unsubscribe: (handler) => handlers.delete(handler),
    });
  };
}

// Markdown of the server as elements without attributes: no link, no picture, no name can do anything.
function plainHTML(html) {
  const read = new DOMParser().parseFromString(html, "text/html").body;
  for (const element of [...read.querySelectorAll("*")].reverse()) {
    if (!ALLOWED.has(element.tagName)) element.replaceWith(...element.childNodes);
    else for (const name of element.getAttributeNames()) if (name !== "class") element.removeAttribute(name);
  }
  return read.innerHTML;
}

function publish(client, params, onFindings) {
  const view = client.workspace.getFile(params.uri)?.getView();
  const plugin = view && LSPPlugin.get(view);
  if (!plugin) return true;
  const found = params.diagnostics.map((item) => finding(plugin, item));
  show(view, found, onFindings);
  if (found.length) addFixes(client, plugin, params, found).then(() => show(view, found, onFindings), () => {});
  return true;
}

function finding(plugin, item) {
  const place = (position) => plugin.unsyncedChanges.mapPos(plugin.fromPosition(position, plugin.syncedDoc));
  const from = place(item.range.start);
  return {
    from, to: Math.max(from, place(item.range.end)), severity: SEVERITIES[item.severity ?? 1],
    message: item.message, source: item.code, key: key(item), code: item.code, actions: [],
  };
}

const key = (item) => JSON.stringify([item.code, item.message, item.range]);

function show(view, found, onFindings) {
  view.dispatch(setDiagnostics(view.state, found.map((one) => ({ ...one }))));
  onFindings(found);
}

// Each finding's quick fixes, as buttons of its mark and of the list.
async function addFixes(client, plugin, params, found) {
  const mapping = client.workspaceMapping();
  const doc = plugin.syncedDoc;
  const range = { start: { line: 0, character: 0 }, end: plugin.toPosition(doc.length, doc) };
  const asked = { textDocument: { uri: params.uri }, range, context: { diagnostics: [] } };
  const offered = (await client.request("textDocument/codeAction", asked)) ?? [];
  for (const offer of offered) {
    const edits = offer.edit?.changes?.[params.uri] ?? [];
    const owner = found.find((one) => offer.diagnostics?.some((item) => key(item) === one.key));
    if (owner && edits.length) owner.actions.push({ name: offer.title, apply: (view) => apply(view, mapping, params.uri, edits) });
  }
}

function apply(view, mapping, uri, edits) {
  const changes = edits.map((edit) => ({
    from: mapping.mapPosition(uri, edit.range.start),
    to: mapping.mapPosition(uri, edit.range.end),
    insert: edit.newText,
  }));
  view.dispatch({ changes, userEvent: "input.fix", scrollIntoView: true });
  LSPPlugin.get(view)?.client.sync();
}
