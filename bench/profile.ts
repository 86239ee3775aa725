// Reads what Node's profiler wrote and tells by area where each thread's time went.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Areas in the order in which they are told. */
export const areas = [
  "HTTP, sockets and streams",
  "protobuf",
  "validation",
  "calls: routes, deadlines, conversion",
  "the log line",
  "messages between threads",
  "deciding",
  "fingerprints and hashes",
  "the store's statements",
  "PostgreSQL's driver",
  "COMMIT and its sync",
  "garbage collection",
  "Node's own, and the rest",
  "idle",
] as const;

export type Area = (typeof areas)[number];

export interface ThreadProfile {
  readonly thread: string;
  /** Shares of the window by the clock, 0 to 1; together 1. Before a thread begins it is idle. */
  readonly shares: ReadonlyMap<Area, number>;
}

/** How much of the time a thread was not idle: it worked, or stood still for the disk or for want of a processor. */
export function occupiedOf({ shares }: ThreadProfile): number {
  return 1 - shares.get("idle")!;
}

/** When the load began and ended, in microseconds of the system's monotonic clock, which is `process.hrtime`'s and the profiler's. */
export interface Window {
  readonly fromUs: number;
  readonly untilUs: number;
}

/** https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile: times in microseconds. */
interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

interface Rule {
  readonly area: Area;
  readonly url?: RegExp;
  readonly functionName?: RegExp;
}

/** The first that fits counts. A function of Node's that fits none is its caller's, so that writing a file for the log is the log's. */
const rules: readonly Rule[] = [
  { area: "idle", functionName: /^\(idle\)$/ },
  { area: "garbage collection", functionName: /^\(garbage collector\)$/ },
  // PostgreSQL commits in a process of its own, for which no thread here stands still.
  { area: "COMMIT and its sync", url: /\/src\/store\/sqlite\//, functionName: /transact|commit/i },
  { area: "the store's statements", url: /\/src\/store\/|\/better-sqlite3\// },
  { area: "PostgreSQL's driver", url: /\/node_modules\/(pg|postgres)(-[a-z-]+)?\// },
  { area: "messages between threads", functionName: /^(postMessage|receiveMessageOnPort)$/ },
  { area: "messages between threads", url: /node:internal\/(worker|per_context\/messageport)|\/src\/writer\.ts|\/src\/ledger\/writer/ },
  { area: "fingerprints and hashes", url: /node:(internal\/)?crypto|\/src\/domain\/(idempotency|canonical)/ },
  { area: "deciding", url: /\/src\/(domain|ledger)\// },
  { area: "validation", url: /\/@bufbuild\/(protovalidate|cel|re2)|\/src\/api\/validation/ },
  { area: "protobuf", url: /\/@bufbuild\/protobuf\/|\/gen\// },
  { area: "the log line", url: /\/(pino|@pinojs|sonic-boom|pino-std-serializers|quick-format-unescaped|safe-stable-stringify|fast-redact)\/|\/src\/log\.ts/ },
  { area: "HTTP, sockets and streams", url: /node:(internal\/)?(http2|http|_http|net|stream)/ },
  { area: "calls: routes, deadlines, conversion", url: /\/src\/|\/@connectrpc\// },
];

/** One for each thread that the folder has samples of in this window, which a thread that began later, or got no processor, has not; the main thread is the first. Throws where it has none. */
export function readProfiles(folder: string, window: Window): ThreadProfile[] {
  const profiles = readdirSync(folder)
    .filter((file) => file.endsWith(".cpuprofile"))
    .map((file) => ({ threadId: threadIdOf(file), profile: JSON.parse(readFileSync(join(folder, file), "utf8")) as CpuProfile }))
    .toSorted((a, b) => a.threadId - b.threadId);
  const threads = profiles.flatMap(({ threadId, profile }): ThreadProfile[] => {
    const shares = sharesOf(profile, window);
    return shares === undefined ? [] : [{ thread: threadName(threadId, profile), shares }];
  });
  if (threads[0]?.thread !== mainThread) throw new Error("the main thread's profile has no samples of the load");
  return threads;
}

/** CPU.<day>.<time>.<process>.<thread>.<number>.cpuprofile */
function threadIdOf(file: string): number {
  return Number(file.split(".")[4]);
}

const mainThread = "main thread";

/** The files that threads begin with. */
const threadNames = { "/src/writer.ts": "writer thread", "/sqlite/checkpointer-thread.ts": "checkpointer" } as const;

function threadName(threadId: number, { nodes }: CpuProfile): string {
  if (threadId === 0) return mainThread;
  const entry = Object.entries(threadNames).find(([file]) => nodes.some(({ callFrame }) => callFrame.url.endsWith(file)));
  return entry?.[1] ?? `thread ${threadId}`;
}

function sharesOf(profile: CpuProfile, { fromUs, untilUs }: Window): Map<Area, number> | undefined {
  const areaOf = areasByNode(profile.nodes);
  const times = new Map<Area, number>(areas.map((area) => [area, 0]));
  let atUs = profile.startTime;
  let totalUs = 0;
  for (const [index, nodeId] of profile.samples.entries()) {
    const deltaUs = profile.timeDeltas[index]!;
    atUs += deltaUs;
    if (atUs < fromUs || atUs > untilUs) continue;
    const area = areaOf.get(nodeId)!;
    times.set(area, times.get(area)! + deltaUs);
    totalUs += deltaUs;
  }
  if (totalUs === 0) return undefined;
  const windowUs = Math.max(totalUs, untilUs - fromUs);
  times.set("idle", times.get("idle")! + windowUs - totalUs);
  return new Map([...times].map(([area, us]) => [area, us / windowUs]));
}

function areasByNode(nodes: readonly ProfileNode[]): Map<number, Area> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const found = new Map<number, Area>();
  const visit = (node: ProfileNode, callersArea: Area): void => {
    const area = rules.find((rule) => fits(rule, node))?.area ?? callersArea;
    found.set(node.id, area);
    for (const child of node.children ?? []) visit(byId.get(child)!, area);
  };
  // The root comes first.
  visit(nodes[0]!, "Node's own, and the rest");
  return found;
}

function fits({ url, functionName }: Rule, { callFrame }: ProfileNode): boolean {
  return (url === undefined || url.test(callFrame.url)) && (functionName === undefined || functionName.test(callFrame.functionName));
}
