// The requests that wishes mean on a ledger as it is when their turn comes: whose wallet, which hold, how much.

import type { AskedOfWallet } from "../support/asked.ts";
import type { NaiveHold, NaiveWallet } from "./naive-state.ts";
import type { NaiveLedger } from "./naive-wallet.ts";
import type { Wish } from "./steps.ts";

const names = ["alice", "bob", "carol:+@1"];

/** The requests that the wishes mean on this ledger; `sent` are those with a key that were sent before. */
export function asksOf(wishes: readonly Wish[], ledger: NaiveLedger, sent: readonly AskedOfWallet[]): AskedOfWallet[] {
  return wishes.map((each, index) => {
    // Refused ones are rare and of many kinds: two looks in five are among them alone, so that the replay of each kind is met.
    const refused = each.dice < 40 ? sent.filter((asked) => ledger.hasRefused(asked)) : [];
    const earlier = picked(refused, each.pick) ?? picked(each.dice < 70 ? sent.slice(-6) : sent, each.pick);
    return each.again !== undefined && earlier !== undefined ? again(earlier, each) : askOf(each, ledger, index);
  });
}

function again(earlier: AskedOfWallet, { again: how, validateOnly }: Wish): AskedOfWallet {
  const spelled = (amount: string): string => (amount.includes(".") ? `0${amount}0` : `${amount}.000`);
  if (how === "other") return { ...earlier, reference: `${earlier.reference ?? ""}!` };
  if (how === "spelled" && earlier.type === "capture") return { ...earlier, amount: spelled(earlier.amount), final: earlier.final ?? false };
  if (how === "spelled" && "amount" in earlier) return { ...earlier, amount: spelled(earlier.amount) };
  if (how === "spelled" && "balanceMax" in earlier) return { ...earlier, balanceMax: earlier.balanceMax && spelled(earlier.balanceMax) };
  return { ...earlier, validateOnly };
}

function askOf(wished: Wish, ledger: NaiveLedger, indexInBatch: number): AskedOfWallet {
  const { key, validateOnly, reference, metadata, pick, dice } = wished;
  const isOfHold = wished.verb === "reverse" || wished.verb === "capture" || wished.verb === "extend";
  const hold = wished.aimed ? picked(dice < 15 ? ledger.holds : ledger.holds.filter(({ status }) => status === "ACTIVE"), pick) : undefined;
  const aim = isOfHold && hold !== undefined ? hold.wallet : wished.aimed && wished.verb !== "init" ? walletFor(wished, ledger) : undefined;
  const user = aim?.user ?? wished.user;
  const isMistaken = wished.currency === "XAU" && dice % 3 === 0 && !isOfHold;
  const currency = wished.currency === undefined || isMistaken ? wished.currency : (aim?.currency ?? wished.currency);
  const wallet = aim ?? ledger.wallets.find((each) => each.user === user && (currency ?? each.currency) === each.currency);
  const others = ledger.wallets.filter((each) => each.user !== user && each.currency === (wallet?.currency ?? currency));
  const frozen = dice % 5 === 0 ? others.filter(({ state }) => state === "FROZEN") : [];
  const receiver = wished.to === undefined ? (picked(frozen, pick) ?? picked(others, pick)) : others.find((each) => each.user === wished.to);
  const to = receiver?.user ?? wished.to ?? "nobody";
  const verb = wished.aimed && !isMistaken ? possible(wished, ledger, { wallet, hold, receiver }) : wished.verb;
  const version = verb === "init" ? 0n : (wallet?.version ?? 0n);
  const expectedVersion = wished.version === undefined ? undefined : BigInt(Math.max(0, Number(version) + wished.version));
  const marks = { user, key, validateOnly, reference, metadata, expectedVersion };
  // Where it is aimed at no hold: at what the batch itself may place, at somebody else's, or at nothing.
  const length = ledger.lengthFor(user);
  const holdId = hold?.holdId ?? ledger.idFor(user, pick % 3 === 0 ? length + BigInt(indexInBatch) : BigInt(pick) % (length + 2n));
  const outgoing = (most: (from: NaiveWallet) => bigint): string => (receiver !== undefined && dice % 4 === 0 ? amountOf(wished, receiver, roomOf) : amountOf(wished, wallet, most));
  switch (verb) {
    case "init":
      return { type: "init", ...marks, ...(wished.aimed && dice < 70 ? withoutWallet(wished, ledger) : { user, currency: wished.currency ?? "USD" }), balanceMax: wished.balanceMax };
    case "add": {
      const whose = names[pick % names.length]!;
      const related = wished.related ? ledger.idFor(whose, BigInt(pick) % (ledger.lengthFor(whose) + 3n)) : undefined;
      return { type: "add", ...marks, currency, amount: amountOf(wished, wallet, roomOf), related };
    }
    case "hold":
      return { type: "hold", ...marks, currency, amount: amountOf(wished, wallet, ({ available }) => available), periodMs: wished.periodMs };
    case "reverse":
      return { type: "reverse", ...marks, holdId };
    case "capture": {
      const amount = outgoing(({ held }) => (hold === undefined ? held : hold.amount - hold.captured));
      return { type: "capture", ...marks, holdId, amount, to: wished.into ? to : undefined, final: wished.final };
    }
    case "extend": {
      const periodMs = hold === undefined ? 0 : hold.eligibleTimeMs - hold.createTimeMs;
      return { type: "extend", ...marks, holdId, periodMs: Math.max(0, periodMs + wished.longerByMs) };
    }
    case "withdraw":
      return { type: "withdraw", ...marks, currency, amount: amountOf(wished, wallet, ({ available }) => available) };
    case "transfer":
      return { type: "transfer", ...marks, currency, amount: outgoing(({ available }) => available), to };
    case "freeze":
    case "unfreeze":
    case "close":
      return { type: verb, ...marks, currency };
    case "limit": {
      const balanceMax = dice < 60 ? amountOf(wished, wallet, ({ available, held }) => available + held) : wished.balanceMax;
      return { type: "limit", ...marks, currency, balanceMax };
    }
    default:
      return verb satisfies never;
  }
}

