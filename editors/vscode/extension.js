// Starts `ztfast lsp` for rules files, and ends it with the window.
"use strict";

const { window, workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function activate() {
  const settings = workspace.getConfiguration("ztfast");
  const [command, ...args] = settings.get("command");
  const network = settings.get("network");
  client = new LanguageClient(
    "ztfast",
    "ztfast",
    { command, args },
    {
      documentSelector: [{ language: "ztrules" }],
      initializationOptions: network ? { network } : {},
    },
  );
  try {
    await client.start();
  } catch (error) {
    window.showErrorMessage(
      `ztfast: ${command} could not be started (${error.message}); pip install "ztfast[lsp,analysis]", or set ztfast.command`,
    );
  }
}

function deactivate() {
  return client && client.isRunning() ? client.stop() : undefined;
}

module.exports = { activate, deactivate };
