// A plot shows every point where it belongs, and says its names.

import { expect, test } from "vitest";
import { drawPlot, type Plot } from "../../bench/plots.ts";

const plot: Plot = {
  file: "any.svg",
  title: "Rates < dreams & \"hopes\"",
  xLabel: "in flight",
  yLabel: "calls a second",
  xScale: "log",
  xTicks: [1, 10, 100],
  series: [
    { name: "one", points: [{ x: 1, y: 0 }, { x: 10, y: 50, min: 40, max: 60 }, { x: 100, y: 100 }] },
    { name: "other", points: [{ x: 1, y: 10 }] },
  ],
};

test("ticks of a logarithmic axis are equally far apart, and zero lies on the axis", () => {
  const [first, second, third] = placesOf(drawPlot(plot))[0]!;
  expect(second![0]! - first![0]!).toBeCloseTo(third![0]! - second![0]!);
  expect(first![1]! - second![1]!).toBeCloseTo(second![1]! - third![1]!);
  const lowestLine = Math.max(...[...drawPlot(plot).matchAll(/<path d="M[\d.]+ ([\d.]+)L/g)].map((match) => Number(match[1])));
  expect(first![1]!).toBeLessThanOrEqual(lowestLine);
});

test("every series has its line and its name in its colour", () => {
  const svg = drawPlot(plot);
  expect(placesOf(svg).map((places) => places.length)).toEqual([3, 1]);
  const colours = [...svg.matchAll(/<g stroke="(#\w+)"/g)].map((match) => match[1]);
  expect(new Set(colours).size).toBe(2);
  for (const colour of colours) expect(svg).toMatch(new RegExp(`<circle cx="[\\d.]+" cy="44" r="5" fill="${colour}"/>`));
});

test("what is written is escaped", () => {
  expect(drawPlot(plot)).toContain("Rates &lt; dreams &amp; &quot;hopes&quot;");
});

/** Of each line the places of its points. */
function placesOf(svg: string): number[][][] {
  return [...svg.matchAll(/<polyline points="([^"]*)"/g)].map((match) => match[1]!.split(" ").map((place) => place.split(",").map(Number)));
}
