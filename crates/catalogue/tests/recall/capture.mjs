// Writes tools.json: what real MCP servers list, as data for the recall set. `./x recall-set` runs it, after it has
// installed the packages of servers.json from npm and PyPI into .x/recall. No server is asked for more than
// `tools/list`, and each gets made-up credentials: none needs a real one to list its tools.
//
//   node capture.mjs FOLDER
//
// FOLDER holds npm's node_modules and the virtual environment `py`.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync, existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { list } from "./list.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const folder = resolve(process.argv[2]);
const LICENCES = ["MIT", "Apache-2.0", "BSD-3-Clause", "BSD-2-Clause", "ISC"];

// The licence of a package whose metadata names none: that of its licence file.
function licenceOf(folder) {
  for (const name of existsSync(folder) ? readdirSync(folder, { recursive: true }) : []) {
    if (name.includes("node_modules") || !/(^|\/)LICEN[SC]E(\.\w+)?$/i.test(name)) continue;
    const text = readFileSync(join(folder, name), "utf8");
    if (/Apache License/.test(text)) return "Apache-2.0";
    if (/MIT License|Permission is hereby granted, free of charge/.test(text)) return "MIT";
  }
}

function npmPackage(name) {
  const root = join(folder, "node_modules", name);
  const about = JSON.parse(readFileSync(join(root, "package.json")));
  const bin = typeof about.bin === "string" ? about.bin : Object.values(about.bin)[0];
  return { version: about.version, licence: LICENCES.includes(about.license) ? about.license : licenceOf(root), command: ["node", join(root, bin)] };
}

function pypiPackage(name) {
  const run = (code) =>
    new Promise((done) => {
      const child = spawn(join(folder, "py/bin/python"), ["-c", code, name]);
      let out = "";
      child.stdout.on("data", (data) => (out += data));
      child.on("close", () => done(out.trim()));
    });
  const code = `
import sys, importlib.metadata as m
d = m.metadata(sys.argv[1]); l = d.get("License-Expression") or d.get("License") or ""
for c in d.get_all("Classifier") or []:
    if c.startswith("License ::"): l = l or c.split(" :: ")[-1]
p = str(m.distribution(sys.argv[1])._path)
l = "MIT" if l.startswith("MIT") else "Apache-2.0" if l.startswith("Apache") else l.split("\\n")[0]
print(d["Version"], l, p, sep="\\n")`;
  return run(code).then((text) => {
    const [version, licence, info] = text.split("\n");
    return { version, licence: LICENCES.includes(licence) ? licence : licenceOf(info), command: [join(folder, "py/bin", name)] };
  });
}

// What is kept of a schema: the names of parameters, what is said of each, and what shapes its type.
function shape(schema, depth = 0) {
  if (typeof schema !== "object" || schema === null) return {};
  const kept = {};
  for (const key of ["type", "enum", "const", "description", "required"]) if (key in schema) kept[key] = schema[key];
  if (typeof kept.description === "string" && kept.description.length > 200) kept.description = kept.description.slice(0, 200);
  if (depth < 2 && schema.properties)
    kept.properties = Object.fromEntries(Object.entries(schema.properties).map(([name, inner]) => [name, shape(inner, depth + 1)]));
  if (depth < 2 && schema.items && !Array.isArray(schema.items)) kept.items = shape(schema.items, depth + 1);
  return kept;
}

const servers = JSON.parse(readFileSync(join(here, "servers.json")));
const captured = [];
for (const { name, npm, pypi, args = [], env = {} } of servers) {
  try {
    const { version, licence, command } = npm ? npmPackage(npm) : await pypiPackage(pypi);
    if (!LICENCES.includes(licence)) throw new Error(`licence ${licence}`);
    const tools = await list([...command, ...args.map((arg) => arg.replace("FOLDER", folder))], folder, env);
    captured.push({
      server: name, package: npm ? `npm:${npm}` : `pypi:${pypi}`, version, licence,
      tools: tools.map((tool) => ({ name: tool.name, description: (tool.description ?? "").slice(0, 1200), inputSchema: shape(tool.inputSchema) })),
    });
    console.error(`${name}: ${tools.length}`);
  } catch (error) {
    console.error(`${name}: left out: ${String(error.message).replaceAll("\n", " ")}`);
  }
}
// A tool a line, so that a change can be read.
const lines = captured.map(({ tools, ...about }) =>
  `${JSON.stringify(about).slice(0, -1)},"tools":[\n${tools.map((tool) => "  " + JSON.stringify(tool)).join(",\n")}\n]}`);
writeFileSync(join(here, "tools.json"), `[${lines.join(",\n")}]\n`);
console.error(`${captured.reduce((sum, { tools }) => sum + tools.length, 0)} tools`);
