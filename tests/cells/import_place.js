// An import is found by the place of its name, however long the list before it.
text("never");

import {
  readFile,
} from "node:fs/promises";
import "later";
