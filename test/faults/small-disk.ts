// A disk of a few MiB that a test may fill: a tmpfs in a mount name space of its own, which goes away with the process that holds it.

import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "vitest";
import { newFolder } from "./service-process.ts";

export interface SmallDisk {
  /** The disk's folder as processes see it that were started `through`. */
  readonly folder: string;
  /** The same folder as everybody else sees it. */
  readonly outside: string;
  /** Starts a program where the disk is mounted. */
  readonly through: readonly string[];
  /** Takes every byte that is left. */
  fill(): void;
  /** Gives back what `fill` took. */
  free(): void;
  remove(): void;
}

const holders = new Set<ChildProcess>();
process.on("exit", removeAll);

/** A disk for this test, which is skipped where the system permits no mounts, not even to a user in a name space of his own. */
export async function smallDisk(context: TestContext, sizeKib: number, option: "rw" | "ro" = "rw"): Promise<SmallDisk> {
  const disk = await openSmallDisk(sizeKib, option);
  if (disk === undefined) return context.skip("this system permits no mounts");
  context.onTestFinished(() => disk.remove());
  return disk;
}

async function openSmallDisk(sizeKib: number, option: string): Promise<SmallDisk | undefined> {
  const folder = newFolder("disk");
  const isRoot = process.getuid?.() === 0;
  const mount = `mount -t tmpfs -o size=${sizeKib}k,mode=700,${option} tmpfs "$0" && echo mounted && exec cat`;
  // `cat` ends with its input: with this process, however that ends.
  const holder = spawn("unshare", [...(isRoot ? [] : ["--user", "--map-root-user"]), "--mount", "sh", "-c", mount, folder], { stdio: ["pipe", "pipe", "ignore"] });
  const isMounted = await new Promise<boolean>((resolve) => {
    holder.once("error", () => resolve(false));
    holder.once("exit", () => resolve(false));
    holder.stdout.once("data", () => resolve(true));
  });
  if (!isMounted) return undefined;
  holders.add(holder);
  const { pid } = holder;
  const outside = `/proc/${pid}/root${folder}`;
  const ballast = join(outside, "ballast");
  return {
    folder,
    outside,
    through: ["nsenter", ...(isRoot ? [] : ["--user", "--preserve-credentials"]), "--mount", "--target", String(pid), "--"],
    fill: () => fillWith(ballast),
    free: () => rmSync(ballast),
    remove: () => remove(holder),
  };
}

/** Ever smaller pieces, so that not a page is left. */
function fillWith(path: string): void {
  const file = openSync(path, "w");
  try {
    for (let pieceBytes = 1024 * 1024; pieceBytes >= 512; ) {
      try {
        if (writeSync(file, Buffer.alloc(pieceBytes)) < pieceBytes) pieceBytes /= 2;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
        pieceBytes /= 2;
      }
    }
  } finally {
    closeSync(file);
  }
}

function remove(holder: ChildProcess): void {
  holders.delete(holder);
  holder.kill("SIGKILL");
}

function removeAll(): void {
  for (const holder of holders) remove(holder);
}
