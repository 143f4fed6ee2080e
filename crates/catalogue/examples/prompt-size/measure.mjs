// Prints what tools take of a model's prompt, given directly and through Carrel: `./x prompt-size`.
//
// Directly: of each tool what a client hands on to a model, as JSON: name, description, inputSchema. Through Carrel: the
// tools that the MCP face will have (face.json, a draft: that face is not built) and the catalogue text within its
// default budget. Tokens are those of o200k_base, counted by gpt-tokenizer; other vocabularies differ by a tenth or two.
//
//   node measure.mjs NPM PROGRAM
//
// NPM is the folder with tests/npm's packages, PROGRAM the built example that writes catalogue text.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { list } from "../../tests/recall/list.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const [npm, program] = process.argv.slice(2).map((path) => resolve(path));
const require = createRequire(join(npm, "package.json"));
const { countTokens } = require("gpt-tokenizer/encoding/o200k_base");
const FIRST = 200;
const COLUMNS = 50;

const definitions = (servers) =>
  servers.flatMap(({ server, tools }) =>
    tools.map(({ name, description, inputSchema }) => JSON.stringify({ name: `${server}__${name}`, description, inputSchema })));
const tokens = (lines) => countTokens(lines.join("\n"));
const catalogue = (servers, ...budget) =>
  execFileSync(program, budget, { input: JSON.stringify(servers), encoding: "utf8", maxBuffer: 1 << 26 });

function firstOfRecallSet() {
  let left = FIRST;
  const servers = JSON.parse(readFileSync(join(here, "../../tests/recall/tools.json")));
  return servers.map(({ server, tools }) => {
    const taken = tools.slice(0, left);
    left -= taken.length;
    return { server, tools: taken };
  }).filter(({ tools }) => tools.length > 0);
}

function ofNpm() {
  const all = ["everything", "filesystem", "memory"].map(async (server) => {
    const root = join(npm, "node_modules/@modelcontextprotocol", `server-${server}`);
    const { bin } = JSON.parse(readFileSync(join(root, "package.json")));
    const start = join(root, typeof bin === "string" ? bin : Object.values(bin)[0]);
    return { server, tools: await list(["node", start, ...(server === "filesystem" ? [npm] : [])], npm) };
  });
  return Promise.all(all);
}

// The definitions as they are sent: without the spaces that they are set with.
const face = JSON.parse(readFileSync(join(here, "face.json"))).map((tool) => JSON.stringify(tool));

function show(what, servers) {
  const direct = tokens(definitions(servers));
  const text = catalogue(servers);
  const through = tokens(face) + countTokens(text);
  const most = Math.max(direct, through);
  const bar = (count) => "█".repeat(Math.max(1, Math.round((count / most) * COLUMNS)));
  const row = (name, count) => console.log(`${name.padEnd(15)}${count.toLocaleString("en-US").padStart(7)}  ${bar(count)}`);
  console.log(what);
  row("directly", direct);
  row("through Carrel", through);
  const known = text.match(/All \d+ tools are listed|it has \d+ of \d+ tools/)[0];
  console.log(`(${tokens(face)} for ${face.length} tools, ${countTokens(text)} for the catalogue: ${known}; ${countTokens(catalogue(servers, "1000000"))} without a budget)\n`);
}

const count = (servers) => servers.reduce((sum, { tools }) => sum + tools.length, 0);
const recall = firstOfRecallSet();
const live = await ofNpm();
console.log(`Tokens of a model's prompt (o200k_base, gpt-tokenizer ${require("gpt-tokenizer/package.json").version})\n`);
show(`${count(recall)} tools of ${recall.length} real servers, their schemas cut to names, types and descriptions`, recall);
show(`${count(live)} tools of ${live.length} npm servers as they list them today, with whole schemas`, live);
