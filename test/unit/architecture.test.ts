// The arrows of docs/architecture.md hold: who may import whom, in src/.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Every import of a source file: paths from the root for our own files, package or node names otherwise. */
function importsOf(file: string, text = readFileSync(join(root, file), "utf8")): string[] {
  const specifiers = [...text.matchAll(/(?:^|\n)\s*(?:import|export)\s[^;]*?from\s+"([^"]+)"|import\(\s*"([^"]+)"\s*\)|(?:^|\n)\s*import\s+"([^"]+)"/g)].map(
    ([, from, dynamic, bare]) => from ?? dynamic ?? bare ?? "",
  );
  return specifiers.map((specifier) => (specifier.startsWith(".") ? relative(root, resolve(root, dirname(file), specifier)) : specifier));
}

const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join("src", name));
const imports = new Map(files.map((file) => [file, importsOf(file)]));

/** What Node loads with a file, and with what it loads: imports of types are not there when it runs. */
function loadedWith(file: string, loaded = new Set<string>()): Set<string> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  if (imports.has(file)) for (const next of importsOf(file, readFileSync(join(root, file), "utf8").replaceAll(/^import type [^;]*;$/gm, ""))) loadedWith(next, loaded);
  return loaded;
}

function importers(pattern: RegExp): string[] {
  return files.filter((file) => imports.get(file)?.some((name) => pattern.test(name)));
}

/** Leaves at the top of src that belong to no layer: what may not start, what is logged, which version this is, where a ledger is kept. */
const leaves = /^src\/(start-error|log|version|database)\.ts$/;

const layers: { layer: RegExp; mayImport: readonly RegExp[] }[] = [
  { layer: /^src\/domain\//, mayImport: [/^src\/domain\//, /^node:(crypto|assert\/strict)$/] },
  { layer: /^src\/store\/(?!sqlite\/|postgres\/|copy\/)/, mayImport: [/^src\/domain\//, /^src\/store\/(?!sqlite\/|postgres\/|copy\/)/, /^kysely/] },
  { layer: /^src\/store\/copy\//, mayImport: [/^src\/domain\//, /^src\/store\/(?!sqlite\/|postgres\/)/, /^src\/start-error\.ts$/, /^kysely/] },
  { layer: /^src\/store\/sqlite\//, mayImport: [/^src\/domain\//, /^src\/store\/(?!postgres\/)/, leaves, /^kysely/, /^better-sqlite3$/, /^node:/] },
  { layer: /^src\/store\/postgres\//, mayImport: [/^src\/domain\//, /^src\/store\/(?!sqlite\/)/, leaves, /^kysely/, /^pg$/, /^node:/] },
  { layer: /^src\/ledger\//, mayImport: [/^src\/domain\//, /^src\/ledger\//, /^src\/store\/store\.ts$/, leaves, /^node:/] },
  { layer: /^src\/api\//, mayImport: [/^src\/(domain|ledger|api)\//, /^src\/store\/store\.ts$/, leaves, /^gen\//, /^@bufbuild\//, /^@connectrpc\/connect/, /^node:/] },
  { layer: /^src\/server\//, mayImport: [/^src\/(api|server)\//, leaves, /^gen\//, /^@bufbuild\//, /^@connectrpc\//, /^node:/] },
  { layer: /^src\/config\//, mayImport: [/^src\/config\//, /^src\/domain\/(currency|partitions)\.ts$/, leaves, /^node:/] },
];

describe("the arrows", () => {
  it.each(layers.map(({ layer, mayImport }) => [layer.source, layer, mayImport] as const))("%s imports only what lies in its direction", (_, layer, mayImport) => {
    const own = files.filter((file) => layer.test(file));
    const wrong = own.flatMap((file) => imports.get(file)!.filter((name) => !mayImport.some((allowed) => allowed.test(name))).map((name) => `${file} → ${name}`));
    expect(own.length).toBeGreaterThan(0);
    expect(wrong).toEqual([]);
  });

  it("only the ends of each engine and the threads' entries name one", () => {
    expect(importers(/^src\/store\/sqlite\//).filter((file) => !file.startsWith("src/store/sqlite/"))).toEqual(["src/copy-ends.ts", "src/sqlite-ends.ts", "src/verifier.ts", "src/writer.ts"]);
    expect(importers(/^src\/store\/postgres\//).filter((file) => !file.startsWith("src/store/postgres/"))).toEqual(["src/copy-ends.ts", "src/postgres-ends.ts", "src/verifier.ts"]);
  });

  it("Kysely and the database drivers stop at store/", () => {
    expect(importers(/^(kysely|better-sqlite3|pg)/).filter((file) => !file.startsWith("src/store/"))).toEqual([]);
  });

  it("a network thread on SQLite loads no Kysely; the writer thread does", () => {
    // What is imported where it is needed is the other engine's.
    const withoutPostgres = new Set(["src/postgres-ends.ts"]);
    const loadKysely = (entry: string): boolean => [...loadedWith(entry, new Set(withoutPostgres))].some((name) => name.startsWith("kysely"));
    expect(["src/start.ts", "src/network-thread.ts", "src/writer.ts"].filter(loadKysely)).toEqual(["src/writer.ts"]);
    expect(loadedWith("src/start.ts")).toContain("src/store/sqlite/sqlite-reads.ts");
  });

  it("types made from protos stop at api/; the server serves their descriptors and network.ts names the services", () => {
    expect(importers(/^gen\//).filter((file) => !/^src\/(api|server)\/|^src\/network\.ts$/.test(file))).toEqual([]);
    expect(importers(/^gen\/wallet\//).filter((file) => file.startsWith("src/server/"))).toEqual([]);
  });

  it("there are no cycles", () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): string[] => {
      if (path.includes(file)) return [[...path.slice(path.indexOf(file)), file].join(" → ")];
      if (done.has(file)) return [];
      const cycles = (imports.get(file) ?? []).flatMap((next) => visit(next, [...path, file]));
      done.add(file);
      return cycles;
    };
    expect(files.flatMap((file) => visit(file, []))).toEqual([]);
  });

  it("there are no barrels, no drawers for everything, and no file with two ideas", () => {
    expect(files.filter((file) => /(^|\/)(index|utils?|helpers?|common|manager)(\.ts|\/)/.test(file))).toEqual([]);
    expect(files.filter((file) => readFileSync(join(root, file), "utf8").split("\n").length > 301)).toEqual([]);
  });

  it("every file opens with a sentence on its job", () => {
    expect(files.filter((file) => !/^\/\/ \S.+/.test(readFileSync(join(root, file), "utf8")))).toEqual([]);
  });
});
