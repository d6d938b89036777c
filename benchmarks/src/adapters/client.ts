#!/usr/bin/env node
/** A run of one client: `client ours|raw <module> <job> <settings>` prints its report. */
import { type Async, inGreenlets, inTasks, type Parking, type Settings } from './load.js';
import type { Absence, Report } from './report.js';

const [side = '', name = '', job = '', given = ''] = process.argv.slice(2);
const settings = JSON.parse(given) as Settings;

async function measure(): Promise<Report | Absence> {
  // One that is not installed, or does not have what is needed, is no failure of the others.
  let jobs: Parking & Async;
  try {
    ({ jobs } = await import(`./${side}/${name}.js`));
  } catch (error) {
    return { absent: (error as Error).message };
  }
  const open = jobs[job];
  if (!open) return { absent: `it has no ${job}` };
  return side === 'ours' ? inGreenlets(open, settings) : inTasks(open, settings);
}

try {
  console.log(JSON.stringify(await measure()));
  process.exit(0);
} catch (error) {
  // A line, as the last of which it is shown.
  console.error(String(error).split('\n')[0]);
  process.exit(1);
}
