// Who waits for a handler's answer: a context that knows it by itself is not asked for a signal, which it would have to make.

import { expect, test } from "vitest";
import { callerOf } from "../../src/api/caller.ts";

test("a context that knows its caller makes no signal for it", () => {
  const caller = { aborted: false, reason: undefined };
  const context = {
    caller,
    get signal(): AbortSignal {
      throw new Error("a signal was made");
    },
  };
  expect(callerOf(context)).toBe(caller);
});

test("another context's caller is its signal", () => {
  const { signal } = new AbortController();
  expect(callerOf({ signal })).toBe(signal);
});
