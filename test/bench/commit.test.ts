// The page names the commit that was measured, and says so where its sources were not just that.

import { expect, test } from "vitest";
import { commitText } from "../../bench/commit.ts";

test("a commit without changes is named alone", () => {
  expect(commitText("4513ae7", "")).toBe("Commit: 4513ae7");
});

test("changes that are not committed are told", () => {
  expect(commitText("4513ae7", " M src/app.ts\n?? src/new.ts")).toBe("Commit: 4513ae7, with changes that are not committed");
});
