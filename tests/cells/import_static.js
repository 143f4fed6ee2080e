import { readFile } from 'node:fs';
text('never');
