// The bugs that the mutation gate plants, one at a time: money bugs as other wallets had them, and the tests that must catch each.

import { keepingMutants } from "./keeping-mutants.ts";
import { moneyMutants } from "./money-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { partitionMutants } from "./partition-mutants.ts";

export const mutants: readonly Mutant[] = [...moneyMutants, ...keepingMutants, ...partitionMutants];
