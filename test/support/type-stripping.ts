// For whatever starts writer threads from a test: keeps Node 24 from crashing when types are stripped in several threads, one after another.

import { stripTypeScriptTypes } from "node:module";
import { setFlagsFromString } from "node:v8";

/**
 * Type stripping is a WebAssembly module. V8 shares what it compiles of one between all threads and frees it with the last that uses it; where
 * threads come and go and no other keeps it alive, a start now and then ends the process (seen with Node 24.21.0: SIGSEGV in
 * v8::internal::wasm::NativeModule::FreeCode, called from Runtime_TierUpWasmToJSWrapper, some once in 500 starts). In the service the main thread
 * keeps it alive, since its own types are stripped too; under vitest the main thread's types are removed by Vite. So this thread uses it as well,
 * and keeps it for as long as it lives. Of a module that is alive V8 still frees what a later compilation has replaced, and came to the same end
 * (seen once: SIGTRAP in ThreadIsolation::UnregisterWasmAllocation; https://github.com/nodejs/node/issues/64500), so that is off.
 */
export function keepTypeStripping(): void {
  setFlagsFromString("--no-wasm-code-gc");
  stripTypeScriptTypes("const kept: true = true;");
}
