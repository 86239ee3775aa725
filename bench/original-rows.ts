// Row 9: the REST path of the original service, against that service's stand-in under gunicorn; and what each of them loses.

import Database from "better-sqlite3";
import { join } from "node:path";
import { bindingOf } from "./binding.ts";
import { checkReport, contender, medianRate, type Contender, type Load } from "./call-contenders.ts";
import { filledLedger } from "./filled-ledger.ts";
import { cpuUsPerCall, medianOf } from "./load-figures.ts";
import type { LoadOrder, LoadReport } from "./load.ts";
import { decimals, ratiosOf, spreadText, whole, type Findings, type Verdict } from "./measured.ts";
import type { Plan } from "./plan.ts";
import { newFolder, placeOf, startFlaskWallet, startHelper, startWallet } from "./processes.ts";
import { spreadOf } from "./statistics.ts";

const inFlight = 64;
const target = 50;
const flaskWorkers = 2;

/** So few that two additions to one of them do meet now and then, as those of a busy customer do. */
const walletsUsed = 10;

/** Calls a second of the original under gunicorn, the least and the most of what was measured when this service was begun; the most counts where there is no Python to measure with. */
const originalPerSecond = { min: 123, max: 249 };

const restSentence = "Every call is alone on its connection, as over HTTP/1.1 in row 3, and takes the same short way: what binds that row binds this one.";

interface Lost {
  /** Additions that were answered with 200. */
  readonly answered: number;
  /** Those of them that the balances show. */
  readonly kept: number;
}

export async function measureOriginal(plan: Plan, say: (line: string) => void): Promise<Findings> {
  say("row 9: starting the servers");
  const wallet = contender("wallet, POST /wallet/add_money", await startWallet(await filledLedger(plan.wallets)), "rest");
  const flaskPath = join(newFolder(), "flask.db");
  const flaskServer = await startFlaskWallet(flaskPath, flaskWorkers);
  const flask = flaskServer && contender(`Flask, gunicorn with ${flaskWorkers} workers`, flaskServer, "rest");
  const load = startHelper<LoadOrder, LoadReport>("bench/load.ts");

  const addsBefore = await addsOf(wallet.server.port);
  for (let round = 1; round <= plan.rounds; round++) {
    say(`row 9: round ${round} of ${plan.rounds}${flask === undefined ? ", without the original: python3 has no flask or no gunicorn" : ""}`);
    await takeTurn(load, wallet, plan, plan.measureMs);
    if (flask !== undefined) await takeTurn(load, flask, plan, plan.originalMs);
  }
  const ours: Lost = { answered: answeredOf(wallet), kept: (await addsOf(wallet.server.port)) - addsBefore };
  load.stop();
  await wallet.server.stop();
  await flaskServer?.stop();
  const theirs = flask && { answered: answeredOf(flask), kept: keptByFlask(flaskPath) };
  return {
    verdicts: [rateVerdictOf(wallet, flask), lossVerdict(ours, theirs)],
    tables: [
      {
        title: `Row 9: the original's own path, ${inFlight} in flight`,
        columns: ["contender", "calls/s", "p50 ms", "p99 ms", "server CPU µs/call", "calls that failed", "additions answered", "of them lost"],
        rows: [tableRow(wallet, ours), ...(flask === undefined ? [] : [tableRow(flask, theirs!)])],
        notes: [
          flask === undefined
            ? `python3 with flask and gunicorn was not there, so the original's rate is the highest that was once measured, ${originalPerSecond.max} a second; that was another time, and maybe another machine.`
            : `The original is stood in for by bench/servers/flask-wallet.py: it reads the balance, adds, writes it back and commits to SQLite, as the original did; its processor time is in processes that are not counted here. Both add to the same ${walletsUsed} wallets, so that additions meet; the wallet service is given idempotency keys. ` +
              `The stand-in does less than the original, which once gave ${originalPerSecond.min} to ${originalPerSecond.max} calls a second under gunicorn.`,
        ],
      },
    ],
    causes: [{ row: "9", profile: "json", sentence: restSentence }],
  };
}

async function takeTurn(load: Load, { name, server, protocol, method, reports }: Contender, { warmUpMs }: Plan, measureMs: number): Promise<void> {
  const report = await load.ask({ protocol, servers: [placeOf(server)], method, wallets: walletsUsed, inFlight, warmUpMs, measureMs });
  // The original may fail as it likes, and does not get its failures counted.
  if (server.name === "wallet") checkReport(name, report);
  reports.push(report);
}

function goodRate({ calls, failures, seconds }: LoadReport): number {
  return (calls - failures) / seconds;
}

function rateVerdictOf(wallet: Contender, flask: Contender | undefined): Verdict {
  const theirs = wallet.reports.map((_, round) => (flask === undefined ? originalPerSecond.max : goodRate(flask.reports[round]!)));
  const ratio = ratiosOf(wallet.reports.map(goodRate), theirs);
  return {
    row: "9",
    what: `durable additions over the original's REST path, ${inFlight} in flight`,
    against: flask?.name ?? "the original under gunicorn, as once measured",
    target: `≥ ${target}`,
    figure: `${whole(medianRate(wallet))}/s against ${whole(spreadOf(theirs).median)}/s`,
    ratio: spreadText(ratio, (value) => decimals(value, 0)),
    isMet: ratio.median >= target,
    binding: bindingOf(wallet.reports, { rivalPerSecond: spreadOf(theirs).median, target }),
  };
}

function lossVerdict(ours: Lost, theirs: Lost | undefined): Verdict {
  const lost = ours.answered - ours.kept;
  return {
    row: "9",
    what: "additions that were answered and are not in the balance",
    against: theirs === undefined ? "–" : `${whole(theirs.answered - theirs.kept)} of ${whole(theirs.answered)} with Flask`,
    target: "0",
    figure: `of ${whole(ours.answered)}`,
    ratio: whole(lost),
    isMet: lost === 0,
  };
}

function tableRow({ name, reports, server }: Contender, { answered, kept }: Lost): string[] {
  return [
    name,
    spreadText(spreadOf(reports.map(goodRate)), whole),
    decimals(medianOf(reports, (report) => report.p50Ms), 2),
    decimals(medianOf(reports, (report) => report.p99Ms), 2),
    server.name === "wallet" ? whole(medianOf(reports, cpuUsPerCall)) : "–",
    whole(reports.reduce((sum, report) => sum + report.failures, 0)),
    whole(answered),
    whole(answered - kept),
  ];
}

function answeredOf({ reports }: Contender): number {
  return reports.reduce((sum, report) => sum + report.goodAnswers, 0);
}

/** How many additions the service itself counts, of all users. */
async function addsOf(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/report/wallet_operation_report`);
  const { adds } = (await response.json()) as { adds: { count: string } };
  return Number(adds.count);
}

/** Every addition is of one cent. */
function keptByFlask(path: string): number {
  const connection = new Database(path, { readonly: true });
  const cents = connection.prepare("select coalesce(sum(balance), 0) from wallets").pluck().get() as number;
  connection.close();
  return cents;
}
