// The page: a session, the editor on the left, the tools on the right.

import { CapturePanel } from "./capture.js";
import { DiffPanel } from "./diff.js";
import { byId, button, h } from "./dom.js";
import { makeEditor } from "./editor.js";
import { ExplainPanel } from "./explain.js";
import { showFindings } from "./findings.js";
import { languageClient } from "./language-client.js";
import { lookButton } from "./look.js";
import { problem } from "./panel.js";
import { ReachPanel } from "./reach.js";
import { ask, beginSession, start } from "./server.js";
import { makeTabs } from "./tabs.js";
import { TestsPanel } from "./tests.js";

const PAUSE = 600; // milliseconds without a keystroke after which the open tool asks again

async function main() {
  try {
    await beginSession();
    open(await start());
  } catch (error) {
    byId("notice").replaceChildren(problem(error, {}));
    byId("notice").hidden = false;
    document.body.classList.add("closed");
  }
}

function open(given) {
  const context = { start: given };
  let saved = given.rules;
  let digest = given.digest;
  let tabs = null;
  let timer;

  const say = (text) => (byId("status").textContent = text);
  const isChanged = () => context.editor.text() !== saved;
  const changed = () => {
    say(isChanged() ? "changed" : "");
    clearTimeout(timer);
    timer = setTimeout(() => panels.forEach((panel) => panel.changed(panel === tabs.current())), PAUSE);
  };

  async function save() {
    if (!given.writable) return download();
    const text = context.editor.text();
    try {
      ({ digest } = await ask("save", { rules: text, digest }));
      saved = text;
      byId("notice").hidden = true;
      say(isChanged() ? "changed" : "saved");
    } catch (error) {
      notice(error);
    }
  }

  function download() {
    const name = given.name.split(/[\\/]/).pop() || "rules.ztrules";
    const url = URL.createObjectURL(new Blob([context.editor.text()], { type: "text/plain" }));
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  function notice(error) {
    byId("notice").replaceChildren(problem(error, context), button("Close", () => (byId("notice").hidden = true)));
    byId("notice").hidden = false;
  }

  const lost = () => notice(new Error("The server has ended. What you wrote is still here: download it."));
  const language = languageClient(given.document, (found) => context.editor && showFindings(found, context.editor), lost);
  const nonce = document.querySelector("meta[name=csp-nonce]").content;
  context.editor = makeEditor(byId("editor"), given, nonce, language, changed, save);
  const kinds = [ReachPanel, ExplainPanel, CapturePanel, TestsPanel, DiffPanel];
  if (!given.network) kinds.push(kinds.shift()); // the grid needs members
  const panels = kinds.map((Kind) => new Kind(context));
  tabs = makeTabs(panels);

  byId("file").textContent = given.name;
  document.title = `${given.name.split(/[\\/]/).pop()} – ztfast`;
  byId("actions").replaceChildren(
    button("Format", () => context.editor.format(), { title: "Shift-Alt-F" }),
    ...(given.writable ? [button("Save", save, { class: "main", title: "Ctrl-S" })] : []),
    button("Download", download), lookButton());
  addEventListener("beforeunload", (event) => isChanged() && event.preventDefault());
}

main();
