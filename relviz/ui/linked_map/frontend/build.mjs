// Builds the bundle: `node build.mjs [folder]`; `node build.mjs --test` bundles the unit tests for node's test runner.
import { readdirSync } from "node:fs";
import { build } from "esbuild";

const testing = process.argv[2] === "--test";
const out = testing ? ".tests" : (process.argv[2] ?? "../build");
const common = { bundle: true, format: "esm", target: "es2022", charset: "utf8", legalComments: "none", logLevel: "warning" };

if (testing) {
  const files = readdirSync("tests").map((name) => `tests/${name}`);
  await build({ ...common, entryPoints: files, outdir: out, platform: "node", outExtension: { ".js": ".test.mjs" } });
} else {
  await build({ ...common, entryPoints: { linked_map: "src/index.ts" }, outdir: out, minify: true });
  await build({ ...common, entryPoints: { linked_map: "src/linked_map.css" }, outdir: out, minify: true });
}
