/** The thread of {@link SiteThread}: serves, tells where, and lives until it is terminated. */
import { parentPort, workerData } from 'node:worker_threads';
import { plantedAnswers, plantedPaths } from './demo-site.js';
import { serveSite } from './site-server.js';
import type { SiteSettings } from './site-thread.js';

const { root, plantedPerKind } = workerData as SiteSettings;
parentPort?.postMessage(await serveSite(root, plantedAnswers(plantedPaths(plantedPerKind))));
