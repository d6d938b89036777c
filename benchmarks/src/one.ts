/** Child: measures one figure of one contestant and prints the number. */
import { peers } from './peers.js';
import { figures } from './tendril.js';

const [, , contestant = '', figure = ''] = process.argv;
const measure = (contestant === 'tendril' ? figures : peers[contestant])?.[figure];
if (!measure) throw new Error(`${contestant} has no figure "${figure}"`);
process.stdout.write(`${JSON.stringify(await measure())}\n`, () => process.exit(0));