/** Where there is no limit, up to some thousands: enough for the amounts that are written out. */
const roomOf = ({ balanceMax, exponent, available, held }: NaiveWallet): bigint => (balanceMax ?? 3000n * 10n ** BigInt(exponent)) - available - held;

/** Somebody who has no wallet in the wished currency yet, if there is anybody. */
function withoutWallet(wished: Wish, { wallets }: NaiveLedger): { user: string; currency: string } {
  const { user, currency = "USD" } = wished;
  const free = [user, ...names].filter((name) => !wallets.some((wallet) => wallet.user === name && wallet.currency === currency));
  return { user: free[0] ?? user, currency };
}

/** Mostly a wallet that the verb can do something with. */
function walletFor({ verb, pick, dice }: Wish, { wallets }: NaiveLedger): NaiveWallet | undefined {
  const fitting = wallets.filter(fits[verb] ?? (({ available }) => available > 0n));
  if (dice < 8) return picked(wallets.filter((wallet) => !isOpen(wallet)), pick) ?? picked(wallets, pick);
  return picked(dice < 14 ? wallets : fitting, pick) ?? picked(wallets, pick);
}

const isOpen = ({ state }: NaiveWallet): boolean => state !== "CLOSED";

/** Which wallets the verb can do something with; of the others those that have something available. */
const fits: Readonly<Partial<Record<Wish["verb"], (wallet: NaiveWallet) => boolean>>> = {
  add: isOpen,
  freeze: isOpen,
  limit: isOpen,
  unfreeze: ({ state }) => state === "FROZEN",
  close: (wallet) => isOpen(wallet) && wallet.available + wallet.held === 0n,
};

interface Aim {
  readonly wallet: NaiveWallet | undefined;
  readonly hold: NaiveHold | undefined;
  readonly receiver: NaiveWallet | undefined;
}

/** An aimed wish with nothing to aim at becomes one that makes something: a wallet, money, or a hold. */
function possible(wished: Wish, ledger: NaiveLedger, aim: Aim): Wish["verb"] {
  const { verb, dice } = wished;
  const { wallet, hold, receiver } = aim;
  const isEmpty = wallet !== undefined && isOpen(wallet) && wallet.available === 0n;
  if (ledger.wallets.length === 0) return "init";
  switch (verb) {
    case "reverse":
    case "capture":
    case "extend":
      return hold === undefined ? possible({ ...wished, verb: "hold" }, ledger, aim) : verb;
    case "hold":
    case "withdraw":
      return isEmpty && dice < 75 ? "add" : verb;
    case "transfer":
      if (isEmpty && dice < 75) return "add";
      return receiver === undefined && dice < 80 ? "init" : verb;
    case "freeze":
      // Seldom enough that most sequences go on with most of their wallets.
      return dice < 50 ? verb : "add";
    case "unfreeze":
      return wallet?.state === "FROZEN" || dice < 30 ? verb : "hold";
    case "close":
      return dice < 70 ? verb : "add";
    default:
      return verb;
  }
}

export function picked<Item>(items: readonly Item[], pick: number): Item | undefined {
  return items[pick % Math.max(1, items.length)];
}

/** The wished amount, or what the wallet can bear of it, give or take a minor unit; never nothing, which the edge refuses. */
function amountOf({ amount }: Wish, wallet: NaiveWallet | undefined, mostOf: (wallet: NaiveWallet) => bigint): string {
  if (typeof amount === "string") return amount;
  if (wallet === undefined) return "1";
  const wished = mostOf(wallet) / BigInt(amount.parts) + BigInt(amount.more);
  const digits = (wished > 0n ? wished : 1n).toString().padStart(wallet.exponent + 1, "0");
  return wallet.exponent === 0 ? digits : `${digits.slice(0, -wallet.exponent)}.${digits.slice(-wallet.exponent)}`;
}
