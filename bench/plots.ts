// Draws a plot as SVG: lines with their spread over a grid, in colours that can be read on light and on dark pages.

export interface Point {
  readonly x: number;
  readonly y: number;
  /** The smallest and the largest of what `y` is the median of. */
  readonly min?: number;
  readonly max?: number;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Plot {
  /** Its name in docs/performance. */
  readonly file: string;
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xScale: "linear" | "log";
  readonly xTicks: readonly number[];
  /** At most as many as there are colours. */
  readonly series: readonly Series[];
}

const size = { width: 720, height: 360 };
const margin = { left: 88, right: 24, top: 72, bottom: 52 };
const area = { left: margin.left, right: size.width - margin.right, top: margin.top, bottom: size.height - margin.bottom };
const font = "font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\"";

/** Halfway between black and white: what is drawn on may be either. */
const inkColour = "#808890";
const lineColours = ["#e8710a", "#2b87e3", "#2aa45c", "#a66bd4"];

/** From the axis to the highest point and a little more, in about so many steps. */
const yStepsWanted = 5;
const legendLetterWidth = 6.8;
const legendGap = 44;

/** A whole SVG document. The y axis begins at zero. */
export function drawPlot({ title, xLabel, yLabel, xScale, xTicks, series }: Plot): string {
  const points = series.flatMap((each) => each.points);
  const yTicks = ticksUpTo(Math.max(...points.map(({ y, max }) => max ?? y)));
  const xOf = scale(xScale, xTicks, [area.left + 16, area.right - 16]);
  const yOf = scale("linear", yTicks, [area.bottom, area.top]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" role="img" aria-label="${escaped(title)}">`,
    `<g ${font} font-size="13" fill="${inkColour}">`,
    `<text x="${area.left}" y="24" font-size="16" font-weight="600">${escaped(title)}</text>`,
    legend(series),
    ...yTicks.map((tick) => line(area.left, yOf(tick), area.right, yOf(tick), tick === 0 ? 1 : 0.25)),
    ...yTicks.map((tick) => `<text x="${area.left - 10}" y="${near(yOf(tick) + 4)}" text-anchor="end">${tick.toLocaleString("en-US")}</text>`),
    ...xTicks.map((tick) => line(xOf(tick), area.bottom, xOf(tick), area.bottom + 5, 1)),
    ...xTicks.map((tick) => `<text x="${near(xOf(tick))}" y="${area.bottom + 20}" text-anchor="middle">${shortNumber(tick)}</text>`),
    `<text x="${(area.left + area.right) / 2}" y="${size.height - 8}" text-anchor="middle">${escaped(xLabel)}</text>`,
    `<text transform="translate(16 ${(area.top + area.bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text>`,
    "</g>",
    ...series.map((each, index) => drawSeries(each, lineColours[index]!, xOf, yOf)),
    "</svg>\n",
  ].join("\n");
}

function legend(series: readonly Series[]): string {
  let at = area.left;
  return series
    .map(({ name }, index) => {
      const x = at;
      at += name.length * legendLetterWidth + legendGap;
      return `<circle cx="${near(x + 5)}" cy="44" r="5" fill="${lineColours[index]!}"/><text x="${near(x + 16)}" y="48.5">${escaped(name)}</text>`;
    })
    .join("\n");
}

function drawSeries({ points }: Series, colour: string, xOf: (x: number) => number, yOf: (y: number) => number): string {
  const spread = points.filter(({ min, max }) => min !== undefined && max !== undefined);
  return [
    `<g stroke="${colour}" fill="none">`,
    ...spread.map(({ x, min, max }) => `<path d="M${near(xOf(x))} ${near(yOf(min!))}V${near(yOf(max!))}" stroke-width="5" stroke-opacity="0.35" stroke-linecap="round"/>`),
    `<polyline points="${points.map(({ x, y }) => `${near(xOf(x))},${near(yOf(y))}`).join(" ")}" stroke-width="2.5" stroke-linejoin="round"/>`,
    ...points.map(({ x, y }) => `<circle cx="${near(xOf(x))}" cy="${near(yOf(y))}" r="3.5" fill="${colour}" stroke="none"/>`),
    "</g>",
  ].join("\n");
}

function line(x1: number, y1: number, x2: number, y2: number, opacity: number): string {
  return `<path d="M${near(x1)} ${near(y1)}L${near(x2)} ${near(y2)}" stroke="${inkColour}" stroke-opacity="${opacity}"/>`;
}

/** Maps what lies between the first and the last tick to what lies between two places. */
function scale(kind: "linear" | "log", ticks: readonly number[], [from, to]: readonly [number, number]): (value: number) => number {
  const along = kind === "log" ? Math.log : (value: number): number => value;
  const [low, high] = [along(ticks[0]!), along(ticks.at(-1)!)];
  return (value) => from + ((along(value) - low) / (high - low)) * (to - from);
}

/** From zero in steps of 1, 2 or 5 times a power of ten. */
function ticksUpTo(max: number): number[] {
  const rough = max / yStepsWanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough)!;
  return Array.from({ length: Math.ceil(max / step) + 1 }, (_, index) => index * step);
}

function shortNumber(value: number): string {
  return value >= 1_000_000 ? `${value / 1_000_000} M` : value.toLocaleString("en-US");
}

function near(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
