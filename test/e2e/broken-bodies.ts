// Bodies that are no AddMoney request, in JSON and in protobuf's binary form, made from one that is.

import { create, toBinary } from "@bufbuild/protobuf";
import { AddMoneyRequestSchema } from "../../gen/wallet/v1/wallet_service_pb.ts";

export type Body = string | Uint8Array;

export const good = { user_id: "ann", currency: "USD", amount: "1.00" };
export const goodText = JSON.stringify(good);
export const goodBytes = toBinary(AddMoneyRequestSchema, create(AddMoneyRequestSchema, { userId: "ann", currency: "USD", amount: "1.00" }));

const deep = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const deepObject = (depth: number): string => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
/** The good request with this member before its own. */
export const withField = (field: string): string => goodText.replace("{", `{${field},`);
export const mebi = 1024 * 1024;

export const brokenJson: readonly [title: string, body: Body, fields?: string[]][] = [
  ["nothing but a brace", "{"],
  ["a text that does not end", '{"user_id":"ann'],
  ["no value", '{"user_id":}'],
  ["a comma too many", `${goodText.slice(0, -1)},}`],
  ["single quotes", goodText.replaceAll('"', "'")],
  ["names without quotes", "{user_id: ann}"],
  ["a comment", `/* */ ${goodText}`],
  ["something after it", `${goodText}x`],
  ["two of them", goodText + goodText],
  ["a list", `[${goodText}]`],
  ["null", "null"],
  ["a number", "1"],
  ["a text", '"ann"'],
  ["NaN", "NaN"],
  ["a raw line break in a text", '{"user_id":"a\nnn","currency":"USD","amount":"1.00"}'],
  ["a wrong escape", String.raw`{"user_id":"\x61nn","currency":"USD","amount":"1.00"}`],
  ["UTF-16", Buffer.from(goodText, "utf16le")],
  ["bytes that are no UTF-8", Buffer.from(withField('"reference":"\u00ff"'), "latin1")],
  ["an overlong encoding", Buffer.concat([Buffer.from('{"reference":"'), Buffer.from([0xc0, 0xaf]), Buffer.from(`",${goodText.slice(1)}`)])],
  ["a surrogate in UTF-8", Buffer.concat([Buffer.from('{"reference":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from(`",${goodText.slice(1)}`)])],
  ["a field twice", withField('"user_id":"bob"'), ["user_id"]],
  ["a field twice, the same", withField('"amount":"1.00"'), ["amount"]],
  ["a field by both of its names", withField('"userId":"bob"'), ["user_id"]],
  ["a thousand levels of lists", withField(`"reference":${deep(1_000)}`), ["reference"]],
  ["a thousand levels of objects", withField(`"metadata":${deepObject(1_000)}`), ["metadata"]],
  ["a hundred thousand levels of lists", withField(`"reference":${deep(100_000)}`)],
  ["a hundred thousand levels of objects", withField(`"metadata":${deepObject(100_000)}`)],
  ["a hundred thousand braces", "{".repeat(100_000)],
  ["a hundred thousand fields", `{${Array.from({ length: 100_000 }, (_, index) => `"f${index}":1`).join(",")}}`],
  ["a number of a hundred thousand digits", withField(`"expected_version":${"9".repeat(100_000)}`), ["expected_version"]],
];

const field = (number: number, wireType: number, ...payload: number[]): Uint8Array => new Uint8Array([(number << 3) | wireType, ...payload]);
const after = (...more: Uint8Array[]): Uint8Array => Buffer.concat([goodBytes, ...more]);

export const brokenProtobuf: readonly (readonly [string, Uint8Array])[] = [
  ["JSON", Buffer.from(goodText)],
  ["zeros", new Uint8Array(64)],
  ["ones", new Uint8Array(64).fill(0xff)],
  ["a field with the number 0", after(field(0, 2, 0))],
  ["a wire type that is none", after(field(1, 7, 0))],
  ["a group that does not end", after(field(20, 3))],
  ["a group's end without its beginning", after(field(20, 4))],
  ["groups within groups", after(new Uint8Array(100_000).fill((20 << 3) | 3))],
  ["a number of eleven bytes", after(field(14, 0, ...Array<number>(10).fill(0xff), 1))],
  ["a length beyond the end", after(field(12, 2, 0x7f))],
  ["a length of 4 GiB", after(field(12, 2, 0xff, 0xff, 0xff, 0xff, 0x0f))],
  ["a length of 2^63", after(field(12, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f))],
  ["a text that is no UTF-8", after(field(12, 2, 2, 0xff, 0xfe))],
  ["a text with a surrogate", after(field(12, 2, 3, 0xed, 0xa0, 0x80))],
  ["a map's key that is no UTF-8", after(field(13, 2, 3, 0x0a, 1, 0xff))],
  ["a map's entry that is cut off", after(field(13, 2, 2, 0x0a, 9))],
];
