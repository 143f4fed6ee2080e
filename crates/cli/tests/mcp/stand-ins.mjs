// What two clients from npm expect and do not find: the conformance suite imports `fs.globSync`, which Node.js has from 22 on
// and no server scenario calls; the inspector's command line imports the `package.json` of the repository it was built in.
import { register } from "node:module";

const fs = `export * from "node:fs"; import fs from "node:fs"; export default fs; export const globSync = fs.globSync;`;
const hooks = `export const resolve = (name, context, next) => {
  const from = context.parentURL ?? "";
  if (name === "fs" && from.includes("/conformance/dist/")) {
    return { url: ${JSON.stringify(`data:text/javascript,${encodeURIComponent(fs)}`)}, format: "module", shortCircuit: true };
  }
  const own = name === "../../package.json" && from.includes("/inspector-cli/build/");
  return next(own ? "../package.json" : name, context);
};`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
