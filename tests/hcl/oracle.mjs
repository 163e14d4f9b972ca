// Asks HashiCorp's own parser (compiled to WebAssembly in @cdktf/hcl2json) whether hcl_tool accepts
// and refuses the same files, and whether an edit changes exactly what it says.
//
//   node oracle.mjs HCL_TOOL SOURCE_DIR WORK_DIR        exit 77: the parser could not be fetched
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";

const [tool, source, work] = process.argv.slice(2);
const oraclePackage = "@cdktf/hcl2json@0.21.0";
const editsPerFile = 5;
const mutations = Number(process.env.ORACLE_MUTATIONS ?? 300);

function fetchParser() {
  fs.mkdirSync(work, { recursive: true });
  const require = createRequire(path.join(work, "x.js"));
  try {
    return require("@cdktf/hcl2json");
  } catch {
    const npm = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--prefix", work, oraclePackage],
      { encoding: "utf8", timeout: 120000 });
    if (npm.status !== 0) {
      console.log(`skipped: npm cannot fetch ${oraclePackage}:\n${npm.stderr ?? npm.error}`);
      process.exit(77);
    }
    return require("@cdktf/hcl2json");
  }
}

const { parse } = fetchParser();
const failures = [];
const counts = { files: 0, edits: 0, maps: 0, mutations: 0, refused: 0 };

function run(...args) {
  return spawnSync(tool, args, { encoding: "utf8", maxBuffer: 1 << 26 });
}

// The oracle's view, or the reason why it refuses the text.
async function ask(text) {
  try {
    return { value: await parse("x.tf", text) };
  } catch (error) {
    return { reason: String(error.message ?? error) };
  }
}

// Every place where two JSON values differ, as [path, old, new].
function differences(a, b, at = "") {
  if (a !== null && b !== null && typeof a === "object" && typeof b === "object" &&
      Array.isArray(a) === Array.isArray(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].flatMap((key) => differences(a[key], b[key], `${at}/${key}`));
  }
  return a === b ? [] : [[at, a, b]];
}

function mapped(value) {
  if (typeof value === "string") {
    return value.replace(/(?<![A-Za-z0-9\u0080-\uffff])us-east-2(?=[a-z]?(?![A-Za-z0-9\u0080-\uffff]))/g, "eu-north-9");
  }
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).map(([key, inner]) => [mapped(key), mapped(inner)]);
    return Array.isArray(value) ? entries.map(([, inner]) => inner) : Object.fromEntries(entries);
  }
  return value;
}

function rewrite(name, bytes, request) {
  const root = path.join(work, "root");
  fs.rmSync(root, { recursive: true, force: true });
  fs.mkdirSync(root, { recursive: true });
  fs.writeFileSync(path.join(root, name), bytes);
  fs.writeFileSync(path.join(work, "request.json"), JSON.stringify(request));
  const result = run("rewrite", root, path.join(work, "request.json"));
  return { ...result, text: fs.readFileSync(path.join(root, name), "utf8") };
}

async function checkEdits(file, name, text, before) {
  const lines = run("list", file).stdout.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  const step = Math.max(1, Math.floor(lines.length / editsPerFile));
  for (let i = 0; i < lines.length; i += step) {
    const { address, value } = lines[i];
    const result = rewrite(name, text, { set: { [name]: { [address]: "changed by the oracle" } } });
    if (result.status !== 0) {
      // Only several blocks of one name are a reason not to find a value by its own address.
      if (!/is there \d+ times|already set/.test(result.stderr)) failures.push(`${file} ${address}: ${result.stderr}`);
      continue;
    }
    const changes = differences(before, (await ask(result.text)).value);
    const good = changes.length === 1 && changes[0][2] === "changed by the oracle";
    if (!good) failures.push(`${file} ${address} (${value}): ${JSON.stringify(changes)}`);
    counts.edits++;
  }
}

async function checkMap(file, name, text, before) {
  const result = rewrite(name, text, { map: { "us-east-2": "eu-north-9" }, map_in: ["value", "heredoc", "key"] });
  const after = (await ask(result.text)).value;
  const changes = result.status === 0 ? differences(mapped(before), after) : [result.stderr];
  if (changes.length !== 0) failures.push(`${file} mapped: ${JSON.stringify(changes)}`);
  counts.maps++;
}

function agree(file, ours, oracle, text) {
  // A file of values may hold literals only; the oracle does not know which kind of file it is. It
  // parses, but does not look for arguments that are set twice.
  const stricter = /not allowed|unexpected block|nested (more than|too deep)|are nested/.test(ours.stderr);
  if ((ours.status === 0) === (oracle.reason === undefined) || (ours.status !== 0 && stricter)) return true;
  failures.push(`${file}: we say ${ours.status} ${ours.stderr.trim()}, the oracle says ${oracle.reason ?? "fine"}\n${text}`);
  return false;
}

async function checkFile(file) {
  const bytes = fs.readFileSync(file);
  const text = bytes.toString("utf8");
  const ours = run("check", file);
  const oracle = await ask(text);
  counts.files++;
  if (!agree(file, ours, oracle, text) || ours.status !== 0) return;
  await checkEdits(file, path.basename(file), text, oracle.value);
  await checkMap(file, path.basename(file), text, oracle.value);
}

// A small generator with a seed, so that a failure can be had again.
let seed = Number(process.env.ORACLE_SEED ?? 20261130);
function random(limit) {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 2 ** 32) * limit);
}

const scraps = ["\"", "${", "%{", "}", "{", "[", "]", "(", ")", "<<E\n", "E\n", "\n", "\r\n", "#", "//",
  "/*", "*/", "=", ":", ",", "$", "$$", "\\", "\\u0041", " ", ".", "a", "1", "-", "\r", "?", "for x in y : ",
  "~", "%%{", "\ufeff", "\u00a0", "é", "if", "!", "&&", "...", "=>", "::"];

function mutate(text) {
  const characters = [...text];
  for (let n = 1 + random(3); n > 0; n--) {
    const at = random(characters.length + 1);
    const scrap = scraps[random(scraps.length)];
    characters.splice(at, random(3), ...(random(4) === 0 ? [] : [scrap]));
  }
  return characters.join("");
}

async function checkMutations(files) {
  const target = path.join(work, "mutated.tf");
  for (let n = 0; n < mutations; n++) {
    const text = mutate(fs.readFileSync(files[random(files.length)], "utf8"));
    fs.writeFileSync(target, text);
    const ours = run("check", target);
    agree(`mutation ${n}`, ours, await ask(text), text);
    counts.mutations++;
    counts.refused += ours.status !== 0;
  }
}

function find(folder, found = []) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== ".terraform") find(file, found);
    else if (entry.isFile() && /\.(tf|tfvars)$/.test(entry.name)) found.push(file);
  }
  return found;
}

const corpus = find(path.join(source, "tests/golden/hcl/corpus"));
const files = [path.join(source, "examples"), path.join(source, "tests/golden/hcl")].flatMap((folder) => find(folder));
for (const file of files.sort()) await checkFile(file);
await checkMutations(corpus.sort());
for (const failure of failures.slice(0, 20)) console.error(failure);
console.log(`${counts.files} files, ${counts.edits} edits, ${counts.maps} mappings, ${counts.mutations} mutations ` +
  `(${counts.refused} refused): ${failures.length} disagreements`);
process.exit(failures.length === 0 && counts.edits > 100 ? 0 : 1);
