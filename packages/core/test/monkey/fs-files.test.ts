import fs from 'node:fs';
import { patchFs } from '@tendril/core/monkey';
import { leaveNothing } from '../helpers.js';
import { testTable } from './table.js';

leaveNothing();

testTable({ file: import.meta.url, patch: patchFs }, [
  { title: 'stat', call: (io) => fs.statSync(io.path('file.txt')) },
  { title: 'stat none', call: (io) => fs.statSync(io.path('none')) },
  { title: 'readFile', call: (io) => fs.readFileSync(io.path('file.txt')) },
  { title: 'readFile bad', call: () => fs.readFileSync(true as never) },
]);
