// dialect: codex
import { a } from "./b.js";
text("never");
